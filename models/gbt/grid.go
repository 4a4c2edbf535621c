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

	// Of the tree that grows; what does not depend on gradients is there before.
	squares []cell // by square of train; code is the level
	values  []cell // by rank: the sums of its squares that are not off
	still   []cell // what values begins with
	levels  []cell // the root's, of all levels that can be split off
	strips  []strip
	total   sums
	crew    *crew
	hands   []*hand // one a worker
	order   []int32 // the nodes as hands number them, in the tree's order
	leaves  []leaf  // of the tree as grown

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
	e := newExchange(g.crew, root)
	g.crew.do(func(worker int) {
		h := g.hands[worker]
		work(e, &h.todo, h.visit, (*patch).work)
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

// add works on all sets at once, and while it is about it sums up what the next
// tree is to explain.
func (g *grid) add(t Tree) (metrics []float64) {
	for i := range g.leaves {
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
	metrics = make([]float64, len(g.sets))
	g.crew.each(len(g.sets)+len(g.strips), func(i int) {
		if i >= len(g.sets) {
			g.addAndSum(&g.strips[i-len(g.sets)])
		} else if s := g.watched[i]; s != &g.train {
			g.addTo(s)
			metrics[i] = s.rmse(g.sets[i])
		}
	})
	g.sumStrips()
	for i, s := range g.watched {
		if s == &g.train {
			metrics[i] = s.rmse(g.sets[i])
		}
	}
	return metrics
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

// sumUp sums up the gradients before the first tree.
func (g *grid) sumUp() {
	g.crew.each(len(g.strips), func(i int) { g.addAndSum(&g.strips[i]) })
	g.sumStrips()
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
}

// sumStrips adds up the strips.
func (g *grid) sumStrips() {
	g.total.grad = 0
	for i := range g.strips {
		s := &g.strips[i]
		g.total.grad += s.grad
		for l := range g.levels {
			if i == 0 {
				g.levels[l].grad = 0
			}
			g.levels[l].grad += s.byLevel[l]
		}
	}
}

// others is the level of the areas that have all levels but those split off.
func (g *grid) others() int32 { return int32(len(g.levels)) }
