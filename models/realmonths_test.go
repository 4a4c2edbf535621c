//go:build parity || bench

package models

import (
	"context"
	"math"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
)

// readKept returns the rides of a month that are kept, and how many there were.
func readKept(t *testing.T, path string) (kept *data.Trips, rows int) {
	t.Helper()
	f, err := data.OpenFile(path)
	if err != nil {
		t.Fatalf("this needs the real months: %v", err)
	}
	all, err := data.ReadTrips(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	kept, _ = all.Kept()
	return kept, all.Len()
}

func encode(t *testing.T, v *matrix.Vectorizer, e features.Encoding, trips *data.Trips) (*matrix.Matrix, []float64) {
	t.Helper()
	x, err := v.Transform(features.FromTrips(e, trips))
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float64, trips.Len())
	for i := range y {
		y[i] = trips.Minutes(i)
	}
	return x, y
}

func rmse(m *Model, x *matrix.Matrix, y []float64) float64 {
	out := make([]float32, x.Rows)
	m.Predict(x, out)
	var sum float64
	for i, p := range out {
		e := float64(p) - y[i]
		sum += e * e
	}
	return math.Sqrt(sum / float64(len(y)))
}

var course = gbt.Params{
	LearningRate: 0.09585355369315604, MaxDepth: 30, MinChildWeight: 1.060597050922164,
	RegAlpha: 0.018060244040060163, RegLambda: 0.011658731377413597, BaseScore: 0.5,
	Objective: gbt.SquaredError, Seed: 42, Rounds: 100, EarlyStopping: 20,
}
