//go:build bench

package models

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// TestWork does one piece of work and prints how long it took, for
// scripts/bench/models.py, which has XGBoost and scikit-learn do the same in
// turn. BENCH_WORK names the work; BENCH_TRAIN and BENCH_VALID are month files.
func TestWork(t *testing.T) {
	train, valid := rides(t, "BENCH_TRAIN"), rides(t, "BENCH_VALID")
	encoding := features.Pair
	if os.Getenv("BENCH_FEATURES") != "" {
		encoding = features.Encoding(os.Getenv("BENCH_FEATURES"))
	}
	v, err := features.Fit(encoding, train)
	if err != nil {
		t.Fatal(err)
	}
	x, y := encode(t, v, encoding, train)
	xv, yv := encode(t, v, encoding, valid)
	var begun time.Time
	var took time.Duration
	result := map[string]any{}
	switch work := os.Getenv("BENCH_WORK"); work {
	case "vectorizer":
		cols := features.FromTrips(encoding, train)
		begun = time.Now()
		fitted, err := matrix.Fit(cols)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fitted.Transform(cols); err != nil {
			t.Fatal(err)
		}
		took = time.Since(begun)
	case "trees", "predict":
		p := course
		if os.Getenv("BENCH_ROUNDS") != "" {
			if _, err := fmt.Sscan(os.Getenv("BENCH_ROUNDS"), &p.Rounds); err != nil {
				t.Fatal(err)
			}
		}
		begun = time.Now()
		trees, err := gbt.Fit(context.Background(), gbt.Set{X: x, Y: y}, []gbt.Set{{X: xv, Y: yv}}, p, nil)
		took = time.Since(begun)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewGBT(encoding, v, trees)
		if err != nil {
			t.Fatal(err)
		}
		result["rmse"] = trees.BestScore
		if work == "predict" {
			out := make([]float32, xv.Rows)
			m.Predict(xv, out) // compiles
			begun = time.Now()
			m.Predict(xv, out)
			took = time.Since(begun)
		}
	default:
		begun = time.Now()
		m, err := linear.Fit(context.Background(), x, y, linear.Params{Solver: linear.Solver(work), Alpha: alphas[work]})
		took = time.Since(begun)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, xv.Rows)
		m.Predict(xv, out)
		var sum float64
		for i, p := range out {
			sum += (float64(p) - yv[i]) * (float64(p) - yv[i])
		}
		result["mse"] = sum / float64(len(out))
	}
	result["seconds"] = took.Seconds()
	line, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(line))
}

var alphas = map[string]float64{"ridge": 1, "lasso": 0.01}

func rides(t *testing.T, name string) *data.Trips {
	t.Helper()
	f, err := data.OpenFile(filepath.Clean(os.Getenv(name)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := data.ReadTrips(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := all.Kept()
	return kept
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

var course = gbt.Params{
	LearningRate: 0.09585355369315604, MaxDepth: 30, MinChildWeight: 1.060597050922164,
	RegAlpha: 0.018060244040060163, RegLambda: 0.011658731377413597, BaseScore: 0.5,
	Objective: gbt.SquaredError, Seed: 42, Rounds: 100, EarlyStopping: 20,
}
