// Package features turns taxi rides into the columns of a design matrix: it is
// the one place that spells each feature, for training, scoring and serving
// alike. It does not know how trips are read nor what a model does with them.
package features

import (
	"strconv"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features/matrix"
)

// Ride is what is known of a ride before it ends: all that a prediction may use.
type Ride struct {
	PULocationID int32   // TLC zone, 1 to 265; data.NoZone where unknown
	DOLocationID int32   // likewise
	TripDistance float64 // miles; NaN where unknown
}

// appendPair spells PU_DO, the pair of zones a ride goes between: "43_151". A
// zone that is missing is -1.
func appendPair(b []byte, pickup, dropoff int32) []byte {
	b = strconv.AppendInt(b, int64(pickup), 10)
	b = append(b, '_')
	return strconv.AppendInt(b, int64(dropoff), 10)
}

// FromTrips returns the features of trips, column by column. A missing zone
// (data.NoZone) is the category -1, as in "-1_151", and as a number not stored;
// a missing distance is not stored; a distance of zero is. The result may share
// t.Miles. It panics on an encoding that ParseEncoding refuses.
func FromTrips(e Encoding, t *data.Trips) []matrix.Column {
	return e.columns(t.PickupZone, t.DropoffZone, t.Miles.All())
}

// FromRides returns the features of rides, exactly as FromTrips would.
func FromRides(e Encoding, rides []Ride) []matrix.Column {
	pickup, dropoff := make([]int32, len(rides)), make([]int32, len(rides))
	miles := make([]float64, len(rides))
	for i, r := range rides {
		pickup[i], dropoff[i], miles[i] = r.PULocationID, r.DOLocationID, r.TripDistance
	}
	return e.columns(zoneColumn{Values: pickup}, zoneColumn{Values: dropoff}, miles)
}

// Fit learns the columns of a design matrix from trips.
func Fit(e Encoding, t *data.Trips) (*matrix.Vectorizer, error) {
	return matrix.Fit(FromTrips(e, t))
}
