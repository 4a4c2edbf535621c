//go:build parity

package gbt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestParityOfRandomProblems has both majors of XGBoost fit 400 small problems
// and compares what they made with ours, array by array.
func TestParityOfRandomProblems(t *testing.T) {
	problems := make([]small, 400)
	for seed := range problems {
		problems[seed] = draw(seed)
	}
	for version, python := range map[string]string{"1.7.6": "TAXIMETER_PYTHON", "3.2.0": "TAXIMETER_PYTHON_XGBOOST3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var all []any
			for i := range problems {
				all = append(all, problems[i].forXGBoost(version))
			}
			text, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "problems.json")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if os.Getenv(python) == "" {
				t.Fatalf("%s is not set; run make parity", python)
			}
			cmd := exec.Command(os.Getenv(python), "testdata/fit_problems.py", file, dir)
			cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1") // idle threads that spin take twelve times as long
			out, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != version {
				t.Fatalf("XGBoost %s: %v\n%s", version, err, out)
			}
			var logs []theirFit
			if text, err = os.ReadFile(filepath.Join(dir, "logs.json")); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &logs); err != nil {
				t.Fatal(err)
			}
			trees := 0
			for i := range problems {
				model, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i, ".json")))
				if err != nil {
					t.Fatal(err)
				}
				if logs[i].model, err = Read(bytes.NewReader(model)); err != nil {
					t.Errorf("%s: %v", problems[i].name, err)
					continue
				}
				problems[i].compare(t, version, engineFor, logs[i])
				if problems[i].bothEngines {
					problems[i].compare(t, version+", general engine", general, logs[i])
				}
				trees += len(logs[i].model.Trees)
			}
			t.Logf("XGBoost %s: %d problems, %d trees compared", version, len(problems), trees)
		})
	}
}

// theirFit is what XGBoost made of a problem.
type theirFit struct {
	RMSE        [2][]float64
	Predictions []uint32
	model       *Ensemble
}

func (p *small) compare(t *testing.T, version string, choose func(joined, rule, float32) engine, want theirFit) {
	t.Helper()
	var log [2][]float64
	got, err := fitBy(t.Context(), p.train, []Set{p.train, p.valid}, p.settings(version), func(r Round) error {
		for i, v := range r.Metrics {
			log[i] = append(log[i], v)
		}
		return nil
	}, choose)
	if err != nil {
		t.Errorf("%s: %s: %v", version, p.name, err)
		return
	}
	if err := sameTrees(got, want.model); err != nil {
		t.Errorf("%s: %s: %v", version, p.name, err)
		return
	}
	if got.BestIteration != want.model.BestIteration {
		t.Errorf("%s: %s: best iteration %d, want %d", version, p.name, got.BestIteration, want.model.BestIteration)
	}
	for set := range log {
		for round, v := range log[set] {
			if w := want.RMSE[set][round]; !(math.Abs(v-w) <= 1e-12*max(1, w)) {
				t.Errorf("%s: %s: set %d, round %d: rmse %.17g, want %.17g", version, p.name, set, round, v, w)
				return
			}
		}
	}
	out := make([]float32, p.valid.X.Rows)
	got.Compile(p.valid.X).Predict(p.valid.X, out)
	for i, v := range out {
		if math.Float32bits(v) != want.Predictions[i] {
			t.Errorf("%s: %s: row %d is predicted %v, want %v", version, p.name, i, v, math.Float32frombits(want.Predictions[i]))
			return
		}
	}
}

// sameTrees says where two ensembles differ first.
func sameTrees(got, want *Ensemble) error {
	if got.BaseScore != want.BaseScore || got.Features != want.Features || len(got.Trees) != len(want.Trees) {
		return fmt.Errorf("base score %v, %d features, %d trees; want %v, %d, %d",
			got.BaseScore, got.Features, len(got.Trees), want.BaseScore, want.Features, len(want.Trees))
	}
	for i := range got.Trees {
		a, b := got.Trees[i].Nodes, want.Trees[i].Nodes
		for id := range min(len(a), len(b)) {
			if a[id] != b[id] {
				return fmt.Errorf("tree %d, node %d: %+v, want %+v", i, id, a[id], b[id])
			}
		}
		if len(a) != len(b) {
			return fmt.Errorf("tree %d: %d nodes, want %d", i, len(a), len(b))
		}
	}
	return nil
}
