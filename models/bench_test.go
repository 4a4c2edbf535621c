//go:build bench

package models

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// TestWork does one piece of work and prints how long it took and how much
// memory, for scripts/bench/models.py, which has XGBoost and scikit-learn do the
// same in turn. BENCH_WORK names the work, BENCH_TRAIN and BENCH_VALID are month
// files. BENCH_ROWS, if set, is how many rides to make of those of the former.
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
	if rows := number(t, "BENCH_ROWS"); rows > 0 {
		x, y = drawn(x, y, rows)
	}
	var begun time.Time
	var took time.Duration
	result := map[string]any{"rows": x.Rows}
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
		train, valid = nil, nil
		debug.FreeOSMemory()
		before, used := resetPeak(t), processorTime(t)
		begun = time.Now()
		trees, err := gbt.Fit(context.Background(), gbt.Set{X: x, Y: y}, []gbt.Set{{X: xv, Y: yv}}, course, nil)
		took = time.Since(begun)
		if err != nil {
			t.Fatal(err)
		}
		peak := statusMB(t, "VmHWM")
		result["fit_mb"], result["process_mb"] = peak-before, peak
		result["processor_seconds"] = (processorTime(t) - used).Seconds()
		m, err := NewGBT(encoding, v, trees)
		if err != nil {
			t.Fatal(err)
		}
		result["rmse"], result["rounds"] = trees.BestScore, len(trees.Trees)
		if work == "predict" {
			out := make([]float32, xv.Rows)
			begun = time.Now()
			m.Predict(xv, out) // compiles
			result["first_seconds"] = time.Since(begun).Seconds()
			begun = time.Now()
			m.Predict(xv, out)
			took = time.Since(begun)
		}
	default:
		var l *linear.Model
		for range 2 { // scikit-learn's fits are not the first of their process either
			begun = time.Now()
			if l, err = linear.Fit(context.Background(), x, y, linear.Params{Solver: linear.Solver(work), Alpha: alphas[work]}); err != nil {
				t.Fatal(err)
			}
			took = time.Since(begun)
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

// number is that of an environment variable, 0 if it is not set.
func number(t *testing.T, name string) int {
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// drawn makes rows of real ones drawn with replacement, numbers jittered by a
// tenth, as enlarge in models.py.
func drawn(x *matrix.Matrix, y []float64, rows int) (*matrix.Matrix, []float64) {
	r := rand.New(rand.NewPCG(1, 1))
	made, labels := &matrix.Matrix{Rows: rows, Width: x.Width}, make([]float64, rows)
	for _, b := range x.Blocks {
		b.Codes = make([]int32, rows)
		made.Blocks = append(made.Blocks, b)
	}
	for _, n := range x.Numbers {
		n.Values = make([]float64, rows)
		made.Numbers = append(made.Numbers, n)
	}
	for row := range rows {
		from := r.IntN(x.Rows)
		labels[row] = y[from]
		for i, b := range x.Blocks {
			made.Blocks[i].Codes[row] = b.Codes[from]
		}
		for i, n := range x.Numbers {
			made.Numbers[i].Values[row] = math.Round(100*n.Values[from]*(0.9+0.2*r.Float64())) / 100
		}
	}
	return made, labels
}

// processorTime is what the process has had, which other processes change little.
func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak forgets the process's peak of memory and returns what it has now, in MB.
func resetPeak(t *testing.T) float64 {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return statusMB(t, "VmRSS")
}

// statusMB is a line of the process's status; VmHWM is the peak of VmRSS.
func statusMB(t *testing.T, name string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), name+":")
	var kB float64
	if _, err := fmt.Sscan(rest, &kB); err != nil || !found {
		t.Fatalf("no %s in /proc/self/status: %v", name, err)
	}
	return kB * 1024 / 1e6
}
