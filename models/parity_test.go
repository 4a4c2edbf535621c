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
			start := time.Now()
			trees, err := gbt.Fit(context.Background(), gbt.Set{Name: "train", X: p.x, Y: p.y},
				[]gbt.Set{{Name: "valid", X: p.xValid, Y: p.yValid}}, course, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("course parameters: fitted in %v", time.Since(start))
			m, err := NewGBT(features.Pair, p.vectorizer, trees)
			if err != nil {
				t.Fatal(err)
			}
			near("course parameters", m, c.course, 0.01)
			checkAgainstXGBoost(t, m, c.train, c.valid)
			for _, m := range append(made, m) {
				checkInMLflow(t, m, p.valid)
			}
		})
	}
}

// checkAgainstXGBoost has the real XGBoost fit the same trees and compares the
// files, byte for byte: every array of every tree, and the best iteration.
func checkAgainstXGBoost(t *testing.T, m *Model, train, valid string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "xgboost.json")
	cmd := exec.Command(python(t), filepath.Join("testdata", "fit_xgboost.py"), monthFile(train), monthFile(valid), file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := m.Trees.WriteJSON(&got, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("our %d bytes differ from XGBoost's %d", got.Len(), len(want))
		return
	}
	t.Logf("%s: the same %d bytes as XGBoost's own file", m, len(want))
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
		rides = append(rides, features.Ride{PULocationID: trips.PickupZone[i], DOLocationID: trips.DropoffZone[i], TripDistance: trips.Miles[i]})
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
