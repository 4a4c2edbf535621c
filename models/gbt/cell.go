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

// divide divides a node's cells between its children. The rows of the lesser
// child have been summed up, in moved, by code: its cells are appended to out,
// unless that is nil. The greater child's are the difference, in the parent's
// place. Only those that count are kept.
func divide(parent, moved []cell, least float64, out []cell) (moves, stays []cell) {
	kept := 0
	for i := range parent {
		p := &parent[i]
		if m := &moved[p.code]; m.rows > 0 {
			if out != nil && m.counts(least) {
				out = append(out, cell{m.sums, p.code, m.rows})
			}
			p.sums, p.rows = p.sums.minus(m.sums), p.rows-m.rows
			if !p.counts(least) {
				continue
			}
		}
		if kept != i {
			parent[kept] = *p
		}
		kept++
	}
	return out, parent[:kept]
}

// without removes a cell of a block; the order of a block's cells is free.
func without(cells []cell, at int) []cell {
	last := len(cells) - 1
	cells[at] = cells[last]
	return cells[:last]
}
