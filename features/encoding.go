package features

import (
	"fmt"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// Encoding says which features a ride becomes. The zero Encoding is Pair.
type Encoding string

const (
	// Pair is the original's: the two zones as one category, and the distance.
	Pair Encoding = "PU_DO"
	// Zones keeps the zones apart: two categories, and the distance.
	Zones Encoding = "PU,DO"
)

// Names of the features, as the columns of a design matrix spell them.
const (
	pairName     = "PU_DO"
	pickupName   = "PULocationID"
	dropoffName  = "DOLocationID"
	distanceName = "trip_distance"
)

var encodings = []Encoding{Pair, Zones}

// ParseEncoding accepts the names of the encodings; "" is Pair.
func ParseEncoding(s string) (Encoding, error) {
	if s == "" {
		return Pair, nil
	}
	if e := Encoding(s); slices.Contains(encodings, e) {
		return e, nil
	}
	return "", fmt.Errorf("unknown feature encoding %q: want %q or %q", s, Pair, Zones)
}

// Names returns what the encoding makes of a ride, such as "PU_DO" and
// "trip_distance". It is nil for an encoding that ParseEncoding refuses.
func (e Encoding) Names() []string {
	switch e {
	case Pair, "":
		return []string{pairName, distanceName}
	case Zones:
		return []string{pickupName, dropoffName, distanceName}
	}
	return nil
}

// columns is the one definition of each feature: training, scoring and serving
// all come through here.
func (e Encoding) columns(pickup, dropoff []int32, miles []float64) []matrix.Column {
	distance := matrix.Values{Name: distanceName, Values: miles}
	switch e {
	case Pair, "":
		return []matrix.Column{pairs(pickup, dropoff), distance}
	case Zones:
		return []matrix.Column{zones(pickupName, pickup), zones(dropoffName, dropoff), distance}
	}
	panic(fmt.Sprintf("features: unknown encoding %q", string(e)))
}
