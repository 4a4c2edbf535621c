package gbt

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// oneBlock is a matrix of one block of levels; code -1 is no level.
func oneBlock(levels int, codes ...int32) *matrix.Matrix {
	b := matrix.Block{Name: "b", Levels: make([]string, levels), Codes: codes}
	for i := range levels {
		b.Columns = append(b.Columns, int32(i))
	}
	return &matrix.Matrix{Rows: len(codes), Width: levels, Blocks: []matrix.Block{b}}
}

// oneNumber is a matrix of one number.
func oneNumber(values ...float64) *matrix.Matrix {
	return &matrix.Matrix{Rows: len(values), Width: 1, Numbers: []matrix.Number{{Name: "n", Values: values}}}
}

func fit(t *testing.T, train Set, p Params) *Ensemble {
	t.Helper()
	e, err := Fit(t.Context(), train, nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// One tree that answers in full and is not regularised says the mean of the
// labels in each leaf.
var plain = Params{LearningRate: 1, Rounds: 1}

func TestBlockSplit(t *testing.T) {
	e := fit(t, Set{X: oneBlock(3, 0, 0, 1, 2, -1), Y: []float64{1, 3, 8, 2, 2}}, plain)
	root := e.Trees[0].Nodes[0]
	if root.Feature != 1 || root.Value != -9.536743e-07 || !root.DefaultLeft {
		t.Errorf("root splits on column %d at %v, default left %v; want level 1 against the rest", root.Feature, root.Value, root.DefaultLeft)
	}
	// Gains: the rows' sum of squares about the mean is 30.8, about the means of 1, 2, 3, 2 and of 8 it is 2.
	if got, want := root.LossChange, float32(28.8); math.Abs(float64(got-want)) > 1e-5 {
		t.Errorf("root gains %v, want %v", got, want)
	}
	if got := e.Trees[0].Nodes[root.Right].Value; got != 8 {
		t.Errorf("level 1 is answered %v, want 8", got)
	}
	if got := e.PredictRow([]Entry{{1, 1}}); got != 8 {
		t.Errorf("level 1 is predicted %v, want 8", got)
	}
	if got := e.PredictRow(nil); got != 2 {
		t.Errorf("no level is predicted %v, want 2", got)
	}
}

func TestNumberSplit(t *testing.T) {
	missing := math.NaN()
	e := fit(t, Set{X: oneNumber(1, 2, 4, 5, missing, missing), Y: []float64{1, 1, 7, 7, 7, 7}}, plain)
	root := e.Trees[0].Nodes[0]
	if len(e.Trees[0].Nodes) != 3 || root.Value != 3 || root.DefaultLeft {
		t.Fatalf("tree is %+v; want one split at 3, missing right", e.Trees[0].Nodes)
	}
	for x, want := range map[float64]float32{-9: 1, 2.9: 1, 3: 7, 99: 7} {
		if got := e.PredictRow([]Entry{{0, float32(x)}}); got != want {
			t.Errorf("%v is predicted %v, want %v", x, got, want)
		}
	}
	if got := e.PredictRow([]Entry{{0, float32(missing)}}); got != 7 {
		t.Errorf("missing is predicted %v, want 7", got)
	}
}

func TestParametersRestrainTrees(t *testing.T) {
	train := Set{X: oneNumber(1, 2, 3, 4, 5, 6, 7, 8), Y: []float64{0, 0, 1, 0, 5, 5, 9, 5}}
	nodes := func(change func(*Params)) int {
		p := plain
		change(&p)
		left := 0
		for _, n := range fit(t, train, p).Trees[0].Nodes {
			if !n.Deleted {
				left++
			}
		}
		return left
	}
	for _, c := range []struct {
		name   string
		change func(*Params)
		want   int
	}{
		{"no limit", func(p *Params) {}, 11}, // 1 and 9 are cut out by two splits each
		{"max_depth 1", func(p *Params) { p.MaxDepth = 1 }, 3},
		{"min_child_weight 4", func(p *Params) { p.MinChildWeight = 4 }, 3},
		{"min_child_weight 5", func(p *Params) { p.MinChildWeight = 5 }, 1},
		{"gamma 20", func(p *Params) { p.Gamma = 20 }, 3},
		{"gamma 1000", func(p *Params) { p.Gamma = 1000 }, 1},
		{"reg_alpha 1000", func(p *Params) { p.RegAlpha = 1000 }, 1},
	} {
		if got := nodes(c.change); got != c.want {
			t.Errorf("%s: %d nodes, want %d", c.name, got, c.want)
		}
	}
}

// A gamma that prunes a weak split must not prune the strong one below it.
func TestGammaPrunesFromBelow(t *testing.T) {
	x := oneBlock(2, 0, 0, 0, 0, 1, 1, 1, 1)
	x.Numbers = []matrix.Number{{Name: "n", Column: 2, Values: []float64{0, 0, 1, 1, 0, 0, 1, 1}}}
	x.Width = 3
	p := plain
	p.Gamma = 2
	e := fit(t, Set{X: x, Y: []float64{0, 0, 9, 9, 10, 10, 0, 0}}, p)
	if n := e.Trees[0].Nodes; len(n) != 7 || n[0].Leaf() || n[0].LossChange >= 2 {
		t.Errorf("tree is %+v; want a root that gains less than 2, kept for its children", n)
	}
}

func TestWeightsCountAsRows(t *testing.T) {
	p := Params{LearningRate: 0.3, Rounds: 3, RegLambda: 1, BaseScore: 0.5}
	twice := fit(t, Set{X: oneBlock(2, 0, 0, 1, 1, 1, 0), Y: []float64{1, 1, 4, 5, 5, 2}}, p)
	weighted := fit(t, Set{X: oneBlock(2, 0, 1, 1, 0, 1), Y: []float64{1, 4, 5, 2, 1000}, Weights: []float64{2, 1, 2, 1, 0}}, p)
	if a, b := written(t, twice), written(t, weighted); !bytes.Equal(a, b) {
		t.Errorf("rows given twice make\n%s\nand weights of two\n%s", a, b)
	}
}

func TestBaseScoreIsTheMeanIfNaN(t *testing.T) {
	p := plain
	p.BaseScore = math.NaN()
	for _, c := range []struct {
		y, weights []float64
		want       float32
	}{
		{[]float64{2, 5}, []float64{2, 1}, 3},
		{[]float64{26, 24.7, 9.8}, nil, 20.166666}, // by XGBoost 3.2.0; the nearest float32 to the mean is 20.166668
	} {
		x := oneNumber(make([]float64, len(c.y))...)
		if e := fit(t, Set{X: x, Y: c.y, Weights: c.weights}, p); e.BaseScore != c.want {
			t.Errorf("base score of %v is %v, want %v", c.y, e.BaseScore, c.want)
		}
	}
}

func TestEarlyStoppingKeepsEveryTree(t *testing.T) {
	train := Set{Name: "train", X: oneNumber(1, 2, 3, 4), Y: []float64{1, 2, 3, 4}}
	contrary := Set{Name: "valid", X: oneNumber(1, 4), Y: []float64{1.5, -4}}
	p := Params{LearningRate: 0.1, Rounds: 50, EarlyStopping: 4, BaseScore: 0}
	var scores []float64
	e, err := Fit(t.Context(), train, []Set{train, contrary}, p, func(r Round) error {
		if len(scores) != r.Index || len(r.Metrics) != 2 {
			t.Errorf("round is %+v after %d", r, len(scores))
		}
		scores = append(scores, r.Metrics[1])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for i, s := range scores {
		if s < scores[best] {
			best = i
		}
	}
	if e.BestIteration != best || e.BestScore != scores[best] || len(e.Trees) != best+1+p.EarlyStopping {
		t.Errorf("best is round %d with %v of %d; scores are %v", e.BestIteration, e.BestScore, len(e.Trees), scores)
	}
}

// TestGreatNumbers: the sum of two neighbours is beyond float32, so that a split
// between them parts nothing. With a limit of depth it is made, as XGBoost does;
// without, the tree must end all the same.
func TestGreatNumbers(t *testing.T) {
	x := oneNumber(2.5e38, 3e38, 1, 2)
	block := oneBlock(2, -1, -1, -1, -1)
	block.Blocks[0].Columns = []int32{1, 2}
	both := &matrix.Matrix{Rows: 4, Width: 3, Numbers: x.Numbers, Blocks: block.Blocks}
	for depth, want := range map[int][]float32{0: {5, 5, 5, 4}, 2: {4.75, 4.75, 4.75, 4.75}} {
		p := plain
		p.MaxDepth = depth
		for _, x := range []*matrix.Matrix{x, both} {
			e := fit(t, Set{X: x, Y: []float64{1, 9, 5, 4}}, p)
			out := make([]float32, 4)
			e.Predict(x, out)
			if !slices.Equal(out, want) {
				t.Errorf("depth %d: predictions are %v, want %v", depth, out, want)
			}
		}
	}
}

func TestFitStops(t *testing.T) {
	train := Set{X: oneNumber(1, 2), Y: []float64{1, 2}}
	p := Params{LearningRate: 0.1, Rounds: 1000}
	enough := errors.New("enough")
	rounds := 0
	e, err := Fit(t.Context(), train, nil, p, func(r Round) error {
		if rounds++; r.Index == 2 {
			return enough
		}
		return nil
	})
	if e != nil || !errors.Is(err, enough) || rounds != 3 {
		t.Errorf("a callback that errs: %v, %v after %d rounds", e, err, rounds)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	e, err = Fit(ctx, train, nil, p, func(r Round) error { cancel(enough); return nil })
	if e != nil || !errors.Is(err, enough) {
		t.Errorf("a context that ends: %v, %v", e, err)
	}
}

func TestFitRefuses(t *testing.T) {
	good := Set{Name: "a", X: oneBlock(2, 0, 1), Y: []float64{1, 2}}
	inf := math.Inf(1)
	with := func(change func(*Params)) Params {
		p := plain
		change(&p)
		return p
	}
	for _, c := range []struct {
		want  string
		train Set
		evals []Set
		p     Params
	}{
		{"learning_rate: 0 is out of range", good, nil, Params{}},
		{"reg_alpha: -1 is out of range", good, nil, with(func(p *Params) { p.RegAlpha = -1 })},
		{"gamma: NaN is out of range", good, nil, with(func(p *Params) { p.Gamma = math.NaN() })},
		{"base_score: +Inf", good, nil, with(func(p *Params) { p.BaseScore = inf })},
		{"subsample: 1.5 is out of range, want a share above 0, up to 1", good, nil, with(func(p *Params) { p.Subsample = 1.5 })},
		{"colsample_bytree: -0.5 is out of range", good, nil, with(func(p *Params) { p.ColSampleByTree = -0.5 })},
		{"colsample_bylevel: NaN is out of range", good, nil, with(func(p *Params) { p.ColSampleByLevel = math.NaN() })},
		{"colsample_bynode: +Inf is out of range", good, nil, with(func(p *Params) { p.ColSampleByNode = inf })},
		{"max_depth: -1 is out of range, want 0, for no limit, or more", good, nil, with(func(p *Params) { p.MaxDepth = -1 })},
		{"rounds: -1 is out of range", good, nil, with(func(p *Params) { p.Rounds = -1 })},
		{`"rank:pairwise" is not supported`, good, nil, with(func(p *Params) { p.Objective = "rank:pairwise" })},
		{"early_stopping: needs an evaluation set", good, nil, with(func(p *Params) { p.EarlyStopping = 5 })},
		{"set a: no matrix", Set{Name: "a"}, nil, plain},
		{"set a: no rows", Set{Name: "a", X: oneBlock(2)}, nil, plain},
		{"set a: 1 labels for 2 rows", Set{Name: "a", X: good.X, Y: []float64{1}}, nil, plain},
		{"set a: 1 weights for 2 rows", Set{Name: "a", X: good.X, Y: good.Y, Weights: []float64{1}}, nil, plain},
		{"label 1 is NaN", Set{X: good.X, Y: []float64{1, math.NaN()}}, nil, plain},
		{"weight 0 is -1", Set{X: good.X, Y: good.Y, Weights: []float64{-1, 1}}, nil, plain},
		{"code 2 of row 1 is out of range", Set{X: oneBlock(2, 0, 2), Y: good.Y}, nil, plain},
		{"value +Inf of row 0", Set{X: oneNumber(inf, 2), Y: good.Y}, nil, plain},
		{"set b: its columns are not those", good, []Set{{Name: "b", X: oneBlock(3, 0, 1), Y: good.Y}}, plain},
	} {
		if _, err := Fit(t.Context(), c.train, c.evals, c.p, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want one with %q", err, c.want)
		}
	}
}
