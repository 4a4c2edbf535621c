package gbt

import "math"

// open is a node that may yet split.
type open struct {
	parent           int32 // its number, see sprout
	right            bool  // which child it is
	depth            int
	key              uint64 // names it to the sample, if there is one
	total            sums
	trained, watched *batch
	cells            [][]cell // by column; nil: it has too few rows to split
}

// work is about what it costs to search the node and to split it.
func (n *open) work() int { return n.trained.live + n.watched.live }

// keep gives the node its cells of a column, if it has cells at all.
func (n *open) keep(column int, cells []cell) {
	if n.cells != nil {
		n.cells[column] = cells
	}
}

// worker grows a part of a tree; there are several, and no two have rows in
// common.
type worker struct {
	*grower
	packer
	self    int
	sprouts []sprout
	todo    []open
	sums    [][]cell // by column and code: sums of a child's rows, empty between uses

	// of the tree that grows
	cells     arena[cell]
	columnsOf arena[[]cell]
}

func (w *worker) reset() {
	w.sprouts = w.sprouts[:0]
	w.packer.reset()
	w.cells.reset()
	w.columnsOf.reset()
}

// sprout makes a node that is, so far, a leaf. It returns its number.
func (w *worker) sprout(parent int32, right bool, total sums) int32 {
	number := int32(len(w.sprouts)*len(w.workers) + w.self)
	n := Node{Left: -1, Right: -1, Parent: parent}
	w.answer(&n, total)
	w.sprouts = append(w.sprouts, sprout{n, right})
	return number
}

// visit makes a node, and splits it if that is worth it.
func (w *worker) visit(n open) {
	number := w.sprout(n.parent, n.right, n.total)
	node := &w.sprouts[len(w.sprouts)-1].Node
	if n.cells != nil {
		s := newSearch(&w.rule, n.total)
		if w.sample != nil {
			s.picks = w.sample.picks(w.train.X.Width, n.depth, n.key)
		}
		for i := range w.columns {
			s.column(i, &w.columns[i], n.cells[i])
		}
		node.LossChange = s.best.loss
		if s.best.loss > epsilon { // as updater_colmaker.cc, FindSplit
			node.Feature, node.Value, node.DefaultLeft = s.best.feature, s.best.threshold, s.best.defaultLeft
			w.split(&n, &s.best, number)
			return
		}
	}
	w.settle(&n, number)
}

// split puts the node's children on the list of what is to do, or makes leaves of
// them. The rows of the lighter one move, and are summed up; those of the other
// stay. n is used up.
func (w *worker) split(n *open, s *split, number int32) {
	t := w.test(s, n.cells)
	moves := open{parent: number, right: s.right.hess < s.left.hess, depth: n.depth + 1}
	stays := open{parent: number, right: !moves.right, depth: n.depth + 1}
	moves.key, stays.key = child(n.key, moves.right), child(n.key, stays.right)
	inside := moves.right == t.right // the moved rows are those inside t
	picked := w.move(n.trained, t, inside)
	moves.total = n.trained.sum(picked)
	stays.total = n.total.minus(moves.total)
	// A split that parts no rows, since its gain is but rounding, would be made again
	// and again.
	endless := w.maxDepth == math.MaxInt && (len(picked) == 0 || n.trained.live == 0)
	if moves.depth < w.maxDepth && !endless {
		moves.cells, stays.cells = w.cellsFor(moves.total), w.cellsFor(stays.total)
	}
	if moves.cells != nil || stays.cells != nil {
		moved := w.pack(n.trained, picked)
		for i := range w.columns {
			switch {
			case i != t.column || !w.columns[i].block():
				w.part(i, n.cells[i], moved, &moves, &stays)
			case inside: // the moved rows all have the level that is split off, the others do not
				stays.keep(i, without(n.cells[i], s.at))
			default:
				moves.keep(i, without(n.cells[i], s.at))
			}
		}
		moves.trained = moved
	}
	if moves.cells != nil {
		moves.watched = w.pack(n.watched, w.move(n.watched, t, inside))
		w.todo = append(w.todo, moves)
	} else {
		leaf := w.sprout(number, moves.right, moves.total)
		n.trained.settlePicked(picked, w.at, leaf)
		n.watched.settlePicked(w.move(n.watched, t, inside), w.at, leaf)
	}
	if stays.cells != nil {
		stays.trained, stays.watched = w.compact(n.trained), w.compact(n.watched)
		w.todo = append(w.todo, stays)
	} else {
		w.settle(n, w.sprout(number, stays.right, stays.total))
	}
}

// settle notes that the rows of a node are in a leaf.
func (w *worker) settle(n *open, leaf int32) {
	n.trained.settle(w.at, leaf)
	n.watched.settle(w.at, leaf)
}

// test is how rows go at the split.
func (w *worker) test(s *split, cells [][]cell) test {
	c := &w.columns[s.column]
	if c.block() {
		level := cells[s.column][s.at].code
		return test{column: s.column, from: level, to: level + 1, right: true}
	}
	return c.cut(s.column, s.threshold, s.defaultLeft)
}

// cellsFor makes place for the cells of a node, if it is large enough to split.
func (w *worker) cellsFor(total sums) [][]cell {
	if !w.splittable(total) {
		return nil
	}
	cells := w.columnsOf.take(len(w.columns))[:len(w.columns)]
	w.columnsOf.keep(cells)
	clear(cells)
	return cells
}

// part divides the parent's cells of a column between two children, as far as
// they have cells at all: the rows that moved are summed up.
func (w *worker) part(column int, parent []cell, moved *batch, moves, stays *open) {
	codes, sums := moved.column(column), w.sums[column]
	tally(sums, codes, moved.gradients)
	var out []cell
	if moves.cells != nil {
		out = w.cells.take(min(len(parent), len(codes)) + 1)
	}
	lesser, greater := divide(parent, sums, w.least(column), out)
	if moves.cells != nil {
		w.cells.keep(lesser)
	}
	moves.keep(column, lesser)
	stays.keep(column, greater)
	for _, code := range codes {
		if code >= 0 {
			sums[code] = cell{}
		}
	}
}

// sum sums up gradients.
func sum(of []gradient) (total sums) {
	for _, x := range of {
		total = total.plus(sums{float64(x.grad), float64(x.hess)})
	}
	return total
}

// tally sums up gradients by code.
func tally(sums []cell, codes []int32, of []gradient) {
	for i, x := range of {
		if code := codes[i]; code >= 0 {
			c := &sums[code]
			c.grad += float64(x.grad)
			c.hess += float64(x.hess)
			c.rows++
		}
	}
}
