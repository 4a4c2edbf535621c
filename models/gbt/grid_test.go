package gbt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// general is engineFor for matrices of whatever shape.
func general(rows joined, r rule, base float32) engine { return newGrower(rows, r, base) }

// randomProblem is a problem of the grid's shape, with labels in sixteenths, so
// that no sum is rounded.
func randomProblem(r *rand.Rand) (train Set, evals []Set, p Params) {
	pick := func(of ...float64) float64 { return of[r.IntN(len(of))] }
	levels := 1 + r.IntN(40)
	first := r.IntN(2) // the number may stand before the block
	missing, none, weighted := pick(0, 0, 0.2), pick(0, 0.1), r.IntN(3) == 0
	distinct := 1 + r.IntN(200)
	draw := func(rows int) Set {
		s := Set{X: &matrix.Matrix{Rows: rows, Width: levels + 1}}
		b := matrix.Block{Levels: make([]string, levels)}
		for i := range levels {
			b.Columns = append(b.Columns, int32(i+first))
		}
		n := matrix.Number{Column: int32(levels * (1 - first))}
		for range rows {
			code, value := int32(float64(levels)*math.Pow(r.Float64(), 3)), float64(r.IntN(distinct))/8-3
			y := math.Round(16*(3+2*math.Abs(value)+float64(code%7)+r.NormFloat64())) / 16
			if r.Float64() < none {
				code = -1
			}
			if r.Float64() < missing {
				value = math.NaN()
			}
			b.Codes, n.Values, s.Y = append(b.Codes, code), append(n.Values, value), append(s.Y, y)
			if weighted {
				s.Weights = append(s.Weights, pick(0.25, 0.5, 1, 2))
			}
		}
		s.X.Blocks, s.X.Numbers = []matrix.Block{b}, []matrix.Number{n}
		return s
	}
	train = draw(1 + r.IntN(1500))
	return train, []Set{train, draw(r.IntN(300)), draw(1)}, Params{
		LearningRate: pick(0.1, 0.5, 1), MaxDepth: int(pick(0, 1, 3, 6, 30)), MinChildWeight: pick(0, 0.5, 1, 1.06, 5),
		Gamma: pick(0, 0, 3), RegAlpha: pick(0, 0.018, 2), RegLambda: pick(0, 0.0117, 1), BaseScore: 0.5, Rounds: 6,
	}
}

func TestGridGrowsTheSameTrees(t *testing.T) {
	for seed := range uint64(400) {
		train, evals, p := randomProblem(rand.New(rand.NewPCG(seed, 4)))
		var log [2][][]float64
		fits := func(i int, choose func(joined, rule, float32) engine) *Ensemble {
			e, err := fitBy(t.Context(), train, evals, p, func(r Round) error {
				log[i] = append(log[i], r.Metrics)
				return nil
			}, choose)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		want, got := fits(0, general), fits(1, newGrid)
		for i := range want.Trees {
			if !slices.Equal(got.Trees[i].Nodes, want.Trees[i].Nodes) {
				t.Errorf("seed %d, %d rows, %+v: tree %d differs", seed, train.X.Rows, p, i)
				break
			}
			if !slices.Equal(log[1][i], log[0][i]) {
				t.Errorf("seed %d: round %d: rmse %v, want %v", seed, i, log[1][i], log[0][i])
			}
		}
	}
}

// TestEqualsXGBoost fits by the engine that is chosen; this by the other one.
func TestGeneralEngineEqualsXGBoost(t *testing.T) {
	fitted := 0
	for _, p := range problems(t) {
		if x := p.set(0).X; len(x.Blocks) != 1 || len(x.Numbers) != 1 {
			continue
		}
		fitted++
		sum := sha256.Sum256(written(t, p.fitBy(t, new([2][]float64), general)))
		if got := hex.EncodeToString(sum[:]); got != p.SHA256 {
			t.Errorf("%s: model file has sha256 %s, want %s", p.Name, got, p.SHA256)
		}
	}
	if fitted == 0 {
		t.Error("no problem has the grid's shape")
	}
}

// A month is large enough that several goroutines share the work.
func TestGridGrowsTheSameMonth(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	train, valid := month(1, 40_000), month(2, 5_000)
	p := course
	p.Rounds = 4
	var want []byte
	for _, c := range []struct {
		name   string
		procs  int
		choose func(joined, rule, float32) engine
	}{
		{"general", 1, general}, {"general", 2, general}, {"general", 7, general},
		{"grid", 1, newGrid}, {"grid", 2, newGrid}, {"grid", 4, newGrid}, {"grid", 7, newGrid},
	} {
		runtime.GOMAXPROCS(c.procs)
		e, err := fitBy(context.Background(), train, []Set{valid}, p, nil, c.choose)
		if err != nil {
			t.Fatal(err)
		}
		if got := written(t, e); want == nil {
			want = got
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s engine on %d processors: model differs", c.name, c.procs)
		}
	}
}

func TestGridIsForItsShape(t *testing.T) {
	engineOf := func(train Set) engine {
		rows, err := joinRows(train, nil)
		if err != nil {
			t.Fatal(err)
		}
		return engineFor(rows, newRule(plain), 0.5)
	}
	isGrid := func(e engine) bool { _, ok := e.(*grid); return ok }
	common := month(1, 100)
	if !isGrid(engineOf(common)) {
		t.Error("one block and one number are not fitted on a grid")
	}
	common.Weights = make([]float64, 100)
	if isGrid(engineOf(common)) {
		t.Error("rows of no weight are fitted on a grid")
	}
	if isGrid(engineOf(Set{X: oneNumber(1, 2), Y: []float64{1, 2}})) {
		t.Error("one number is fitted on a grid")
	}
}
