//go:build parity

package models

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// Run by "make parity":
//
//	TAXIMETER_MONTHS  folder of TLC's months, default ../../shared/data
//	TAXIMETER_PYTHON  interpreter with the packages of testdata/check_model_dir.py
//	TAXIMETER_PYTHON_XGBOOST3  interpreter with xgboost 3.2.0

// pair is two months, encoded.
type pair struct {
	train, valid   *data.Trips
	vectorizer     *matrix.Vectorizer
	x, xValid      *matrix.Matrix
	y, yValid      []float64
	rowsRead, kept [2]int
}

func readPair(t *testing.T, train, valid string) *pair {
	t.Helper()
	p := &pair{}
	p.train, p.rowsRead[0] = readKept(t, monthFile(train))
	p.valid, p.rowsRead[1] = readKept(t, monthFile(valid))
	p.kept = [2]int{p.train.Len(), p.valid.Len()}
	var err error
	if p.vectorizer, err = features.Fit(features.Pair, p.train); err != nil {
		t.Fatal(err)
	}
	p.x, p.y = encode(t, p.vectorizer, features.Pair, p.train)
	p.xValid, p.yValid = encode(t, p.vectorizer, features.Pair, p.valid)
	return p
}

func TestRealMonths(t *testing.T) {
	for _, c := range []struct {
		train, valid        string
		read, kept          [2]int
		columns             int
		exact, lsqr, course float64
		lsqrTolerance       float64
	}{
		{"2021-01", "2021-02", [2]int{76518, 64572}, [2]int{73908, 61921}, 13221, 7.480827, 7.758715, 6.459853, 1e-6},
		{"2023-01", "2023-02", [2]int{68211, 64809}, [2]int{65946, 62574}, 5702, 6.033847, 6.036942, 5.199312, 1e-5},
	} {
		t.Run(c.train, func(t *testing.T) {
			one, three := fitXGBoost(t, python(t), c.train, c.valid), fitXGBoost(t, pythonXGBoost3(t), c.train, c.valid)
			p := readPair(t, c.train, c.valid)
			if p.rowsRead != c.read || p.kept != c.kept {
				t.Errorf("read %v rows, kept %v, want %v and %v", p.rowsRead, p.kept, c.read, c.kept)
			}
			if got := p.vectorizer.Width(); got != c.columns {
				t.Errorf("%d columns, want %d", got, c.columns)
			}
			near := func(what string, m *Model, want, tolerance float64) {
				t.Helper()
				got := rmse(m, p.xValid, p.yValid)
				t.Logf("%s: rmse_valid %.9f (%s)", what, got, m)
				if !(math.Abs(got-want) <= tolerance) {
					t.Errorf("%s: rmse_valid %.9f, want %f ± %g", what, got, want, tolerance)
				}
			}
			var made []*Model
			for _, want := range []struct {
				solver          linear.Solver
				rmse, tolerance float64
			}{
				{linear.Exact, c.exact, 1e-6},
				{linear.LSQR, c.lsqr, c.lsqrTolerance},
			} {
				l, err := linear.Fit(context.Background(), p.x, p.y, linear.Params{Solver: want.solver})
				if err != nil {
					t.Fatal(err)
				}
				m, err := NewLinear(features.Pair, p.vectorizer, l)
				if err != nil {
					t.Fatal(err)
				}
				near(string(want.solver), m, want.rmse, want.tolerance)
				made = append(made, m)
			}
			var rounds []float64
			trees, err := gbt.Fit(context.Background(), gbt.Set{Name: "train", X: p.x, Y: p.y},
				[]gbt.Set{{Name: "valid", X: p.xValid, Y: p.yValid}}, course, func(r gbt.Round) error {
					rounds = append(rounds, r.Metrics[0])
					return nil
				})
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewGBT(features.Pair, p.vectorizer, trees)
			if err != nil {
				t.Fatal(err)
			}
			near("course parameters", m, c.course, 1e-6)
			checkAgainstXGBoost(t, trees, rounds, one())
			checkAgainstXGBoost(t, trees, rounds, three())
			for _, m := range append(made, m) {
				checkInMLflow(t, m, p.valid)
			}
		})
	}
}

// theirTrees is what an XGBoost made of two months.
type theirTrees struct {
	file    []byte
	RMSE    []float64
	Version string
}

// fitXGBoost has the real XGBoost fit the course's trees, and returns what waits
// for them.
func fitXGBoost(t *testing.T, python, train, valid string) (wait func() theirTrees) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "xgboost.json")
	cmd := exec.Command(python, filepath.Join("testdata", "fit_xgboost.py"), monthFile(train), monthFile(valid), file)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	return func() (theirs theirTrees) {
		t.Helper()
		if err := <-done; err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
		}
		if err := json.Unmarshal(stdout.Bytes(), &theirs); err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		var err error
		if theirs.file, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		return theirs
	}
}

