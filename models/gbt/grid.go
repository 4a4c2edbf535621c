package gbt

// grid is the engine for one one-hot block and one number, the most common
// shape. It grows the same trees as grower; what it does better rests on this:
//
//   - Rows of equal level and value stay together whatever a tree does, so they
//     are one square of a grid of levels by ranks of values.
//   - A node holds either one level, or all but a few that were split off; in
//     both cases a range of values. So its rows need no list, and its squares
//     by value are a piece of one table, shared by all nodes of the second kind
//     as no two of them have a value in common.
//   - Splitting off a level subtracts its squares from that table. Splitting on
//     the number sums up the squares of the lesser side.
//   - Mostly levels are split off one after another, and what the others would
//     gain hardly changes meanwhile: see shortlist.
//
// A tree begins in grow and is grown by hands (hand.go); add ends it. newGrid
// (gridsetup.go) makes what stays the same for all trees.
type grid struct {
	rule
	block, number column
	train         squares
	lessons       lessons
	watched       []*squares // of each evaluation set
	sets          []Set      // those evaluation sets
	measuring     errands    // of each evaluation set
	measured      []float64

	// Of the tree that grows; what does not depend on gradients is there before.
	squares   []cell    // by square of train; code is the level
	values    []cell    // by rank: the sums of its squares that are not off
	still     []cell    // what values begins with
	stretches []stretch // of values
	levels    []cell    // the root's, of all levels that can be split off
	strips    []strip
	total     sums
	crew      *crew
	hands     []*hand // one a worker
	order     []int32 // the nodes as hands number them, in the tree's order
	leaves    []leaf  // of the tree as grown

	says []float32 // by rank: what the tree says of squares that are not off
}

// lessons are the rows to learn from, in the order of squares: the first row of
// each square, and then, rank by rank, the others of those that have several.
type lessons struct {
	first  []lesson
	more   []another
	starts []int32 // those of a rank are more[starts[rank]:starts[rank+1]]
}

type lesson struct{ label, weight float32 }

type another struct {
	lesson
	square int32
}

// strip is a range of ranks that is summed up by one goroutine. There are as
// many as the grid's size asks for, whatever the number of processors, so that
// every sum is always the sum of the same parts.
type strip struct {
	from, to int
	byLevel  []float64 // sums of gradients
	grad     float64
}

const leavesPerPiece, levelsPerPiece = 1 << 9, 1 << 11

// grow shares a tree out among the hands.
func (g *grid) grow() Tree {
	all := area{level: g.others(), hi: g.number.count(), missing: true, last: g.number.count()}
	root := patch{area: all, parent: -1, total: g.total, large: g.splittable(g.total)}
	for _, h := range g.hands {
		h.sprouts, h.areas = h.sprouts[:0], h.areas[:0]
		h.cells.reset()
	}
	root.cells = append(g.hands[0].cells.take(len(g.levels)), g.levels...)
	g.hands[0].cells.keep(root.cells)
	g.hands[0].todo = append(g.hands[0].todo, root)
	e := newExchange[patch](g.crew, &g.measuring)
	g.crew.do(func(worker int) {
		h := g.hands[worker]
		work(e, worker, &h.todo, h.visit, h.work)
	})
	return g.assemble()
}

// assemble puts the nodes that the hands made in order, and lists the leaves.
func (g *grid) assemble() (t Tree) {
	var made [][]sprout
	for _, h := range g.hands {
		made = append(made, h.sprouts)
	}
	t, g.order = assemble(made, g.order[:0])
	g.leaves = g.leaves[:0]
	for i, number := range g.order {
		if t.Nodes[i].Leaf() {
			h := g.hands[int(number)%len(g.hands)]
			g.leaves = append(g.leaves, leaf{area: h.areas[int(number)/len(g.hands)], id: int32(i)})
		}
	}
	return t
}

// add sums up, while it is about it, what the next tree is to explain. The other
// sets are left to measure.
func (g *grid) add(t Tree) {
	g.crew.pieces(len(g.leaves), leavesPerPiece, func(from, to int) {
		for i := from; i < to; i++ {
			l := &g.leaves[i]
			n := &t.Nodes[l.id]
			for n.Deleted {
				n = &t.Nodes[n.Parent]
			}
			if l.says = n.Value; l.level == g.others() {
				l.paint(g.says)
			} else {
				g.train.tell(g.train.byLevel[l.from:l.to], l.says)
				g.train.tell(g.train.missing(&l.area), l.says)
			}
		}
	})
	g.sumUp()
	g.measured = make([]float64, len(g.sets))
	g.measuring.renew(len(g.measured))
}

// measure adds what the tree says to an evaluation set, and takes its rmse.
func (g *grid) measure(i int) {
	s := g.watched[i]
	if s != &g.train {
		g.addTo(s)
	}
	g.measured[i] = s.rmse(g.sets[i])
}

func (g *grid) metrics() []float64 {
	g.crew.do(func(int) { g.measuring.all() })
	return g.measured
}

// addTo adds what the tree says to a set that is not trained on.
func (g *grid) addTo(s *squares) {
	for i := range g.leaves {
		if l := &g.leaves[i]; l.level != g.others() {
			from, to := s.in(&l.area)
			s.tell(s.byLevel[from:to], l.says)
			s.tell(s.missing(&l.area), l.says)
		}
	}
	s.add(g.says)
}

func (g *grid) close() { g.crew.dismiss() }

// sumUp sums up the gradients, when it has added what the tree says.
func (g *grid) sumUp() {
	g.crew.each(len(g.strips), func(i int) { g.addAndSum(&g.strips[i]) })
	g.total.grad = 0
	for i := range g.strips {
		g.total.grad += g.strips[i].grad
	}
	g.crew.pieces(len(g.levels), levelsPerPiece, func(from, to int) {
		for l := from; l < to; l++ {
			var sum float64
			for i := range g.strips {
				sum += g.strips[i].byLevel[l]
			}
			g.levels[l].grad = sum
		}
	})
}

// addAndSum adds what the tree says of squares that are not off, and sums up the
// gradients of all by square, rank and level.
func (g *grid) addAndSum(s *strip) {
	t, l := &g.train, &g.lessons
	clear(s.byLevel)
	s.grad = 0
	copy(g.values[s.from:s.to], g.still[s.from:s.to])
	byLevel := s.byLevel
	q, m := t.starts[s.from], l.starts[s.from]
	for rank := s.from; rank < s.to; rank++ {
		from, more := q, l.more[m:l.starts[rank+1]]
		q, m = t.starts[rank+1], l.starts[rank+1]
		predictions := t.predictions[from:q]
		addUnlessOff(predictions, t.off[from:q], g.says[rank])
		squares, first := g.squares[from:q][:len(predictions)], l.first[from:q][:len(predictions)]
		var sum float64
		for i, p := range predictions {
			grad := float64(residual(p, first[i].label, first[i].weight))
			squares[i].grad = grad
			byLevel[squares[i].code] += grad
			sum += grad
		}
		for i := range more {
			r, at := &more[i], more[i].square-from
			grad := float64(residual(predictions[at], r.label, r.weight))
			squares[at].grad += grad
			byLevel[squares[at].code] += grad
			sum += grad
		}
		g.values[rank].grad = sum
		s.grad += sum
	}
	for rank := s.from; rank < s.to; rank += stretchRanks {
		g.stretches[rank/stretchRanks] = newStretch(g.values[rank:min(rank+stretchRanks, s.to)])
	}
}

// others is the level of the areas that have all levels but those split off.
func (g *grid) others() int32 { return int32(len(g.levels)) }
