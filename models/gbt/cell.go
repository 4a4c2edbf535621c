package gbt

// cell is what the rows of a node that have one code in a column sum up to. A
// split is looked for in the lists of a node's cells, one list a column.
type cell struct {
	sums
	code int32
	rows int32
}

// counts tells whether a cell can matter to the node or to what grows below it:
// a level of too little weight cannot be split off, nor ever will be.
func (c *cell) counts(least float64) bool { return c.rows > 0 && c.hess >= least }

// division is how a node's cells are divided between its children: the rows of
// the lesser child have been summed up, and the greater one's are the difference.
type division struct {
	moved []cell  // by code: what the rows of the lesser child sum up to
	least float64 // the weight below which a cell does not count
}

// moves appends the lesser child's cells to out.
func (d *division) moves(parent, out []cell) []cell {
	for i := range parent {
		code := parent[i].code
		if m := &d.moved[code]; m.counts(d.least) {
			out = append(out, cell{m.sums, code, m.rows})
		}
	}
	return out
}

// stays turns the parent's cells into the greater child's.
func (d *division) stays(parent []cell) []cell {
	kept := 0
	for i := range parent {
		p := &parent[i]
		if m := &d.moved[p.code]; m.rows > 0 {
			p.sums, p.rows = p.sums.minus(m.sums), p.rows-m.rows
			if !p.counts(d.least) {
				continue
			}
		}
		if kept != i {
			parent[kept] = *p
		}
		kept++
	}
	return parent[:kept]
}

// without removes a cell of a block; the order of a block's cells is free.
func without(cells []cell, at int) []cell {
	last := len(cells) - 1
	cells[at] = cells[last]
	return cells[:last]
}
