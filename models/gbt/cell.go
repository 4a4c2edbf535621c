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
// child have been summed up, in moved, by code: its cells are put into out,
// which must have room for one more than there can be, unless out is nil. The
// greater child's are the difference, in the parent's place. Only those that
// count are kept; which do cannot be foreseen, so that all are written, and
// those that do not are written over.
func divide(parent, moved []cell, least float64, out []cell) (moves, stays []cell) {
	var unwanted [1]cell
	wanted := 1
	if out == nil {
		out, wanted = unwanted[:], 0
	}
	out = out[:cap(out)]
	taken, kept := 0, 0
	for i := range parent {
		p := &parent[i]
		m := &moved[p.code]
		out[taken] = cell{m.sums, p.code, m.rows}
		taken += m.worth(least) & wanted
		rest := cell{p.sums.minus(m.sums), p.code, p.rows - m.rows}
		parent[kept] = rest
		kept += rest.worth(least)
	}
	return out[:taken], parent[:kept]
}

// worth is 1 if the cell counts, else 0.
func (c *cell) worth(least float64) int {
	rows, weight := 0, 0
	if c.rows > 0 {
		rows = 1
	}
	if c.hess >= least {
		weight = 1
	}
	return rows & weight
}

// without removes a cell of a block; the order of a block's cells is free.
func without(cells []cell, at int) []cell {
	last := len(cells) - 1
	cells[at] = cells[last]
	return cells[:last]
}
