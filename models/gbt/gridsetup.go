package gbt

import (
	"runtime"
	"slices"
)

const squaresPerStrip, mostStrips = 1 << 14, 16

// newGrid lays out the rows; what it makes does not change from tree to tree.
func newGrid(rows joined, r rule, base float32) engine {
	g := &grid{rule: r, number: rows.number(0), sets: rows.evals}
	ranks := int(g.number.count())
	levelOf := g.setLevels(rows.train)
	g.crew = newCrew(min(1+rows.train.X.Rows/squaresPerStrip, runtime.GOMAXPROCS(0)))
	g.watched = make([]*squares, len(rows.evals))
	placed := func(set Set, from int) (squares, []cell, []placed) {
		return gather(set, g.number.codes[from:][:set.X.Rows], levelOf, len(g.levels), ranks, base)
	}
	g.crew.each(1+len(rows.evals), func(i int) {
		if i == 0 {
			s, cells, order := placed(rows.train, 0)
			if slices.Contains(rows.first, 0) {
				s.watch(cells, order)
			}
			g.train, g.squares, g.lessons = s, cells, newLessons(rows.train, s.starts, cells, order)
			return
		}
		from, set := rows.first[i-1], rows.evals[i-1]
		if from == 0 {
			g.watched[i-1] = &g.train
			return
		}
		s, cells, order := placed(set, from)
		s.watch(cells, order)
		g.watched[i-1] = &s
	})
	g.number.codes = nil

	g.measuring.do = g.measure
	g.still = make([]cell, ranks+1)
	for rank := range g.still {
		v := &g.still[rank]
		v.code = int32(rank)
		for _, s := range g.squares[g.train.starts[rank]:g.train.starts[rank+1]] {
			v.hess, v.rows = v.hess+s.hess, v.rows+s.rows
		}
		g.total.hess += v.hess
	}
	g.values = slices.Clone(g.still)
	g.stretches = make([]stretch, ranks/stretchRanks+1)
	g.says = make([]float32, ranks+1)
	g.cutStrips(ranks + 1)
	for i := range g.crew.size {
		g.hands = append(g.hands, &hand{grid: g, self: i, moved: make([]cell, len(g.levels)+1)})
	}
	g.sumUp()
	return g
}

// setLevels renumbers the levels so that only those remain that have the weight
// to ever be split off. All others, and none, are as one to every tree, and get
// the number after the last. It returns the level of each code, from that of -1 on.
func (g *grid) setLevels(train Set) (levelOf []int32) {
	b := &train.X.Blocks[0]
	sums := make([]cell, len(b.Columns)+1)
	for row, code := range b.Codes {
		sums[code+1].hess += float64(train.weight(row))
		sums[code+1].rows++
	}
	levelOf = make([]int32, len(sums))
	for i := range sums {
		levelOf[i] = -1
		if c := sums[i]; i > 0 && c.counts(g.minChild) {
			c.code = int32(len(g.levels))
			levelOf[i] = c.code
			g.levels = append(g.levels, c)
			g.block.features = append(g.block.features, b.Columns[i-1])
		}
	}
	for i, level := range levelOf {
		if level < 0 {
			levelOf[i] = g.others()
		}
	}
	return levelOf
}

// newLessons lays out the rows of squares that begin, rank by rank, where starts says.
func newLessons(set Set, starts []int32, cells []cell, rows []placed) lessons {
	l := lessons{
		first: make([]lesson, 0, len(cells)), more: make([]another, 0, len(rows)-len(cells)),
		starts: make([]int32, 1, len(starts)),
	}
	for rank := range len(starts) - 1 {
		for q := starts[rank]; q < starts[rank+1]; q++ {
			for i, row := range rows[:cells[q].rows] {
				x := lesson{row.label, set.weight(int(row.row))}
				if i == 0 {
					l.first = append(l.first, x)
				} else {
					l.more = append(l.more, another{x, q})
				}
			}
			rows = rows[cells[q].rows:]
		}
		l.starts = append(l.starts, int32(len(l.more)))
	}
	return l
}

// cutStrips cuts between stretches.
func (g *grid) cutStrips(ranks int) {
	n := min(1+len(g.squares)/squaresPerStrip, mostStrips)
	for i := range n {
		s := strip{to: ranks, byLevel: make([]float64, len(g.levels)+1)}
		if i > 0 {
			s.from = g.strips[i-1].to
		}
		if i < n-1 {
			end := int32(len(g.squares) / n * (i + 1))
			at, _ := slices.BinarySearch(g.train.starts[:ranks], end)
			s.to = max(s.from, at/stretchRanks*stretchRanks)
		}
		g.strips = append(g.strips, s)
	}
}
