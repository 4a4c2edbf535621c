package gbt

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
	for _, x := range g.gradients {
		n.total = n.total.plus(sums{float64(x.grad), float64(x.hess)})
	}
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
		g.forget(i, n.rows.rows)
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

// split makes two nodes of n and returns them. The rows that move are summed
// up; what stays is the difference. The parent's cells become those of the child
// that stays; deeper tells whether the children may split.
func (g *grower) split(n open, s split, deeper bool) (left, right open) {
	id := int32(len(g.nodes))
	g.nodes = append(g.nodes, Node{Left: -1, Right: -1, Parent: n.id}, Node{Left: -1, Right: -1, Parent: n.id})
	node := &g.nodes[n.id]
	node.Left, node.Right, node.Feature = id, id+1, s.feature
	node.Value, node.DefaultLeft = s.threshold, s.defaultLeft

	stays := n
	var moves open
	var isRight bool
	moves.rows, isRight = g.router.split(&stays.rows, s.test(g.columns))
	moves.id, stays.id = id, id+1
	if isRight {
		moves.id, stays.id = id+1, id
	}
	g.at[stays.rows.place] = stays.id
	g.at = append(g.at, moves.id)

	for _, row := range moves.rows.rows {
		if int(row) < len(g.gradients) {
			x := g.gradients[row]
			moves.total = moves.total.plus(sums{float64(x.grad), float64(x.hess)})
		}
	}
	stays.total = n.total.minus(moves.total)
	g.part(&moves, &stays, deeper && g.splittable(moves.total), deeper && g.splittable(stays.total))
	if isRight {
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

// part divides the cells in stays, which are still the parent's, between the
// two children, as far as they may split.
func (g *grower) part(moves, stays *open, movesOn, staysOn bool) {
	parent := stays.cells
	stays.cells = nil
	if !movesOn && !staysOn {
		return
	}
	if movesOn {
		moves.cells = make([][]cell, len(g.columns))
	}
	if staysOn {
		stays.cells = parent
	}
	for i := range g.columns {
		g.add(i, moves.rows.rows)
		sum := g.scratch[i]
		if movesOn {
			cells := g.cells.take(min(len(parent[i]), len(moves.rows.rows)))
			for _, p := range parent[i] {
				if m := &sum[p.code]; g.worth(i, m) {
					cells = append(cells, cell{m.sums, p.code, m.rows})
				}
			}
			g.cells.keep(cells)
			moves.cells[i] = cells
		}
		if staysOn {
			cells, kept := parent[i], 0
			for from := range cells {
				p := &cells[from]
				if m := &sum[p.code]; m.rows > 0 {
					p.sums, p.rows = p.sums.minus(m.sums), p.rows-m.rows
					if !g.worth(i, p) {
						continue
					}
				}
				if kept != from {
					cells[kept] = *p
				}
				kept++
			}
			stays.cells[i] = cells[:kept]
		}
		g.forget(i, moves.rows.rows)
	}
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
