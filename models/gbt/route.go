package gbt

// router knows at which node of a growing tree each row is. A node's rows share
// a place, a number. When a node splits, only the rows of one side are moved,
// to a new place, and those of the other stay and are not touched: a tree that
// cuts small pieces off a large rest costs as much as the pieces.
type router struct {
	columns []column
	place   []int32 // of each row
	places  int32   // places given out
	lists   arena[int32]
}

// rowset is the rows at one place. rows may still list some that were moved
// away; live counts those that were not.
type rowset struct {
	place int32
	rows  []int32
	live  int
}

// test parts rows: inside are those whose code in the column is in [from, to),
// and those that have none there if missing; all others are outside.
type test struct {
	column   int
	from, to int32
	missing  bool
}

func newRouter(columns []column, rows int) *router {
	return &router{columns: columns, place: make([]int32, rows)}
}

// reset puts all rows into one place, and forgets all others.
func (r *router) reset() rowset {
	clear(r.place)
	r.places = 1
	r.lists.reset()
	all := r.lists.take(len(r.place))
	for i := range len(r.place) {
		all = append(all, int32(i))
	}
	r.lists.keep(all)
	return rowset{rows: all, live: len(all)}
}

// split moves the rows of s that are inside t, or those that are outside, to a
// new place, and tells which. It is a matter of cost: it moves those that are
// found with less looking.
func (r *router) split(s *rowset, t test) (moved rowset, inside bool) {
	if len(s.rows) > 2*s.live {
		s.rows = r.present(*s, s.rows[:0])
	}
	c := &r.columns[t.column]
	none, before := c.rows[:c.starts[1]], c.rows[c.starts[1]:c.starts[t.from+1]]
	between, after := c.rows[c.starts[t.from+1]:c.starts[t.to+1]], c.rows[c.starts[t.to+1]:]
	ins, outs := [3][]int32{between}, [3][]int32{before, after}
	if t.missing {
		ins[2] = none
	} else {
		outs[2] = none
	}
	nIn := len(ins[0]) + len(ins[1]) + len(ins[2])
	nOut := len(outs[0]) + len(outs[1]) + len(outs[2])
	switch {
	case nIn <= nOut && nIn < len(s.rows):
		return r.move(s, ins), true
	case nOut < nIn && nOut < len(s.rows):
		return r.move(s, outs), false
	default:
		return r.scan(s, t)
	}
}

// present appends to out those of s.rows that are still in s.
func (r *router) present(s rowset, out []int32) []int32 {
	for _, row := range s.rows {
		if r.place[row] == s.place {
			out = append(out, row)
		}
	}
	return out
}

// move takes the rows out of s that stand in the lists.
func (r *router) move(s *rowset, lists [3][]int32) rowset {
	m := rowset{place: r.places}
	r.places++
	m.rows = r.lists.take(min(s.live, len(lists[0])+len(lists[1])+len(lists[2])))
	for _, list := range lists {
		for _, row := range list {
			if r.place[row] == s.place {
				r.place[row] = m.place
				m.rows = append(m.rows, row)
			}
		}
	}
	r.lists.keep(m.rows)
	m.live = len(m.rows)
	s.live -= m.live
	return m
}

// scan parts the rows of s by looking at each, and takes the lesser part out.
func (r *router) scan(s *rowset, t test) (moved rowset, inside bool) {
	codes := r.columns[t.column].codes
	ins, outs := r.lists.take(s.live), s.rows[:0]
	for _, row := range s.rows {
		if r.place[row] != s.place {
			continue
		}
		if code := codes[row]; code >= t.from && code < t.to || code < 0 && t.missing {
			ins = append(ins, row)
		} else {
			outs = append(outs, row)
		}
	}
	r.lists.keep(ins)
	moved.rows, s.rows, inside = ins, outs, true
	if len(outs) < len(ins) {
		moved.rows, s.rows, inside = outs, ins, false
	}
	moved.place = r.places
	r.places++
	for _, row := range moved.rows {
		r.place[row] = moved.place
	}
	moved.live, s.live = len(moved.rows), len(s.rows)
	return moved, inside
}

// arena hands out slices that are all given back at once.
type arena[T any] struct {
	chunks [][]T
	next   int // chunk in use is chunks[next-1]
	free   []T // what is left of it
}

func (a *arena[T]) reset() { a.next, a.free = 0, nil }

// take returns an empty slice that n elements can be appended to. It is valid
// until reset if keep follows, else until the next take.
func (a *arena[T]) take(n int) []T {
	for len(a.free) < n {
		if a.next == len(a.chunks) {
			a.chunks = append(a.chunks, make([]T, max(n, 1<<15)))
		}
		a.free = a.chunks[a.next]
		a.next++
	}
	return a.free[:0:n]
}

// keep makes what was appended to the last slice taken last until reset.
func (a *arena[T]) keep(s []T) { a.free = a.free[len(s):] }
