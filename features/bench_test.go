package features

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features/matrix"
)

// manyTrips are rides of the shape of green taxis: 13,000 pairs of zones, few of
// which have most rides, and distances rounded to a hundredth of a mile; in codes,
// as files have them.
func manyTrips(rows int) *data.Trips {
	r := rand.New(rand.NewPCG(1, 2))
	t := &data.Trips{}
	t.PickupZone.Values = []int32{data.NoZone}
	for zone := range int32(265) {
		t.PickupZone.Values = append(t.PickupZone.Values, zone+1)
	}
	t.DropoffZone.Values = t.PickupZone.Values
	code := map[float64]uint16{}
	for range rows {
		pair := uint32(13_000*math.Pow(r.Float64(), 3)) * 2654435761
		t.PickupZone.Codes = append(t.PickupZone.Codes, 1+uint16(pair>>16%265))
		t.DropoffZone.Codes = append(t.DropoffZone.Codes, 1+uint16(pair>>8%65521%265))
		miles := math.Round(100*math.Exp(1+r.NormFloat64())) / 100
		c, known := code[miles]
		if !known {
			c = uint16(len(code))
			code[miles] = c
			t.Miles.Values = append(t.Miles.Values, miles)
		}
		t.Miles.Codes = append(t.Miles.Codes, c)
	}
	return t
}

// BenchmarkVectorizer fits a vectorizer on a million rides and transforms them:
// what DictVectorizer().fit_transform(df.to_dict(orient="records")) does.
func BenchmarkVectorizer(b *testing.B) {
	trips := manyTrips(1_000_000)
	for _, e := range []Encoding{Pair, Zones, IDs} {
		b.Run(string(e), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cols := FromTrips(e, trips)
				v, err := matrix.Fit(cols)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := v.Transform(cols); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRide encodes one ride, as serving does.
func BenchmarkRide(b *testing.B) {
	v, err := Fit(Pair, manyTrips(70_000))
	if err != nil {
		b.Fatal(err)
	}
	rides := []Ride{{PULocationID: 43, DOLocationID: 151, TripDistance: 1.01}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Transform(FromRides(Pair, rides)); err != nil {
			b.Fatal(err)
		}
	}
}
