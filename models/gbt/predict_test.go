package gbt

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// anyTree is a tree as a stranger might write it: its one-hot columns have any
// threshold and default, and some of its features no matrix has.
func anyTree(r *rand.Rand, features, depth int) Tree {
	t := Tree{Nodes: []Node{{Parent: -1}}}
	for id, end := 0, 1<<depth-1; id < len(t.Nodes); id++ {
		n := &t.Nodes[id]
		n.Left, n.Right, n.Value = -1, -1, float32(r.NormFloat64())
		if len(t.Nodes) < end && r.IntN(8) > 0 {
			n.Left, n.Right = int32(len(t.Nodes)), int32(len(t.Nodes)+1)
			n.Feature = int32(r.IntN(features))
			n.Value = []float32{indicator, 0.5, 1, 2, -3}[r.IntN(5)]
			n.DefaultLeft = r.IntN(2) == 0
			t.Nodes = append(t.Nodes, Node{Parent: int32(id)}, Node{Parent: int32(id)})
		}
	}
	return t
}

func anyMatrix(r *rand.Rand, rows int) *matrix.Matrix {
	x := &matrix.Matrix{Rows: rows, Width: 12}
	for _, columns := range [][]int32{{0, 1, 2, 3, 4}, {6, 5, 9}} {
		b := matrix.Block{Columns: columns, Levels: make([]string, len(columns)), Codes: make([]int32, rows)}
		for i := range b.Codes {
			b.Codes[i] = int32(r.IntN(len(columns)+1)) - 1
		}
		x.Blocks = append(x.Blocks, b)
	}
	for _, column := range []int32{7, 11} {
		n := matrix.Number{Column: column, Values: make([]float64, rows)}
		for i := range n.Values {
			n.Values[i] = []float64{math.NaN(), 1, 2, -3, r.NormFloat64(), math.Copysign(0, -1), math.Inf(1)}[r.IntN(7)]
		}
		x.Numbers = append(x.Numbers, n)
	}
	return x
}

// However many rows come at once, each gets what it would get alone.
func TestPredictEqualsPredictRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	e := &Ensemble{BaseScore: 0.5, Features: 15}
	for range 30 {
		e.Trees = append(e.Trees, anyTree(r, 15, 1+r.IntN(8)))
	}
	for _, rows := range []int{0, 1, fewRows - 1, fewRows, 1000, manyRows + 1, 3*manyRows + 17} {
		x := anyMatrix(r, rows)
		got := make([]float32, rows)
		e.Predict(x, got)
		var row []Entry
		for i := range got {
			row = appendRow(row[:0], x, i)
			if want := e.PredictRow(row); got[i] != want {
				t.Fatalf("%d rows: row %d %v is predicted %v, alone %v", rows, i, row, got[i], want)
			}
		}
	}
}

func TestPredictRowAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	e := &Ensemble{Trees: []Tree{anyTree(r, 15, 6), anyTree(r, 15, 6)}}
	row := []Entry{{3, 1}, {7, 2}}
	if n := testing.AllocsPerRun(100, func() { e.PredictRow(row) }); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func TestNumberColumn(t *testing.T) {
	inf := math.Inf(1)
	c := numberColumn(3, []float64{2, math.NaN(), math.Copysign(0, -1), -inf, 0, 2, -1e-9, math.NaN(), inf})
	if want := []float32{float32(-inf), -1e-9, 0, 2, float32(inf)}; !slices.Equal(c.values, want) {
		t.Errorf("values %v, want %v", c.values, want)
	}
	if want := []int32{3, -1, 2, 0, 2, 3, 1, -1, 4}; !slices.Equal(c.codes, want) {
		t.Errorf("codes %v, want %v", c.codes, want)
	}
	for v, want := range map[float32]int32{-5: 1, 0: 2, 1e-30: 3, 2: 3, 3: 4} {
		if got := c.below(v); got != want {
			t.Errorf("%d values below %v, want %d", got, v, want)
		}
	}
}

// A file may say that few rows went where all go. That must cost no memory: each
// of 2,000 nodes once had a copy of all rows.
func TestPredictWhateverHessiansSay(t *testing.T) {
	const depth, rows = 2000, 4096
	e := &Ensemble{Features: 1, Trees: []Tree{{Nodes: make([]Node, 2*depth+1)}}}
	nodes := e.Trees[0].Nodes
	for i := range nodes {
		nodes[i] = Node{Left: -1, Right: -1, Parent: int32(i-1) / 2 * 2, SumHessian: 9, Value: float32(i)}
		if i%2 == 0 && i < 2*depth {
			nodes[i] = Node{Left: int32(i + 2), Right: int32(i + 1), Parent: int32(i - 2), SumHessian: float32(-i), Value: float32(depth - i/2)}
		}
	}
	x := oneNumber(make([]float64, rows)...)
	for i := range x.Numbers[0].Values {
		x.Numbers[0].Values[i] = float64(i%depth)/4 - 3
	}
	out := make([]float32, rows)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e.predict(x, 0, rows, out)
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 4<<20 {
		t.Errorf("it took %d bytes", bytes)
	}
	for i, got := range out {
		if want := e.PredictRow(appendRow(nil, x, i)); !bitsEqual(got, want) {
			t.Fatalf("row %d is predicted %v, want %v", i, got, want)
		}
	}
}
