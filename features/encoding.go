package features

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taximeter/taximeter/features/matrix"
)

// Encoding says which features a ride becomes. The zero Encoding is Pair. Each
// encoding has a form with clipped distances, which Clipped returns.
type Encoding string

const (
	// Pair is the original's: the two zones as one category, and the distance.
	Pair Encoding = "PU_DO"
	// Zones keeps the zones apart: two categories, and the distance.
	Zones Encoding = "PU,DO"
	// IDs takes the zones' ids as they are: two numbers, and the distance. TLC
	// numbers the zones in the order of their names, so that an id says little
	// to a line; trees cut the ids into ranges, and need few to tell the zones
	// apart. A missing zone is a missing number.
	IDs Encoding = "ids"
)

// MaxMiles is the distance to which clipped encodings reduce all longer ones.
// No ride within the city is as long, but the meters have reported 244,152.
const MaxMiles = 50

// clipSuffix follows the name of an encoding whose distances are clipped.
const clipSuffix = "+clip50"

// Names of the features, as the columns of a design matrix spell them.
const (
	pairName     = "PU_DO"
	pickupName   = "PULocationID"
	dropoffName  = "DOLocationID"
	distanceName = "trip_distance"
	// Another name: a model of clipped distances must not be given others.
	clippedName = "trip_distance_clip50"
)

var encodings = []Encoding{Pair, Zones, IDs, Pair.Clipped(), Zones.Clipped(), IDs.Clipped()}

// Encodings returns all encodings, those as they came before the clipped ones.
// The order is kept when more are added. The slice is the caller's.
func Encodings() []Encoding { return slices.Clone(encodings) }

// Clipped returns the encoding that differs from e in that distances above
// MaxMiles count as MaxMiles. Of one that is clipped it is the same.
func (e Encoding) Clipped() Encoding {
	zones, _ := e.parts()
	return zones + clipSuffix
}

// parts returns the encoding of the zones, and whether distances are clipped.
func (e Encoding) parts() (zones Encoding, clipped bool) {
	s, clipped := strings.CutSuffix(string(e), clipSuffix)
	if s == "" && !clipped {
		return Pair, false
	}
	return Encoding(s), clipped
}

// ParseEncoding accepts the names of the encodings; "" is Pair.
func ParseEncoding(s string) (Encoding, error) {
	if s == "" {
		return Pair, nil
	}
	if e := Encoding(s); slices.Contains(encodings, e) {
		return e, nil
	}
	var known strings.Builder
	for i, e := range encodings {
		switch {
		case i == len(encodings)-1:
			known.WriteString(" or ")
		case i > 0:
			known.WriteString(", ")
		}
		fmt.Fprintf(&known, "%q", string(e))
	}
	return "", fmt.Errorf("unknown feature encoding %q: want %s", s, &known)
}

// Names returns what the encoding makes of a ride, such as "PU_DO" and
// "trip_distance". It is nil for an encoding that ParseEncoding refuses.
func (e Encoding) Names() []string {
	zones, clipped := e.parts()
	distance := distanceName
	if clipped {
		distance = clippedName
	}
	switch zones {
	case Pair:
		return []string{pairName, distance}
	case Zones, IDs:
		return []string{pickupName, dropoffName, distance}
	}
	return nil
}

// columns is the one definition of each feature: training, scoring and serving
// all come through here.
func (e Encoding) columns(pickup, dropoff zoneColumn, miles []float64) []matrix.Column {
	zonesAs, clipped := e.parts()
	distance := matrix.Values{Name: distanceName, Values: miles}
	if clipped {
		distance = matrix.Values{Name: clippedName, Values: clip(miles)}
	}
	switch zonesAs {
	case Pair:
		return []matrix.Column{pairs(pickup, dropoff), distance}
	case Zones:
		return []matrix.Column{zones(pickupName, pickup), zones(dropoffName, dropoff), distance}
	case IDs:
		return []matrix.Column{ids(pickupName, pickup), ids(dropoffName, dropoff), distance}
	}
	panic(fmt.Sprintf("features: unknown encoding %q", string(e)))
}

// clip returns miles, at most MaxMiles each; NaN stays NaN.
func clip(miles []float64) []float64 {
	out := make([]float64, len(miles))
	for i, m := range miles {
		out[i] = min(m, MaxMiles)
	}
	return out
}
