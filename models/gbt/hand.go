package gbt

import (
	"cmp"
	"math"
	"slices"
)

// area is a part of the grid: a range of ranks of one level, or of all levels
// that were not split off from it.
type area struct {
	level   int32
	lo, hi  int32 // ranks of values
	missing bool  // whether also rows that have no value
	last    int32 // the rank of those

	// Of an area of one level: its squares that have a value are train.byLevel[from:to].
	from, to int32
}

// leaf is what a tree says of an area.
type leaf struct {
	area
	id   int32 // the node
	says float32
}

// paint notes what the tree says, by rank.
func (l *leaf) paint(says []float32) {
	for rank := l.lo; rank < l.hi; rank++ {
		says[rank] = l.says
	}
	if l.missing {
		says[l.last] = l.says
	}
}

// patch is a node that may yet split.
type patch struct {
	area
	parent int32 // its number, see sprout
	right  bool  // which child it is
	depth  int
	total  sums
	large  bool   // enough to be split, and not too deep
	cells  []cell // of the levels; in an area of one level, of the ranks
	listed shortlist
}

// hand grows a part of a tree; there are several, and no two touch the same
// squares.
type hand struct {
	*grid
	self    int
	sprouts []sprout
	areas   []area // of the sprouts
	todo    []patch
	moved   []cell // by level: sums of a child's squares, empty between uses
	cells   arena[cell]
}

// work is the squares that the patch has, or had before levels were split off.
func (h *hand) work(p *patch) int {
	if p.level != h.others() {
		return int(p.to - p.from)
	}
	return int(h.count(p.area))
}

// number is the number of the hand's next node, see sprout.
func (h *hand) number() int32 { return int32(len(h.sprouts)*len(h.hands) + h.self) }

// visit makes a node, and splits it if that is worth it.
func (h *hand) visit(p patch) {
	n := Node{Left: -1, Right: -1, Parent: p.parent}
	number := h.number()
	h.answer(&n, p.total)
	if p.large {
		best := h.search(&p)
		n.LossChange = best.loss
		if best.loss > epsilon { // as updater_colmaker.cc, FindSplit
			n.Feature, n.Value, n.DefaultLeft = best.feature, best.threshold, best.defaultLeft
			h.split(&p, &best, number)
		}
	}
	h.sprouts, h.areas = append(h.sprouts, sprout{n, p.right}), append(h.areas, p.area)
}

func (h *hand) search(p *patch) split {
	s := newSearch(&h.rule, p.total)
	if p.level != h.others() {
		s.column(1, &h.grid.number, p.cells)
		return s.best
	}
	s.column(0, &h.block, p.cells[:p.listed.count])
	h.cuts(&s, p)
	if !p.listed.suffices(&s) {
		p.listed = s.list(&h.block, p.cells)
	}
	return s.best
}

// split puts the node's children on the list of what is to do.
func (h *hand) split(p *patch, s *split, number int32) {
	left := patch{area: p.area, parent: number, depth: p.depth + 1, total: s.left}
	right := left
	right.right, right.total = true, s.right
	cut := int32(-1)
	if s.column != 0 {
		cut = min(max(h.grid.number.belowFrom(s.from, s.to, s.threshold), p.lo), p.hi)
		stray := h.stray(p, s, cut)
		left.total, right.total = left.total.minus(stray), right.total.plus(stray)
	}
	deeper := left.depth < h.maxDepth
	left.large = deeper && h.splittable(left.total)
	right.large = deeper && h.splittable(right.total)
	if s.column == 0 {
		right.level = p.cells[s.at].code
		left.cells, left.listed = p.listed.without(p.cells, s.at)
		right.cells = h.takeOff(&right.area, left.large)
	} else {
		left.hi, right.lo = cut, cut
		left.missing, right.missing = p.missing && s.defaultLeft, p.missing && !s.defaultLeft
		switch {
		case p.level != h.others():
			i := 0
			for i < len(p.cells) && p.cells[i].code < cut {
				i++
			}
			left.cells, right.cells = p.cells[:i], p.cells[i:]
			left.to = left.from + int32(i)
			right.from = left.to
		case !left.large && !right.large:
		case h.count(left.area) < h.count(right.area):
			h.part(p.cells, &left, &right)
		default:
			h.part(p.cells, &right, &left)
		}
	}
	if h.work(&left) > h.work(&right) {
		left, right = right, left
	}
	h.todo = append(h.todo, left, right)
}

