//go:build bench

package models

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// TestWork does one piece of work and prints how long it took, for
// scripts/bench/models.py, which has XGBoost and scikit-learn do the same in
// turn. BENCH_WORK names the work; BENCH_TRAIN and BENCH_VALID are month files.
func TestWork(t *testing.T) {
	train, _ := readKept(t, os.Getenv("BENCH_TRAIN"))
	valid, _ := readKept(t, os.Getenv("BENCH_VALID"))
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
		l, err := linear.Fit(context.Background(), x, y, linear.Params{Solver: linear.Solver(work), Alpha: alphas[work]})
		took = time.Since(begun)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewLinear(encoding, v, l)
		if err != nil {
			t.Fatal(err)
		}
		result["rmse"] = rmse(m, xv, yv)
	}
	result["seconds"] = took.Seconds()
	line, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(line))
}

var alphas = map[string]float64{"ridge": 1, "lasso": 0.01}
