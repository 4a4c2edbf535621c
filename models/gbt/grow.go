package gbt

import (
	"math"
	"slices"
)

// gradient is what the objective wants of a row, as XGBoost's base.h,
// GradientPair.
type gradient struct{ grad, hess float32 }

// grower is the engine for any mix of blocks and numbers. The rows trained on
// come first, and are as many as there are gradients; the others only ride
// along, so that what the tree says of them is known when it is grown.
type grower struct {
	rule
	joined
	predictions []float32 // one a row
	router      *router
	scratch     [][]cell // by column and code: sums of a child's rows, empty between uses
	cells       arena[cell]

	// of the tree that grows
	gradients []gradient
	nodes     []Node
	at        []int32 // the node whose rows are at a place
}

// open is a node that may yet split.
type open struct {
	id    int32
	rows  rowset
	total sums
	cells [][]cell // by column; nil: it has too few rows to split, or is too deep
}

// keep gives the node its cells of a column, if it has cells at all.
func (n *open) keep(column int, cells []cell) {
	if n.cells != nil {
		n.cells[column] = cells
	}
}

func newGrower(rows joined, r rule, base float32) engine {
	rows.encode()
	g := &grower{rule: r, joined: rows, router: newRouter(rows.columns, rows.count)}
	for i := range g.columns {
		g.columns[i].list()
		g.scratch = append(g.scratch, make([]cell, g.columns[i].count()))
	}
	g.gradients = make([]gradient, g.train.X.Rows)
	g.predictions = slices.Repeat([]float32{base}, g.count)
	return g
}

func (g *grower) close() {}

// add adds what the tree just grown says of each row.
func (g *grower) add(t Tree) (metrics []float64) {
	value := make([]float32, len(g.at))
	for place, id := range g.at {
		for t.Nodes[id].Deleted {
			id = t.Nodes[id].Parent
		}
		value[place] = t.Nodes[id].Value
	}
	for row, place := range g.router.place {
		g.predictions[row] = float32(g.predictions[row] + value[place])
	}
	for i, s := range g.evals {
		metrics = append(metrics, rmse(g.predictions[g.first[i]:][:s.X.Rows], s))
	}
	return metrics
}

// grow grows a tree breadth first, as XGBoost's updater_colmaker.cc, Update.
func (g *grower) grow() Tree {
	for i := range g.gradients {
		w := g.train.weight(i)
		g.gradients[i] = gradient{residual(g.predictions[i], float32(g.train.Y[i]), w), w}
	}
	g.nodes = []Node{{Left: -1, Right: -1, Parent: -1}}
	g.at = append(g.at[:0], 0)
	g.cells.reset()

	level := []open{g.root()}
	for depth := 0; len(level) > 0; depth++ {
		var next []open
		for _, n := range level {
			g.answer(&g.nodes[n.id], n.total)
			if n.cells == nil {
				continue
			}
			best := g.search(n)
			g.nodes[n.id].LossChange = best.loss
			if best.loss > epsilon { // as updater_colmaker.cc, FindSplit
				left, right := g.split(n, best, depth+1 < g.maxDepth)
				next = append(next, left, right)
			}
		}
		level = next
	}
	return Tree{Nodes: g.nodes}
}

// root opens the node of all rows.
func (g *grower) root() open {
	n := open{rows: g.router.reset()}
	n.total = g.sum(n.rows.rows)
	if !g.splittable(n.total) {
		return n
	}
	n.cells = make([][]cell, len(g.columns))
	for i := range g.columns {
		g.tally(i, n.rows.rows)
		sum := g.scratch[i]
		cells := g.cells.take(len(sum))
		for code := range sum {
			if c := &sum[code]; c.counts(g.least(i)) {
				cells = append(cells, cell{c.sums, int32(code), c.rows})
			}
		}
		g.cells.keep(cells)
		n.cells[i] = cells
		clear(sum)
	}
	return n
}

func (g *grower) search(n open) split {
	s := newSearch(&g.rule, n.total)
	for i := range g.columns {
		s.column(i, &g.columns[i], n.cells[i])
	}
	return s.best
}