// stray is what the search counted left of a split on the number that goes right
// of it: where between gives the lesser of two values in a forward search, the
// rows of that value itself.
func (h *hand) stray(p *patch, s *split, cut int32) sums {
	if s.defaultLeft || cut >= p.hi || h.grid.number.values[cut] != s.threshold {
		return sums{}
	}
	ranks := h.values[cut : cut+1]
	if p.level != h.others() {
		i, found := slices.BinarySearchFunc(p.cells, cut, func(c cell, code int32) int { return cmp.Compare(c.code, code) })
		if !found {
			return sums{}
		}
		ranks = p.cells[i : i+1]
	}
	if ranks[0].rows == 0 {
		return sums{}
	}
	return ranks[0].sums
}

// takeOff splits off a level: it returns the level's cells by rank and, if the
// others are to be searched, takes them off theirs.
func (h *hand) takeOff(a *area, rest bool) []cell {
	a.from, a.to = h.train.in(a)
	cells := h.cells.take(int(a.to - a.from))
	from, to := within(a)
	for _, q := range h.train.byLevel[a.from:a.to] {
		c := h.squares[q.at]
		h.train.off[q.at] = math.MaxUint32
		cells = append(cells, cell{c.sums, q.rank, c.rows})
		if rest {
			v := &h.values[q.rank]
			v.sums, v.rows = v.sums.minus(c.sums), v.rows-c.rows
			if i := q.rank / stretchRanks; i >= from && i < to {
				h.stretches[i].off(c.sums)
			}
		}
	}
	for _, q := range h.train.missing(a) {
		h.train.off[q.at] = math.MaxUint32
	}
	h.cells.keep(cells)
	return cells
}

// count is the number of squares in the ranks of an area.
func (g *grid) count(a area) int32 {
	n := g.train.starts[a.hi] - g.train.starts[a.lo]
	if a.missing {
		n += g.train.starts[a.last+1] - g.train.starts[a.last]
	}
	return n
}

// part divides the cells of the levels between two children, as grower.part.
func (h *hand) part(parent []cell, moves, stays *patch) {
	h.tally(moves.area)
	var out []cell
	if moves.large {
		out = h.cells.take(min(len(parent), int(h.count(moves.area))) + 1)
	}
	moves.cells, stays.cells = divide(parent, h.moved, h.minChild, out)
	if moves.large {
		h.cells.keep(moves.cells)
	}
	h.forget(moves.area)
}

// spans returns the squares in the ranks of an area, as two ranges.
func (g *grid) spans(a area) [2][2]int32 {
	s := [2][2]int32{{g.train.starts[a.lo], g.train.starts[a.hi]}}
	if a.missing {
		s[1] = [2]int32{g.train.starts[a.last], g.train.starts[a.last+1]}
	}
	return s
}

// tally sums up the squares of an area by level; those that are off, as if they
// were of no level.
func (h *hand) tally(a area) {
	moved, none := h.moved, h.others()
	for _, span := range h.spans(a) {
		squares, off := h.squares[span[0]:span[1]], h.train.off[span[0]:span[1]]
		for i := range squares {
			s, code := &squares[i], squares[i].code
			if off[i] != 0 {
				code = none
			}
			c := &moved[code]
			c.sums, c.rows = c.sums.plus(s.sums), c.rows+s.rows
		}
	}
}

// forget empties the sums that tally filled.
func (h *hand) forget(a area) {
	if int(h.count(a)) > len(h.moved) {
		clear(h.moved)
		return
	}
	for _, span := range h.spans(a) {
		for q := span[0]; q < span[1]; q++ {
			h.moved[h.squares[q].code] = cell{}
		}
	}
	h.moved[h.others()] = cell{}
}
