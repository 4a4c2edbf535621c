package models

import (
	"math"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
)

// manyRides are rides between known and unknown zones, over all kinds of distances.
func manyRides() []features.Ride {
	var rides []features.Ride
	for _, pickup := range []int32{1, 14, 27, 105, 264, data.NoZone, 7000, -5, math.MinInt32} {
		for _, dropoff := range []int32{1, 14, 66, 265, data.NoZone, math.MaxInt32} {
			for _, miles := range []float64{0, 0.3, 1.01, 7, 14.99, 49.99, 51, 244152, -1, math.NaN(), math.Copysign(0, -1)} {
				rides = append(rides, features.Ride{PULocationID: pickup, DOLocationID: dropoff, TripDistance: miles})
			}
		}
	}
	return rides
}

// everyModel is one model of each kind and encoding.
func everyModel(t testing.TB) (all []*Model) {
	for _, e := range features.Encodings() {
		all = append(all, fitted(t, e)...)
	}
	return all
}

// A ride is predicted the same alone, among many, and by the regressor itself.
func TestRideAloneAndAmongMany(t *testing.T) {
	rides := manyRides()
	for _, m := range everyModel(t) {
		e := m.Encoding
		many, walked := make([]float32, len(rides)), make([]float32, len(rides))
		if err := m.PredictRides(rides, many); err != nil {
			t.Fatal(err)
		}
		x, err := m.Vectorizer.Transform(features.FromRides(e, rides))
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind == GBT {
			m.Trees.Predict(x, walked)
		} else {
			m.Linear.Predict(x, walked)
		}
		for i := range rides {
			var alone [1]float32
			if err := m.PredictRides(rides[i:i+1], alone[:]); err != nil {
				t.Fatal(err)
			}
			if alone[0] != many[i] || walked[i] != many[i] {
				t.Errorf("%s: %+v is predicted %v alone, %v among many, %v by the regressor", m, rides[i], alone[0], many[i], walked[i])
			}
		}
		for from := 0; from+fewRides <= len(rides); from += fewRides {
			few := make([]float32, fewRides)
			if err := m.PredictRides(rides[from:from+fewRides], few); err != nil {
				t.Fatal(err)
			}
			for i := range few {
				if few[i] != many[from+i] {
					t.Errorf("%s: %+v is predicted %v among few, %v among many", m, rides[from+i], few[i], many[from+i])
				}
			}
		}
	}
}

// The first rides may come all at once: they compile the trees, make pieces and
// look up zones in one another's way.
func TestFirstRidesAllAtOnce(t *testing.T) {
	rides := manyRides()
	for _, m := range everyModel(t) {
		want := make([]float32, len(rides))
		once, err := checked(&Model{Kind: m.Kind, Encoding: m.Encoding, Vectorizer: m.Vectorizer, Linear: m.Linear, Trees: m.Trees})
		if err != nil {
			t.Fatal(err)
		}
		if err := once.PredictRides(rides, want); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() {
				got := make([]float32, 1)
				for i := range rides {
					at := (i + worker*len(rides)/8) % len(rides)
					if err := m.PredictRides(rides[at:at+1], got); err != nil || got[0] != want[at] {
						t.Errorf("%s: %+v takes %v minutes among others, want %v, %v", m, rides[at], got[0], want[at], err)
						return
					}
				}
			})
		}
		wait.Wait()
	}
}

func TestRideAllocatesNothing(t *testing.T) {
	rides, out := []features.Ride{{PULocationID: 14, DOLocationID: 1, TripDistance: 2.5}}, make([]float32, 1)
	for _, m := range everyModel(t) {
		if n := testing.AllocsPerRun(100, func() { m.PredictRides(rides, out) }); n != 0 {
			t.Errorf("%s: %v allocations a ride", m, n)
		}
	}
}

func BenchmarkRide(b *testing.B) {
	rides, out := []features.Ride{{PULocationID: 14, DOLocationID: 1, TripDistance: 2.5}}, make([]float32, 1)
	for _, m := range append(fitted(b, features.Pair), fitted(b, features.Zones)...) {
		b.Run(m.Kind+"/"+string(m.Encoding), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.PredictRides(rides, out)
			}
		})
	}
}
