package gbt

import "math"

// shortlist is the levels that are worth a look when a node is searched for one
// to split off: its cells are the first of the node's. Mostly one level after
// another is split off from the same node, and what is left of the node differs
// from it by little; so does what the other levels would gain.
//
// In the terms of sieve, a level may be the best only if, from h+λ = h',
//
//	d²/h' ≥ slope·(H+2λ-h') - offset/h'
//
// When the list is made, the root of the left side is at most score for all
// levels not on it, and h' at most most². When w has changed by δ since, d has
// changed by δh', and so that root by no more than δ·most.
type shortlist struct {
	count       int
	weight      float64 // w when the list was made
	score, most float64 // most is 0 if there is no list yet
}

// Levels are listed that gain at least about six tenths of what the best gains,
// and those that have at least a thirty-second of the node's rows.
const listGain, listRows = 0.6, 1. / 32

// suffices tells whether no level but those listed can be better than the best
// split there is.
func (l *shortlist) suffices(s *search) bool {
	f := &s.sieve
	root := l.score + float64(math.Abs(f.weight-l.weight)*l.most)
	need := float64(f.slope*(f.whole-float64(l.most*l.most))) - f.offset/(s.minChild+s.lambda)
	return l.most > 0 && root*root*(1+1e-9) < need // not if need is no number
}

// list searches all cells of levels, and puts first those that it lists.
func (s *search) list(c *column, cells []cell) (l shortlist) {
	f := s.sieve
	most := float64(s.total.hess*listRows) + s.lambda
	for i := range cells {
		right := cells[i].sums
		h := right.hess + f.lambda
		d := right.grad - float64(f.weight*h)
		if float64(d*d) < float64(listGain*f.slope*float64(h*(f.whole-h)))-f.offset && h <= most {
			continue // held back by the sieve as well
		}
		at := l.count
		l.count++
		cells[i], cells[at] = cells[at], cells[i]
		if s.best.column == 0 {
			switch s.best.at {
			case i:
				s.best.at = at
			case at:
				s.best.at = i
			}
		}
		if !f.holds(right) && s.offer(s.total.minus(right), right, c.features[cells[at].code]) {
			s.best.column, s.best.at = 0, at
			s.best.threshold, s.best.defaultLeft = indicator, true
			f = s.sieve
		}
	}
	l.weight, l.score, l.most = f.weight, math.Sqrt(listGain*f.slope*f.whole), math.Sqrt(most)
	return l
}

// without removes a listed cell.
func (l shortlist) without(cells []cell, at int) ([]cell, shortlist) {
	l.count--
	cells[at] = cells[l.count]
	return without(cells, l.count), l
}
