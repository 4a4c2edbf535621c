package gbt

import (
	"runtime"
	"slices"
)

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
type grid struct {
	rule
	joined
	block, number column
	train         squares
	watched       []squares // of each evaluation set but the training set

	labels, weights []float32 // of the rows trained on, in the order of squares
	rowStarts       []int32   // where those of each square begin
	squareOf        []int32   // the square of each

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

// strip is a range of ranks that is summed up by one goroutine. There are as
// many as the grid's size asks for, whatever the number of processors, so that
// every sum is always the sum of the same parts.
type strip struct {
	from, to int
	byLevel  []float64 // sums of gradients
	grad     float64
}

const squaresPerStrip = 1 << 14

func newGrid(rows joined, r rule, base float32) engine {
	g := &grid{rule: r, joined: rows, block: rows.columns[0], number: rows.columns[1]}
	n := rows.train.X.Rows
	ranks := int(g.number.count())
	for i, code := range g.number.codes {
		if code < 0 {
			g.number.codes[i] = int32(ranks)
		}
	}
	g.setLevels()
	levels := len(g.levels)
	cut := func(first, rows int) (level, rank []int32) {
		return g.block.codes[first:][:rows], g.number.codes[first:][:rows]
	}
	level, rank := cut(0, n)
	var levelOf, order []int32
	g.train, levelOf, order, g.rowStarts = gather(level, rank, levels, ranks, base)
	g.labels, g.weights, g.squareOf = make([]float32, 0, n), make([]float32, 0, n), make([]int32, 0, n)
	for _, row := range order {
		g.labels = append(g.labels, float32(rows.train.Y[row]))
		g.weights = append(g.weights, rows.train.weight(int(row)))
		g.squareOf = append(g.squareOf, g.train.of[row])
	}
	g.watched = make([]squares, len(rows.evals))
	for i, s := range rows.evals {
		if g.first[i] != 0 {
			level, rank := cut(g.first[i], s.X.Rows)
			g.watched[i], _, _, _ = gather(level, rank, levels, ranks, base)
		}
	}
	g.columns = nil

	g.squares = make([]cell, len(levelOf))
	g.still = make([]cell, ranks+1)
	for rank := range g.still {
		v := &g.still[rank]
		v.code = int32(rank)
		for q := g.train.starts[rank]; q < g.train.starts[rank+1]; q++ {
			s := &g.squares[q]
			s.code, s.rows = levelOf[q], g.rowStarts[q+1]-g.rowStarts[q]
			for _, w := range g.weights[g.rowStarts[q]:g.rowStarts[q+1]] {
				s.hess += float64(w)
			}
			v.hess, v.rows = v.hess+s.hess, v.rows+s.rows
		}
		g.total.hess += v.hess
	}
	g.values = slices.Clone(g.still)
	g.says = make([]float32, ranks+1)
	g.cutStrips(ranks + 1)
	g.crew = newCrew(min(len(g.strips), runtime.GOMAXPROCS(0)))
	for i := range g.crew.size {
		g.hands = append(g.hands, &hand{grid: g, self: i, moved: make([]cell, levels+1)})
	}
	g.sumUp()
	return g
}

// setLevels renumbers the levels so that only those remain that have the weight
// to ever be split off. All others, and none, are as one to every tree, and get
// the number after the last.
func (g *grid) setLevels() {
	sums := make([]cell, g.block.count())
	for row, code := range g.block.codes[:g.joined.train.X.Rows] {
		if code >= 0 {
			sums[code].hess += float64(g.joined.train.weight(row))
			sums[code].rows++
		}
	}
	number := make([]int32, len(sums))
	var features []int32
	for code := range sums {
		number[code] = -1
		if c := sums[code]; c.counts(g.minChild) {
			c.code = int32(len(features))
			number[code] = c.code
			features = append(features, g.block.features[code])
			g.levels = append(g.levels, c)
		}
	}
	for row, code := range g.block.codes {
		if code >= 0 && number[code] >= 0 {
			g.block.codes[row] = number[code]
		} else {
			g.block.codes[row] = int32(len(features))
		}
	}
	g.block.features = features
}

func (g *grid) cutStrips(ranks int) {
	n := 1 + len(g.squares)/squaresPerStrip
	for i := range n {
		s := strip{to: ranks, byLevel: make([]float64, len(g.levels)+1)}
		if i > 0 {
			s.from = g.strips[i-1].to
		}
		if i < n-1 {
			end := int32(len(g.squares) / n * (i + 1))
			at, _ := slices.BinarySearch(g.train.starts[:ranks], end)
			s.to = max(s.from, at)
		}
		g.strips = append(g.strips, s)
	}
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
		}
	}
	sets := []*squares{&g.train}
	for i := range g.watched {
		if g.first[i] != 0 {
			sets = append(sets, &g.watched[i])
		}
	}
	g.crew.each(len(sets), func(i int) { sets[i].paint(g.leaves, g.others()) })
	metrics = make([]float64, len(g.evals))
	g.crew.each(len(g.evals)+len(g.strips), func(i int) {
		if i >= len(g.evals) {
			s := &g.strips[i-len(g.evals)]
			g.train.add(g.says, s.from, s.to)
			g.sumStrip(s)
		} else if g.first[i] != 0 {
			g.watched[i].add(g.says, 0, len(g.says))
			metrics[i] = g.rmse(&g.watched[i], i)
		}
	})
	g.sumStrips()
	for i := range g.evals {
		if g.first[i] == 0 {
			metrics[i] = g.rmse(&g.train, i)
		}
	}
	return metrics
}

func (g *grid) rmse(s *squares, set int) float64 {
	if s.byRow == nil {
		s.byRow = make([]float32, len(s.of))
	}
	byRow := s.byRow
	for row, q := range s.of {
		byRow[row] = s.predictions[q]
	}
	return rmse(byRow, g.evals[set])
}

func (g *grid) close() { g.crew.dismiss() }

// sumUp sums up the gradients of all squares, ranks and levels.
func (g *grid) sumUp() {
	g.crew.each(len(g.strips), func(i int) { g.sumStrip(&g.strips[i]) })
	g.sumStrips()
}

func (g *grid) sumStrip(s *strip) {
	clear(s.byLevel)
	s.grad = 0
	copy(g.values[s.from:s.to], g.still[s.from:s.to])
	byLevel, rowEnds := s.byLevel, g.rowStarts[1:]
	q := g.train.starts[s.from]
	at := g.rowStarts[q]
	for rank := s.from; rank < s.to; rank++ {
		first, end := q, g.train.starts[rank+1]
		q = end
		if first == end {
			continue
		}
		squares, predictions := g.squares[first:end], g.train.predictions[first:end]
		for i := range squares {
			squares[i].grad = 0
		}
		// One loop over the rows: most squares have one, and to guess which do not costs more.
		last := rowEnds[end-1]
		labels, weights, of := g.labels[at:last], g.weights[at:last], g.squareOf[at:last]
		at = last
		for i, y := range labels {
			q := of[i] - first
			squares[q].grad += float64(residual(predictions[q], y, weights[i]))
		}
		var sum float64
		for i := range squares {
			byLevel[squares[i].code] += squares[i].grad
			sum += squares[i].grad
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
