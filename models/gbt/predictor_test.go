package gbt

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

func bitsEqual(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// anyEnsemble is trees over the columns of anyMatrix whose numbers have
// thresholds that its values meet, miss and surround.
func anyEnsemble(r *rand.Rand, trees int) *Ensemble {
	e := &Ensemble{BaseScore: 0.5, Features: 15}
	for range trees {
		t := anyTree(r, e.Features, 1+r.IntN(9))
		for i := range t.Nodes {
			if n := &t.Nodes[i]; !n.Leaf() && r.IntN(2) == 0 {
				n.Feature = []int32{7, 11}[r.IntN(2)]
				n.Value = []float32{float32(r.NormFloat64()), float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN())}[min(r.IntN(12), 3)]
				if n.Value != n.Value && r.IntN(4) > 0 {
					n.Value = float32(r.IntN(9)) / 4
				}
			}
		}
		e.Trees = append(e.Trees, t)
	}
	return e
}

// checkPredictor compares p with walks down the trees of e.
func checkPredictor(t *testing.T, p *Predictor, e *Ensemble, x *matrix.Matrix) {
	t.Helper()
	got := make([]float32, x.Rows)
	p.Predict(x, got)
	var row []Entry
	codes, numbers := make([]int32, len(x.Blocks)), make([]float64, len(x.Numbers))
	for i := range got {
		row = appendRow(row[:0], x, i)
		want := e.PredictRow(row)
		if !bitsEqual(got[i], want) {
			t.Fatalf("row %d of %d %v is predicted %v, want %v", i, x.Rows, row, got[i], want)
		}
		for b := range codes {
			codes[b] = x.Blocks[b].Codes[i]
		}
		for n := range numbers {
			numbers[n] = x.Numbers[n].Values[i]
		}
		if got := p.PredictRow(codes, numbers); !bitsEqual(got, want) {
			t.Fatalf("row %d of %d %v alone is predicted %v, want %v", i, x.Rows, row, got, want)
		}
	}
}

func TestPredictorEqualsTrees(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for shape, keep := range map[string]func(*matrix.Matrix){
		"two blocks, two numbers": func(x *matrix.Matrix) {},
		"one block, one number":   func(x *matrix.Matrix) { x.Blocks, x.Numbers = x.Blocks[:1], x.Numbers[1:] },
		"two blocks":              func(x *matrix.Matrix) { x.Numbers = nil },
		"two numbers":             func(x *matrix.Matrix) { x.Blocks = nil },
		"nothing":                 func(x *matrix.Matrix) { x.Blocks, x.Numbers = nil, nil },
	} {
		t.Run(shape, func(t *testing.T) {
			for _, trees := range []int{0, 1, 40} {
				e := anyEnsemble(r, trees)
				layout := anyMatrix(r, 0)
				keep(layout)
				p := e.Compile(layout)
				if trees > 0 && p.roots == nil {
					t.Fatal("it was not compiled")
				}
				for _, rows := range []int{0, 1, chunk, 9*chunk + 5} {
					x := anyMatrix(r, rows)
					keep(x)
					checkPredictor(t, p, e, x)
				}
			}
		})
	}
}

// The files are XGBoost's, and so are the predictions.
func TestPredictorEqualsXGBoost(t *testing.T) {
	for _, p := range problems(t) {
		e := p.fit(t, new([2][]float64))
		x := p.set(1).X
		got := make([]float32, x.Rows)
		e.Compile(x).Predict(x, got)
		for i, want := range p.Predictions {
			if math.Float32bits(got[i]) != want {
				t.Fatalf("%s: row %d: predicted %v, want %v", p.Name, i, got[i], math.Float32frombits(want))
			}
		}
	}
}

func TestPredictorWithinItsMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	e := anyEnsemble(r, 40)
	x := anyMatrix(r, 3000)
	p := e.Compile(x)
	p.pieces.most = 16
	p.pieces.table.Store(nil)
	p.pieces.grow()
	checkPredictor(t, p, e, x)
	if size, count := len(p.pieces.table.Load().pieces), p.pieces.count.Load(); size != 16 || count != 12 {
		t.Errorf("%d of %d pieces, want 12 of 16", count, size)
	}
}