// checkAgainstXGBoost compares trees with XGBoost's, array by array, and then
// the files byte by byte; and the errors of all rounds.
func checkAgainstXGBoost(t *testing.T, trees *gbt.Ensemble, rounds []float64, theirs theirTrees) {
	t.Helper()
	e, err := gbt.Read(bytes.NewReader(theirs.file))
	if err != nil {
		t.Fatal(err)
	}
	if len(trees.Trees) != 100 || len(e.Trees) != 100 || len(theirs.RMSE) != 100 || len(rounds) != 100 {
		t.Fatalf("XGBoost %s: %d trees and %d errors, want %d and %d", theirs.Version, len(trees.Trees), len(rounds), len(e.Trees), len(theirs.RMSE))
	}
	equal, furthest := 0, 0.0
	for i := range e.Trees {
		got, want := treeDigests(&trees.Trees[i]), treeDigests(&e.Trees[i])
		for a, array := range []string{"children", "features", "thresholds", "defaults", "leaves", "weights", "gains", "hessians"} {
			if got[a] != want[a] {
				t.Errorf("XGBoost %s: tree %d has other %s", theirs.Version, i, array)
			}
		}
		if slices.Equal(got, want) {
			equal++
		}
		furthest = max(furthest, math.Abs(rounds[i]-theirs.RMSE[i]))
	}
	if !(furthest <= 1e-12) {
		t.Errorf("XGBoost %s: the error of a round differs by %g", theirs.Version, furthest)
	}
	if trees.BestIteration != e.BestIteration || !(math.Abs(trees.BestScore-e.BestScore) <= 1e-12) {
		t.Errorf("XGBoost %s: best iteration %d with %v, want %d with %v", theirs.Version, trees.BestIteration, trees.BestScore, e.BestIteration, e.BestScore)
	}
	same := *trees
	same.BestScore = e.BestScore // 3.x adds up errors in another order than 1.x and we
	var file bytes.Buffer
	if err := same.Write(&file, gbt.Format{XGBoost3: strings.HasPrefix(theirs.Version, "3.")}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), theirs.file) {
		t.Errorf("our %d bytes differ from the %d of XGBoost %s", file.Len(), len(theirs.file), theirs.Version)
	}
	t.Logf("XGBoost %s: %d of %d trees equal, errors of all rounds within %.1g, the same file of %d bytes",
		theirs.Version, equal, len(e.Trees), furthest, file.Len())
}

func python(t *testing.T) string         { return interpreter(t, "TAXIMETER_PYTHON") }
func pythonXGBoost3(t *testing.T) string { return interpreter(t, "TAXIMETER_PYTHON_XGBOOST3") }

func interpreter(t *testing.T, name string) string {
	t.Helper()
	path := os.Getenv(name)
	if path == "" {
		t.Fatalf("%s is not set; run make parity", name)
	}
	return path
}

func monthFile(month string) string {
	dir := os.Getenv("TAXIMETER_MONTHS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	return filepath.Join(dir, "green_tripdata_"+month+".parquet")
}

// checkInMLflow compares m with what mlflow and xgboost make of its directory.
func checkInMLflow(t *testing.T, m *Model, trips *data.Trips) {
	t.Helper()
	const runID = "0123456789abcdef0123456789abcdef"
	dir := t.TempDir()
	writeDirectory(t, dir, m, Card{RunID: runID, CreatedAt: time.Date(2026, 3, 5, 7, 8, 9, 0, time.UTC)})
	rides := []features.Ride{{PULocationID: 43, DOLocationID: 151, TripDistance: 1.01}, {PULocationID: 43, DOLocationID: 151, TripDistance: math.NaN()}}
	for i := 0; i < trips.Len(); i += 7 {
		rides = append(rides, features.Ride{PULocationID: trips.PickupZone.At(i), DOLocationID: trips.DropoffZone.At(i), TripDistance: trips.Miles.At(i)})
	}
	got := make([]float32, len(rides))
	if err := m.PredictRides(rides, got); err != nil {
		t.Fatal(err)
	}
	dicts := make([]map[string]any, len(rides))
	for i, r := range rides {
		dicts[i] = map[string]any{"PULocationID": r.PULocationID, "DOLocationID": r.DOLocationID}
		if !math.IsNaN(r.TripDistance) {
			dicts[i]["trip_distance"] = r.TripDistance
		}
	}
	text, err := json.Marshal(dicts)
	if err != nil {
		t.Fatal(err)
	}
	ridesFile := filepath.Join(t.TempDir(), "rides.json")
	if err := os.WriteFile(ridesFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python(t), filepath.Join("testdata", "check_model_dir.py"), dir, ridesFile)
	cmd.Env = append(os.Environ(), "MLFLOW_DISABLE_TELEMETRY=true", "DO_NOT_TRACK=1", "GIT_PYTHON_REFRESH=quiet",
		"MLFLOW_TRACKING_URI=file:"+filepath.Join(t.TempDir(), "mlruns"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	var theirs struct {
		Predictions, Example []float32
		RunID                string `json:"run_id"`
		Versions             map[string]string
	}
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(theirs.Predictions) != len(got) {
		t.Fatalf("%d predictions, want %d", len(theirs.Predictions), len(got))
	}
	differ := 0
	for i, p := range theirs.Predictions {
		if p != got[i] {
			if differ++; differ < 5 {
				t.Errorf("%s: %v predicted as %v, by mlflow %v", m, rides[i], got[i], p)
			}
		}
	}
	if len(theirs.Example) != 1 || theirs.Example[0] != got[0] {
		t.Errorf("%s: the input example is predicted as %v, want %v", m, theirs.Example, got[0])
	}
	if theirs.RunID != runID {
		t.Errorf("run id %q, want %q", theirs.RunID, runID)
	}
	t.Logf("%s: %d of %d predictions are the same bits in %v", m, len(got)-differ, len(got), theirs.Versions)
}
