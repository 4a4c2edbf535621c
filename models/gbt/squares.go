package gbt

import (
	"math"
	"slices"
)

// squares are the rows of one set, gathered by level and value: no tree can
// tell the rows of one square apart, so they share a prediction.
//
// A value goes by its rank, the missing one being ranked last. The squares lie
// rank by rank, and by level within; byLevel lists them the other way.
type squares struct {
	starts      []int32   // those of a rank are starts[rank] to starts[rank+1]
	predictions []float32 // one a square
	byLevel     []square  // of the levels that can be split off
	levelStarts []int32   // those of a level are byLevel[levelStarts[level]:levelStarts[level+1]]
	of          []int32   // the square of each row; nil if the set is not watched

	// While a tree grows and is added, all ones: the square's level was split off
	// from the others of its rank. Else 0.
	off []uint32
}

// square is where a square is found, and its rank.
type square struct{ at, rank int32 }

// placed is a row on its way to its square; key is its rank, and later its level.
type placed struct {
	key, row int32
	label    float32
}

// gather makes the squares of a set whose rows have these ranks, -1 if they have
// no value; levels gives the level of each code, from that of -1 on. It also
// returns the code and the sum of the weights of each square, and the rows in
// the order of the squares.
func gather(set Set, ranks, levels []int32, levelCount, rankCount int, base float32) (s squares, cells []cell, rows []placed) {
	codes := set.X.Blocks[0].Codes
	byLevel, byRank := make([]int32, levelCount+2), make([]int32, rankCount+2)
	for i, code := range codes {
		byLevel[levels[code+1]+1]++
		if ranks[i] < 0 {
			ranks[i] = int32(rankCount)
		}
		byRank[ranks[i]+1]++
	}
	addUp(byLevel)
	addUp(byRank)
	sorted := make([]placed, len(codes))
	for i, code := range codes {
		next := &byLevel[levels[code+1]]
		sorted[*next] = placed{ranks[i], int32(i), float32(set.Y[i])}
		*next++
	}
	rows = make([]placed, len(codes))
	at := int32(0)
	for level := range int32(levelCount + 1) {
		for end := byLevel[level]; at < end; at++ { // each start has moved to its level's end
			row := &sorted[at]
			next := &byRank[row.key]
			rows[*next] = placed{level, row.row, row.label}
			*next++
		}
	}
	ends := byRank[:rankCount+1]
	s.starts = make([]int32, 1, len(ends)+1)
	count := int32(0)
	at = 0
	for _, end := range ends {
		for from := at; at < end; at++ {
			if at == from || rows[at].key != rows[at-1].key {
				count++
			}
		}
		s.starts = append(s.starts, count)
	}
	cells = make([]cell, 0, count)
	at = 0
	for _, end := range ends {
		for from := at; at < end; at++ {
			row := &rows[at]
			if at == from || row.key != rows[at-1].key {
				cells = append(cells, cell{code: row.key})
			}
			c := &cells[len(cells)-1]
			c.hess += float64(set.weight(int(row.row)))
			c.rows++
		}
	}
	s.predictions, s.off = make([]float32, count), make([]uint32, count)
	for i := range s.predictions {
		s.predictions[i] = base
	}
	s.listByLevel(cells, levelCount)
	return s, cells, rows
}

// addUp makes sums of counts: of each, those before it and itself.
func addUp(counts []int32) {
	var sum int32
	for i, n := range counts {
		sum += n
		counts[i] = sum
	}
}

// watch notes which square each row has.
func (s *squares) watch(cells []cell, rows []placed) {
	s.of = make([]int32, len(rows))
	at := 0
	for q := range cells {
		for range cells[q].rows {
			s.of[rows[at].row] = int32(q)
			at++
		}
	}
}

// rmse is that of the set that the squares were gathered from, as the function
// rmse.
func (s *squares) rmse(set Set) float64 {
	var e errorSum
	var some [256]float32
	for from := 0; from < len(s.of); from += len(some) {
		of := s.of[from:min(from+len(some), len(s.of))]
		for i, q := range of {
			some[i] = s.predictions[q]
		}
		e.add(some[:len(of)], set, from)
	}
	return e.rmse()
}

func (s *squares) listByLevel(cells []cell, levelCount int) {
	next := make([]int32, levelCount+2)
	for i := range cells {
		next[cells[i].code+1]++
	}
	addUp(next)
	s.levelStarts = slices.Clone(next[:levelCount+1])
	s.byLevel = make([]square, s.levelStarts[levelCount])
	for rank := range int32(len(s.starts) - 1) {
		for q := s.starts[rank]; q < s.starts[rank+1]; q++ {
			if level := cells[q].code; int(level) < levelCount {
				s.byLevel[next[level]] = square{q, rank}
				next[level]++
			}
		}
	}
}

// in returns which of byLevel the squares of a level are that have a value in an area.
func (s *squares) in(a *area) (from, to int32) {
	start := s.levelStarts[a.level]
	all := s.byLevel[start:s.levelStarts[a.level+1]]
	i := seek(all, a.lo)
	return start + i, start + i + seek(all[i:], a.hi)
}

// missing returns the square of a level's rows without value, if an area has
// such rows and the level too.
func (s *squares) missing(a *area) []square {
	all := s.byLevel[s.levelStarts[a.level]:s.levelStarts[a.level+1]]
	if last := len(all) - 1; a.missing && last >= 0 && all[last].rank == a.last {
		return all[last:]
	}
	return nil
}

// seek returns the place of the first square of the rank or a greater one, by
// halving, in a form that takes no branch that cannot be foreseen.
func seek(list []square, rank int32) int32 {
	at := 0
	for n := len(list); n > 0; {
		half := (n + 1) / 2
		if list[at+half-1].rank < rank {
			at += half
		}
		n -= half
	}
	return int32(at)
}

// tell adds what the tree says of levels that were split off. As XGBoost's
// cpu_predictor.cc, PredictByAllTrees: in float32, tree by tree.
func (s *squares) tell(list []square, says float32) {
	for _, q := range list {
		s.off[q.at] = math.MaxUint32
		s.predictions[q.at] = float32(s.predictions[q.at] + says)
	}
}

// add adds what the tree says, by rank, of all other squares.
func (s *squares) add(says []float32) {
	for rank, v := range says {
		from, to := s.starts[rank], s.starts[rank+1]
		addUnlessOff(s.predictions[from:to], s.off[from:to], v)
	}
}

// addUnlessOff adds to the predictions that are not off, as tell does, and takes
// no branch to see which: of those that are it leaves no bit of v, which makes it 0.
func addUnlessOff(predictions []float32, off []uint32, v float32) {
	off = off[:len(predictions)]
	for i, p := range predictions {
		predictions[i] = float32(p + math.Float32frombits(math.Float32bits(v)&^off[i]))
		off[i] = 0
	}
}