// split makes two nodes of n and returns them, ready to be searched if they are
// large enough and deeper allows it. n is used up.
func (g *grower) split(n open, s split, deeper bool) (left, right open) {
	id := int32(len(g.nodes))
	g.nodes = append(g.nodes, Node{Left: -1, Right: -1, Parent: n.id}, Node{Left: -1, Right: -1, Parent: n.id})
	node := &g.nodes[n.id]
	node.Left, node.Right, node.Feature = id, id+1, s.feature
	node.Value, node.DefaultLeft = s.threshold, s.defaultLeft

	// The rows on one side move, and are summed up; the other side stays as it is.
	t := g.test(&s, n.cells)
	moves, stays := open{id: id}, open{id: id + 1, rows: n.rows}
	var inside bool // as rows of t go right, so do the moved ones
	if moves.rows, inside = g.router.split(&stays.rows, t); inside {
		moves.id, stays.id = id+1, id
	}
	g.at[stays.rows.place] = stays.id
	g.at = append(g.at, moves.id)
	moves.total = g.sum(moves.rows.rows)
	stays.total = n.total.minus(moves.total)

	if deeper && g.splittable(moves.total) {
		moves.cells = make([][]cell, len(g.columns))
	}
	if deeper && g.splittable(stays.total) {
		stays.cells = make([][]cell, len(g.columns))
	}
	if moves.cells != nil || stays.cells != nil {
		for i := range g.columns {
			switch {
			case i != t.column || !g.columns[i].block():
				g.part(i, n.cells[i], &moves, &stays)
			case inside: // the moved rows all have the level that is split off, the others do not
				stays.keep(i, without(n.cells[i], s.at))
			default:
				moves.keep(i, without(n.cells[i], s.at))
			}
		}
	}
	if inside {
		return stays, moves
	}
	return moves, stays
}

// test is how rows go at the split: those inside go right.
func (g *grower) test(s *split, cells [][]cell) test {
	c := &g.columns[s.column]
	if c.block() {
		level := cells[s.column][s.at].code
		return test{column: s.column, from: level, to: level + 1, missing: false}
	}
	return test{column: s.column, from: c.below(s.threshold), to: c.count(), missing: !s.defaultLeft}
}

// least is the weight that a cell of the column must have to be kept.
func (g *grower) least(column int) float64 {
	if g.columns[column].block() {
		return g.minChild
	}
	return math.Inf(-1)
}

// part divides the parent's cells of a column between two children, as far as
// they have cells at all: the rows that moved are summed up.
func (g *grower) part(column int, parent []cell, moves, stays *open) {
	g.tally(column, moves.rows.rows)
	var out []cell
	if moves.cells != nil {
		out = g.cells.take(min(len(parent), len(moves.rows.rows)) + 1)
	}
	lesser, greater := divide(parent, g.scratch[column], g.least(column), out)
	if moves.cells != nil {
		g.cells.keep(lesser)
	}
	moves.keep(column, lesser)
	stays.keep(column, greater)
	g.forget(column, moves.rows.rows)
}

// sum sums up the gradients of the rows.
func (g *grower) sum(rows []int32) (total sums) {
	for _, row := range rows {
		if int(row) < len(g.gradients) {
			x := g.gradients[row]
			total = total.plus(sums{float64(x.grad), float64(x.hess)})
		}
	}
	return total
}

// tally sums up the gradients of the rows by their codes in the column.
func (g *grower) tally(column int, rows []int32) {
	codes, sum := g.columns[column].codes, g.scratch[column]
	for _, row := range rows {
		if int(row) >= len(g.gradients) {
			continue
		}
		if code := codes[row]; code >= 0 {
			x, c := g.gradients[row], &sum[code]
			c.grad += float64(x.grad)
			c.hess += float64(x.hess)
			c.rows++
		}
	}
}

// forget empties the sums that tally filled.
func (g *grower) forget(column int, rows []int32) {
	codes, sum := g.columns[column].codes, g.scratch[column]
	for _, row := range rows {
		if code := codes[row]; code >= 0 {
			sum[code] = cell{}
		}
	}
}
