package gbt

import "math"

// stretch is so many neighbouring ranks of the grid's number. A search passes
// over it as a whole if no cut within can be the best: most cuts of a large node
// are far from that.
//
// In the terms of sieve, a cut is held back unless
//
//	d² ≥ slope·h'(H+2λ-h') - offset
//
// where h' = h+λ. Along the stretch, from d₀ at its greater end, d is
//
//	d₀ + (tilt-w)·(what of hess was passed) ± reach
//
// so that |d| is at most the greater one at either end, and reach. The product,
// being concave, is least at either end.
type stretch struct {
	sums
	tilt  float64 // the mean gradient, when the tree began
	reach float64 // how far the last few ranks' grad is from tilt·hess, however few they are
}

const stretchRanks = 16

func newStretch(ranks []cell) (t stretch) {
	for i := range ranks {
		t.sums = t.plus(ranks[i].sums)
	}
	if t.hess > 0 {
		t.tilt = t.grad / t.hess
	}
	var least, most, sum float64 // of the first few
	for i := range ranks {
		sum += ranks[i].grad - float64(t.tilt*ranks[i].hess)
		if sum < least {
			least = sum
		}
		if sum > most {
			most = sum
		}
	}
	t.reach = max(sum-least, most-sum)
	return t
}

// off notes that a square was split off.
func (t *stretch) off(s sums) {
	t.sums = t.minus(s)
	t.reach += math.Abs(s.grad - float64(t.tilt*s.hess))
}

// passes tells whether all cuts within are held back, right being the sums of
// what lies beyond.
func (f *sieve) passes(t *stretch, right sums) bool {
	from := right.hess + f.lambda
	to := from + t.hess
	d := right.grad - float64(f.weight*from)
	end := d + float64((t.tilt-f.weight)*t.hess)
	d, end = math.Abs(d)+t.reach, math.Abs(end)+t.reach
	d, end = float64(d*d)*(1+1e-9), float64(end*end)*(1+1e-9)
	near := float64(f.slope*float64(from*(f.whole-from))) - f.offset
	far := float64(f.slope*float64(to*(f.whole-to))) - f.offset
	return d < near && d < far && end < near && end < far // all foreseen, mostly
}

// within returns which stretches lie within an area whole, its first rank aside.
func within(a *area) (from, to int32) { return a.lo/stretchRanks + 1, a.hi / stretchRanks }

// cuts searches the number for a patch of all levels, as search.column does.
func (h *hand) cuts(s *search, p *patch) {
	c := &h.grid.number
	from, to := within(&p.area)
	if c.forward || from >= to {
		s.column(1, c, h.values[p.lo:p.hi])
		return
	}
	right := s.sweep(1, c, h.values[to*stretchRanks:p.hi], passed{last: -1})
	for i := to - 1; i >= from; i-- {
		if t := &h.stretches[i]; s.sieve.passes(t, right.sums) {
			right.sums = right.plus(t.sums)
		} else {
			right.last = h.rankFrom((i+1)*stretchRanks, p.hi)
			right = s.sweep(1, c, h.values[i*stretchRanks:(i+1)*stretchRanks], right)
		}
	}
	right.last = h.rankFrom(from*stretchRanks, p.hi)
	right = s.sweep(1, c, h.values[p.lo:from*stretchRanks], right)
	s.belowAll(1, c, right)
}

// rankFrom returns the first rank from lo on that has rows, or -1.
func (g *grid) rankFrom(lo, hi int32) int32 {
	for rank := lo; rank < hi; rank++ {
		if g.values[rank].rows != 0 {
			return rank
		}
	}
	return -1
}
