package gbt

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// problem is one of testdata/reference.json.gz, see make_reference.py.
type problem struct {
	Name   string
	Levels []int32
	Params struct {
		LearningRate   float64 `json:"learning_rate"`
		MaxDepth       int     `json:"max_depth"`
		MinChildWeight float64 `json:"min_child_weight"`
		Gamma          float64
		RegAlpha       float64 `json:"reg_alpha"`
		RegLambda      float64 `json:"reg_lambda"`
		BaseScore      float64 `json:"base_score"`
		Rounds         int
		EarlyStopping  int `json:"early_stopping"`
	}
	Sets []struct {
		Codes   [][]int32
		Numbers [][]*float64
		Y       []float64
		Weights []float64
	}
	SHA256      string
	Trees       int
	RMSE        [2][]float64
	Predictions []uint32
}

func problems(t testing.TB) []problem {
	f, err := os.Open("testdata/reference.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []problem
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no problems")
	}
	return all
}

func (p *problem) set(i int) Set {
	s := p.Sets[i]
	x := &matrix.Matrix{Rows: len(s.Y)}
	for b, codes := range s.Codes {
		block := matrix.Block{Codes: codes, Levels: make([]string, p.Levels[b])}
		for range p.Levels[b] {
			block.Columns = append(block.Columns, int32(x.Width))
			x.Width++
		}
		x.Blocks = append(x.Blocks, block)
	}
	for _, numbers := range s.Numbers {
		n := matrix.Number{Column: int32(x.Width)}
		for _, v := range numbers {
			if v == nil {
				n.Values = append(n.Values, math.NaN())
			} else {
				n.Values = append(n.Values, *v)
			}
		}
		x.Numbers = append(x.Numbers, n)
		x.Width++
	}
	return Set{X: x, Y: s.Y, Weights: s.Weights}
}

func (p *problem) fit(t testing.TB, log *[2][]float64) *Ensemble { return p.fitBy(t, log, engineFor) }

func (p *problem) fitBy(t testing.TB, log *[2][]float64, choose func(joined, rule, float32) engine) *Ensemble {
	q := p.Params
	train := p.set(0)
	e, err := fitBy(context.Background(), train, []Set{train, p.set(1)}, Params{
		LearningRate: q.LearningRate, MaxDepth: q.MaxDepth, MinChildWeight: q.MinChildWeight, Gamma: q.Gamma,
		RegAlpha: q.RegAlpha, RegLambda: q.RegLambda, BaseScore: q.BaseScore, Rounds: q.Rounds, EarlyStopping: q.EarlyStopping,
	}, func(r Round) error {
		for i, v := range r.Metrics {
			log[i] = append(log[i], v)
		}
		return nil
	}, choose)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func written(t testing.TB, e *Ensemble) []byte {
	var b bytes.Buffer
	if err := e.WriteJSON(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The model files are XGBoost's own, byte for byte; so every tree, and the best
// iteration and score, are equal.
func TestEqualsXGBoost(t *testing.T) {
	for _, p := range problems(t) {
		t.Run(p.Name, func(t *testing.T) {
			var log [2][]float64
			e := p.fit(t, &log)
			if got := len(e.Trees); got != p.Trees {
				t.Fatalf("%d trees, want %d", got, p.Trees)
			}
			for i := range log {
				for round, got := range log[i] {
					if want := p.RMSE[i][round]; math.Abs(got-want) > 1e-12*want {
						t.Errorf("set %d round %d: rmse %v, want %v", i, round, got, want)
					}
				}
			}
			sum := sha256.Sum256(written(t, e))
			if got := hex.EncodeToString(sum[:]); got != p.SHA256 {
				t.Errorf("model file has sha256 %s, want %s", got, p.SHA256)
			}
			x := p.set(1).X
			got := make([]float32, x.Rows)
			e.Predict(x, got)
			for i, want := range p.Predictions {
				if math.Float32bits(got[i]) != want {
					t.Fatalf("row %d: predicted %v, want %v", i, got[i], math.Float32frombits(want))
				}
			}
		})
	}
}

func TestSameBytesForAnyGOMAXPROCS(t *testing.T) {
	all := problems(t)
	fits := func(procs int) (models [][]byte) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for i := range all[:24] {
			models = append(models, written(t, all[i].fit(t, new([2][]float64))))
		}
		return models
	}
	one := fits(1)
	for _, procs := range []int{2, 4, 7} {
		for i, model := range fits(procs) {
			if !bytes.Equal(model, one[i]) {
				t.Errorf("%s: on %d processors the model differs", all[i].Name, procs)
			}
		}
	}
}
