package gbt

import "slices"

// gradient is what the objective wants of a row, as XGBoost's base.h,
// GradientPair.
type gradient struct{ grad, hess float32 }

// grower grows trees on one set of rows: those trained on come first, and are
// as many as there are gradients; the others only ride along, so that what the
// tree says of them is known when it is grown.
type grower struct {
	rule
	columns []column
	router  *router
	scratch [][]cell // by column and code: sums of a child's rows, empty between uses
	cells   arena[cell]

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

func newGrower(columns []column, rows int, r rule) *grower {
	g := &grower{rule: r, columns: columns, router: newRouter(columns, rows)}
	for i := range columns {
		g.scratch = append(g.scratch, make([]cell, columns[i].count()))
	}
	return g
}

// grow grows a tree breadth first, as XGBoost's updater_colmaker.cc, Update.
func (g *grower) grow(gradients []gradient) Tree {
	g.gradients = gradients
	g.nodes = []Node{{Left: -1, Right: -1, Parent: -1}}
	g.at = append(g.at[:0], 0)
	g.cells.reset()

	level := []open{g.root()}
	for depth := 0; len(level) > 0; depth++ {
		var next []open
		for _, n := range level {
			g.answer(n)
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
		g.add(i, n.rows.rows)
		sum := g.scratch[i]
		cells := g.cells.take(len(sum))
		for code := range sum {
			if g.worth(i, &sum[code]) {
				cells = append(cells, cell{sum[code].sums, int32(code), sum[code].rows})
			}
		}
		g.cells.keep(cells)
		n.cells[i] = cells
		clear(sum)
	}
	return n
}

// answer writes the node's own numbers, as if it were to stay a leaf. As
// XGBoost's updater_colmaker.cc, InitNewNode, FindSplit and Update.
func (g *grower) answer(n open) {
	node := &g.nodes[n.id]
	node.BaseWeight = g.weight(n.total)
	node.SumHessian = float32(n.total.hess)
	node.Value = float32(node.BaseWeight * g.eta)
}

func (g *grower) search(n open) split {
	s := search{rule: &g.rule, total: n.total, root: g.gain(n.total)}
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
	t := s.test(g.columns)
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
				without(t.from, n.cells[i], &stays, i)
			default:
				without(t.from, n.cells[i], &moves, i)
			}
		}
	}
	if inside {
		return stays, moves
	}
	return moves, stays
}

// splittable tells whether the rows are enough for two children.
func (g *grower) splittable(total sums) bool { return total.hess >= 2*g.minChild && total.hess > 0 }

// worth tells whether a cell can matter to the node or to what grows below it:
// a level of too little weight cannot be split off, nor ever will be.
func (g *grower) worth(column int, c *cell) bool {
	return c.rows > 0 && (c.hess >= g.minChild || !g.columns[column].block())
}

// part divides the parent's cells of a column between two children, as far as
// they have cells at all: the rows that moved are summed up, and what stays is
// the difference, in the parent's place.
func (g *grower) part(column int, parent []cell, moves, stays *open) {
	g.add(column, moves.rows.rows)
	sum := g.scratch[column]
	if moves.cells != nil {
		cells := g.cells.take(min(len(parent), len(moves.rows.rows)))
		for i := range parent {
			if m := &sum[parent[i].code]; g.worth(column, m) {
				cells = append(cells, cell{m.sums, parent[i].code, m.rows})
			}
		}
		g.cells.keep(cells)
		moves.cells[column] = cells
	}
	if stays.cells != nil {
		kept := 0
		for i := range parent {
			p := &parent[i]
			if m := &sum[p.code]; m.rows > 0 {
				p.sums, p.rows = p.sums.minus(m.sums), p.rows-m.rows
				if !g.worth(column, p) {
					continue
				}
			}
			if kept != i {
				parent[kept] = *p
			}
			kept++
		}
		stays.cells[column] = parent[:kept]
	}
	g.forget(column, moves.rows.rows)
}

// without gives a child the parent's cells of a block but that of one level,
// which only the other child has; there is nothing left to split it from there.
func without(level int32, parent []cell, child *open, column int) {
	if child.cells == nil {
		return
	}
	i, _ := slices.BinarySearchFunc(parent, level, func(c cell, level int32) int { return int(c.code - level) })
	child.cells[column] = slices.Delete(parent, i, i+1)
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

// add sums up the gradients of the rows by their codes in the column.
func (g *grower) add(column int, rows []int32) {
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

// forget empties the sums that add filled.
func (g *grower) forget(column int, rows []int32) {
	codes, sum := g.columns[column].codes, g.scratch[column]
	for _, row := range rows {
		if code := codes[row]; code >= 0 {
			sum[code] = cell{}
		}
	}
}
