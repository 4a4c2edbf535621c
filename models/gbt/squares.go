package gbt

// squares are the rows of one set, gathered by level and value: no tree can
// tell the rows of one square apart, so they share a prediction.
//
// A value goes by its rank, the missing one being ranked last. The squares lie
// rank by rank, and by level within; byLevel lists them the other way.
type squares struct {
	starts      []int32 // those of a rank are starts[rank] to starts[rank+1]
	predictions []float32
	byLevel     []square  // of the levels that can be split off
	levelStarts []int32   // those of a level are byLevel[levelStarts[level]:levelStarts[level+1]]
	of          []int32   // the square of each row
	byRow       []float32 // predictions of the rows; nil until asked for

	// While a tree grows and is added:
	off  []bool    // those whose level was split off from the others of their rank
	says []float32 // what the tree says of them
}

// square is where a square is found, and its rank.
type square struct{ at, rank int32 }

// gather makes the squares of rows with these levels and ranks. It also returns
// the level of each square, and the rows in the order of squares with the
// place where each square's begin.
func gather(level, rank []int32, levels, ranks int, base float32) (s squares, levelOf, rows, starts []int32) {
	rows = countingSort(nil, level, levels+1)
	starts, levelOf = make([]int32, 0, len(rows)+1), make([]int32, 0, len(rows))
	rows = countingSort(rows, rank, ranks+1)
	s = squares{starts: make([]int32, ranks+2), levelStarts: make([]int32, levels+1), of: make([]int32, len(rows))}
	for i, row := range rows {
		if i == 0 || level[row] != level[rows[i-1]] || rank[row] != rank[rows[i-1]] {
			starts, levelOf = append(starts, int32(i)), append(levelOf, level[row])
			s.starts[rank[row]+1]++
		}
		s.of[row] = int32(len(starts)) - 1
	}
	starts = append(starts, int32(len(rows)))
	for r := range ranks + 1 {
		s.starts[r+1] += s.starts[r]
	}
	order := countingSort(nil, levelOf, levels+1)
	s.byLevel = make([]square, 0, len(order))
	for _, at := range order {
		if l := levelOf[at]; int(l) < levels {
			s.byLevel = append(s.byLevel, square{at, rank[rows[starts[at]]]})
			s.levelStarts[l+1]++
		}
	}
	for l := range levels {
		s.levelStarts[l+1] += s.levelStarts[l]
	}
	s.predictions = make([]float32, len(levelOf))
	for i := range s.predictions {
		s.predictions[i] = base
	}
	s.off, s.says = make([]bool, len(levelOf)), make([]float32, len(levelOf))
	return s, levelOf, rows, starts
}

// countingSort sorts rows, or if nil all rows there are, by key, which is less
// than n; rows of equal key keep their order.
func countingSort(rows, key []int32, n int) []int32 {
	next := make([]int32, n)
	for _, k := range key {
		next[k]++
	}
	var sum int32
	for k, count := range next {
		next[k], sum = sum, sum+count
	}
	out := make([]int32, len(key))
	for i := range key {
		row := int32(i)
		if rows != nil {
			row = rows[i]
		}
		k := key[row]
		out[next[k]] = row
		next[k]++
	}
	return out
}

// in returns the squares of a level in an area.
func (s *squares) in(level int32, a area) (valued, missing []square) {
	all := s.byLevel[s.levelStarts[level]:s.levelStarts[level+1]]
	i := seek(all, a.lo)
	valued, all = all[i:], all[i:]
	i = seek(all, a.hi)
	if a.missing && len(all) > 0 && all[len(all)-1].rank == a.last {
		missing = all[len(all)-1:]
	}
	return valued[:i], missing
}

// seek returns the place of the first square of the rank or a greater one, by
// halving, in a form that takes no branch that cannot be foreseen.
func seek(list []square, rank int32) int {
	at := 0
	for n := len(list); n > 0; {
		half := (n + 1) / 2
		if list[at+half-1].rank < rank {
			at += half
		}
		n -= half
	}
	return at
}

// paint notes what the tree says of the squares of levels that were split off.
func (s *squares) paint(leaves []leaf, others int32) {
	for i := range leaves {
		l := &leaves[i]
		if l.level == others {
			continue
		}
		valued, missing := s.in(l.level, l.area)
		for _, q := range valued {
			s.off[q.at], s.says[q.at] = true, l.says
		}
		for _, q := range missing {
			s.off[q.at], s.says[q.at] = true, l.says
		}
	}
}

// add adds what the tree says to the predictions of ranks [from, to): of a rank
// in general, and of the squares that are off.
func (s *squares) add(says []float32, from, to int) {
	q := s.starts[from]
	for rank := from; rank < to; rank++ {
		end := s.starts[rank+1]
		predictions, off := s.predictions[q:end], s.off[q:end]
		all := says[rank]
		for i := range predictions {
			v := all
			if off[i] {
				off[i], v = false, s.says[int(q)+i]
			}
			predictions[i] = float32(predictions[i] + v)
		}
		q = end
	}
}