func TestPredictorWalksWhatItCannotCompile(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	e := anyEnsemble(r, 20)
	twice := anyMatrix(r, 500)
	twice.Blocks[1].Columns = []int32{6, 5, 4} // 4 is a column of the other block
	many := anyMatrix(r, 500)
	many.Width = 40
	for len(many.Blocks) <= maxAxes {
		many.Blocks = append(many.Blocks, matrix.Block{Codes: make([]int32, 500), Columns: []int32{int32(20 + len(many.Blocks))}})
	}
	for name, x := range map[string]*matrix.Matrix{"a column twice": twice, "many blocks": many} {
		p := e.Compile(x)
		if p.roots != nil {
			t.Errorf("%s: it was compiled", name)
		}
		if name == "a column twice" {
			continue // which of the two counts is nobody's promise
		}
		checkPredictor(t, p, &Ensemble{Trees: e.Trees, BaseScore: e.BaseScore, Features: 40}, x)
	}
	// Compiled, but given a matrix of another layout.
	x := anyMatrix(r, 500)
	p := e.Compile(x)
	other := &matrix.Matrix{Rows: x.Rows, Width: x.Width, Blocks: x.Blocks[1:], Numbers: x.Numbers}
	got := make([]float32, x.Rows)
	p.Predict(other, got)
	for i := range got {
		if want := e.PredictRow(appendRow(nil, other, i)); !bitsEqual(got[i], want) {
			t.Fatalf("row %d of another layout is predicted %v, want %v", i, got[i], want)
		}
	}
}

// What a file says of its features costs no memory: columns that trees ask for
// and the matrix does not have are missing.
func TestPredictorOfMoreFeaturesThanColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	e, x := anyEnsemble(r, 20), anyMatrix(r, 500)
	e.Features = math.MaxInt32
	e.Trees = append(e.Trees, Tree{Nodes: []Node{
		{Left: 1, Right: 2, Parent: -1, Feature: math.MaxInt32 - 1, Value: 1, DefaultLeft: true},
		{Left: -1, Right: -1, Value: 2}, {Left: -1, Right: -1, Value: 4},
	}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := e.Compile(x)
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 1<<20 {
		t.Errorf("to compile it took %d bytes", bytes)
	}
	checkPredictor(t, p, e, x)
}

func TestPredictorIsForManyGoroutines(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	e := anyEnsemble(r, 30)
	x := anyMatrix(r, 4000)
	p := e.Compile(x)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { checkPredictor(t, p, e, x) })
	}
	wait.Wait()
}

func TestPredictorAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := anyMatrix(r, 1)
	for _, e := range []*Ensemble{anyEnsemble(r, 5), {Features: 15, Trees: []Tree{{Nodes: anyTree(r, 1, 2).Nodes, Categories: make([]Categories, 1)}}}} {
		p := e.Compile(x)
		codes, numbers := []int32{3, -1}, []float64{1.5, math.NaN()}
		p.PredictRow(codes, numbers)
		if n := testing.AllocsPerRun(100, func() { p.PredictRow(codes, numbers) }); n != 0 {
			t.Errorf("%v allocations a row", n)
		}
	}
}

func TestLadder(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	close := make([]float32, 300) // all on few rungs
	for i := range close {
		close[i] = math.Float32frombits(math.Float32bits(1) + uint32(2*i))
	}
	spread := []float32{-inf, -1e30, -2, -1e-40, 0, 1e-40, 3, 1e30, inf}
	for _, thresholds := range [][]float32{nil, {nan}, {float32(math.Copysign(0, -1)), nan}, {5, 5, 1}, close, append(close, spread...), spread} {
		l := newLadder(thresholds)
		values := append([]float32{0, float32(math.Copysign(0, -1)), inf, -inf, math.MaxFloat32, math.SmallestNonzeroFloat32, 4}, thresholds...)
		for range 1000 {
			values = append(values, float32(r.NormFloat64()), math.Float32frombits(math.Float32bits(1)+uint32(r.IntN(700))))
		}
		for _, v := range values {
			if v != v {
				continue
			}
			for _, threshold := range thresholds {
				if got, want := l.class(v) <= l.below(threshold), v < threshold; got != want {
					t.Fatalf("%v below %v is %v in classes", v, threshold, got)
				}
			}
		}
	}
}
