package gbt

import (
	"math"
	"runtime"
	"slices"
)

// gradient is what the objective wants of a row, as XGBoost's base.h,
// GradientPair.
type gradient struct{ grad, hess float32 }

// grower is the engine for any mix of blocks and numbers. The rows trained on
// are numbered first, and are as many as there are gradients; the others only
// ride along, so that what the tree says of them is known when it is grown.
type grower struct {
	rule
	joined
	predictions      []float32  // one a row
	gradients        []gradient // one a row trained on
	trained, watched batch      // all rows, as they are before a tree grows

	crew    *crew
	workers []*worker // one a goroutine

	// of the tree that grows
	round  int       // of the one after
	sample *sample   // nil: all rows and columns
	at     []int32   // of each row: the number of its leaf
	order  []int32   // the number of each node
	says   []float32 // by number: what the tree says

	measuring errands // of each evaluation set
	measured  []float64
}

// rowsPerPiece are handed to a goroutine at once.
const rowsPerPiece = 1 << 14

func newGrower(rows joined, r rule, base float32) engine {
	rows.encode()
	g := &grower{rule: r, joined: rows}
	if rows.train.Weights == nil {
		g.minChild = math.Ceil(g.minChild) // sums of weights are whole numbers
	}
	n := g.train.X.Rows
	g.trained, g.watched = newBatch(g.columns, 0, n), newBatch(g.columns, n, g.count)
	for i := range g.columns {
		g.columns[i].codes = nil
	}
	g.gradients = make([]gradient, n)
	g.trained.gradients = g.gradients
	g.predictions = slices.Repeat([]float32{base}, g.count)
	g.at = make([]int32, g.count)
	g.measuring.do = g.measure
	g.crew = newCrew(min(1+n/rowsPerPiece, runtime.GOMAXPROCS(0)))
	for i := range g.crew.size {
		w := &worker{grower: g, packer: newPacker(g.columns, max(n, g.count-n)), self: i}
		for i := range g.columns {
			w.sums = append(w.sums, make([]cell, g.columns[i].count()))
		}
		g.workers = append(g.workers, w)
	}
	g.workers[0].sortAll(&g.trained)
	g.workers[0].sortAll(&g.watched)
	return g
}

func (g *grower) close() { g.crew.dismiss() }

// grow grows a tree, as XGBoost's updater_colmaker.cc, Update. The nodes are
// shared out among the workers, and put in order when all are made.
func (g *grower) grow() Tree {
	if g.chance != nil {
		g.sample = g.chance.of(g.round)
	}
	g.round++
	for _, w := range g.workers {
		w.reset()
	}
	g.workers[0].todo = append(g.workers[0].todo, g.root())
	e := newExchange[open](g.crew, &g.measuring)
	g.crew.do(func(i int) { w := g.workers[i]; work(e, i, &w.todo, w.visit, (*open).work) })
	var made [][]sprout
	for _, w := range g.workers {
		made = append(made, w.sprouts)
	}
	var t Tree
	t, g.order = assemble(made, g.order[:0])
	return t
}

// root opens the node of all rows.
func (g *grower) root() open {
	g.crew.pieces(len(g.gradients), rowsPerPiece, func(from, to int) {
		for i := from; i < to; i++ {
			w := g.train.weight(i)
			if g.sample != nil && !g.sample.row(i) {
				w = 0
			}
			g.gradients[i] = gradient{residual(g.predictions[i], float32(g.train.Y[i]), w), w}
		}
	})
	n := open{parent: -1, trained: g.trained.fresh(), watched: g.watched.fresh()}
	if g.sample != nil {
		n.key = g.sample.root()
	}
	n.cells = make([][]cell, len(g.columns))
	g.crew.each(len(g.columns)+1, func(i int) {
		if i == len(g.columns) {
			n.total = sum(g.gradients)
			return
		}
		w, codes := g.workers[0], g.trained.column(i) // no other job uses its sums of the column
		tally(w.sums[i], codes, g.gradients)
		for code := range w.sums[i] {
			if c := &w.sums[i][code]; c.counts(g.least(i)) {
				n.cells[i] = append(n.cells[i], cell{c.sums, int32(code), c.rows})
			}
		}
		clear(w.sums[i])
	})
	if !g.splittable(n.total) {
		n.cells = nil
	}
	return n
}

// least is the weight that a cell of the column must have to be kept.
func (g *grower) least(column int) float64 {
	if g.columns[column].block() {
		return g.minChild
	}
	return math.Inf(-1)
}

// add adds what the tree just grown says of each row.
func (g *grower) add(t Tree) {
	g.says = slices.Grow(g.says[:0], len(g.workers)*len(g.order))
	g.says = g.says[:cap(g.says)]
	for i, number := range g.order {
		n := &t.Nodes[i]
		for n.Deleted {
			n = &t.Nodes[n.Parent]
		}
		g.says[number] = n.Value
	}
	// As XGBoost's cpu_predictor.cc, PredictByAllTrees: in float32, tree by tree.
	g.crew.pieces(g.count, rowsPerPiece, func(from, to int) {
		predictions := g.predictions[from:to]
		for i, number := range g.at[from:to] {
			predictions[i] = float32(predictions[i] + g.says[number])
		}
	})
	g.measured = make([]float64, len(g.evals))
	g.measuring.renew(len(g.measured))
}

// measure takes the rmse of an evaluation set.
func (g *grower) measure(i int) {
	g.measured[i] = rmse(g.predictions[g.first[i]:][:g.evals[i].X.Rows], g.evals[i])
}

func (g *grower) metrics() []float64 {
	g.crew.do(func(int) { g.measuring.all() })
	return g.measured
}
