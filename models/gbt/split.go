package gbt

import "math"

// sums are a set of rows' gradient and hessian sums: float64 sums of float32
// numbers, as XGBoost's param.h, GradStats. With sensible labels and weights
// every such sum is exact, so that it does not matter in which order the rows
// are added or that a part is subtracted from the whole.
type sums struct{ grad, hess float64 }

func (a sums) plus(b sums) sums  { return sums{a.grad + b.grad, a.hess + b.hess} }
func (a sums) minus(b sums) sums { return sums{a.grad - b.grad, a.hess - b.hess} }

// rule is the part of Params that decides on splits. The numbers are float32 in
// XGBoost (param.h, TrainParam) and widened where they meet sums.
type rule struct {
	alpha, lambda, minChild float64
	eta, gamma              float32
	maxDepth                int
	chance                  *sample // nil: nothing is left to it
}

func newRule(p Params) rule {
	r := rule{
		alpha:    float64(parameter(p.RegAlpha)),
		lambda:   float64(parameter(p.RegLambda)),
		minChild: float64(parameter(p.MinChildWeight)),
		eta:      parameter(p.LearningRate),
		gamma:    parameter(p.Gamma),
		maxDepth: p.MaxDepth,
		chance:   newSample(p),
	}
	if r.maxDepth == 0 {
		r.maxDepth = math.MaxInt
	}
	return r
}

// gain is as XGBoost's split_evaluator.h, CalcGainGivenWeight with Divide:
// both operands are computed in float64 and divided in float32.
func (p *rule) gain(s sums) float32 {
	if s.hess <= 0 {
		return 0
	}
	g := math.Abs(s.grad) - p.alpha // param.h, ThresholdL1, of which only the square is used
	if g < 0 {
		g = 0
	}
	return float32(float64(g*g)) / float32(s.hess+p.lambda)
}

// weight is the best answer for all rows of a node, as XGBoost's param.h,
// CalcWeight: in float64, rounded to float32 by its caller.
func (p *rule) weight(s sums) float32 {
	if s.hess < p.minChild || s.hess <= 0 {
		return 0
	}
	var g float64
	switch {
	case s.grad > p.alpha:
		g = s.grad - p.alpha
	case s.grad < -p.alpha:
		g = s.grad + p.alpha
	}
	return float32(-g / (s.hess + p.lambda))
}

// splittable tells whether the rows are enough for two children.
func (p *rule) splittable(total sums) bool { return total.hess >= 2*p.minChild && total.hess > 0 }

// answer writes the node's own numbers, as if it were to stay a leaf. As
// XGBoost's updater_colmaker.cc, InitNewNode, FindSplit and Update.
func (p *rule) answer(n *Node, total sums) {
	n.BaseWeight = p.weight(total)
	n.SumHessian = float32(total.hess)
	n.Value = float32(n.BaseWeight * p.eta)
}

// split is the best split found of a node.
type split struct {
	loss        float32 // what it gains; 0: none found
	feature     int32
	threshold   float32
	defaultLeft bool
	left, right sums
	column      int
	at          int   // the index, in the column's cells, of the level split off
	from, to    int32 // of a number: between which codes the least lies that is not below the threshold
}

// search looks for the best split of one node.
type search struct {
	*rule
	picks *picks // columns to look at; nil: all
	total sums
	sieve sieve   // holds back what cannot be the best
	root  float32 // gain of the node as it is
	best  split
}

func newSearch(r *rule, total sums) search {
	s := search{rule: r, sieve: newSieve(total, r.lambda), total: total, root: r.gain(total)}
	s.raise()
	return s
}

// raise sets the sieve by the best split so far. What float32 rounds off a gain
// is less than a millionth of it; the other part is for numbers that float32
// cannot hold in full.
func (s *search) raise() {
	sum := float64(s.root) + float64(s.best.loss)
	s.sieve.raise(sum - float64(1e-6*sum) - 1e-30)
}

// offer compares a split into left and right with the best so far, as XGBoost's
// param.h, SplitEntry::Update and NeedReplace: more gain, then the lower feature.
func (s *search) offer(left, right sums, feature int32) bool {
	if right.hess < s.minChild || left.hess < s.minChild {
		return false
	}
	// As updater_colmaker.cc, UpdateEnumeration: gains are float32, and so is each step.
	loss := float32(float32(s.gain(left)+s.gain(right)) - s.root)
	if loss > s.best.loss || loss == s.best.loss && feature < s.best.feature && loss > 0 {
		if loss > math.MaxFloat32 {
			return false
		}
		s.best.loss, s.best.feature = loss, feature
		s.best.left, s.best.right = left, right
		s.raise()
		return true
	}
	return false
}

// indicator is the threshold between a one-hot level and its absence: a value
// of 1 less the gap below it. As XGBoost's updater_colmaker.cc, EnumerateSplit.
var indicator = belowAll(1)

const epsilon float32 = 1e-6 // base.h, kRtEps

func belowAll(v float32) float32 { return v - float32(float32(math.Abs(float64(v)))+epsilon) }
func aboveAll(v float32) float32 { return v + float32(float32(math.Abs(float64(v)))+epsilon) }

// column searches column at of the node for better splits than the best so far.
// Cells without rows are passed over.
func (s *search) column(at int, c *column, cells []cell) {
	if c.block() {
		s.levels(at, c, cells)
		return
	}
	if !s.picks.has(c.features[0]) {
		return
	}
	if c.forward {
		s.forward(at, c, cells)
	}
	s.backward(at, c, cells)
}

// levels searches a one-hot block: each level against all other rows. XGBoost
// searches such columns backward only, which sends rows of the level right and
// all others left.
func (s *search) levels(at int, c *column, cells []cell) {
	sieve := s.sieve
	for i := range cells {
		right := cells[i].sums
		if sieve.holds(right) {
			continue
		}
		feature := c.features[cells[i].code]
		if s.picks.has(feature) && s.offer(s.total.minus(right), right, feature) {
			s.best.column, s.best.at = at, i
			s.best.threshold, s.best.defaultLeft = indicator, true
			sieve = s.sieve
		}
	}
}

// backward searches a number from its greatest value to its least: what was
// passed goes right, all other rows, with those that have no value, left. As
// XGBoost's updater_colmaker.cc, UpdateEnumeration and EnumerateSplit.
func (s *search) backward(at int, c *column, cells []cell) {
	s.belowAll(at, c, s.sweep(at, c, cells, passed{last: -1}))
}

// passed is the cells that a search of a number has passed: their sums, and the
// code of the last, -1 if there was none.
type passed struct {
	sums
	last int32
}

// sweep searches backward from what was passed, and returns what is then.
func (s *search) sweep(at int, c *column, cells []cell, p passed) passed {
	right, last, sieve := p.sums, p.last, s.sieve
	for i := len(cells) - 1; i >= 0; i-- {
		cell := &cells[i]
		if cell.rows == 0 {
			continue
		}
		if !sieve.holds(right) && right.hess != 0 && s.parts(c, cell.code, last, cell.code) && s.offer(s.total.minus(right), right, c.features[0]) {
			s.best.column, s.best.defaultLeft = at, true
			s.best.threshold = between(c.values[cell.code], c.values[last])
			s.best.from, s.best.to = cell.code, last
			sieve = s.sieve
		}
		right = right.plus(cell.sums)
		last = cell.code
	}
	return passed{right, last}
}

// belowAll offers the split below all values, when all were passed.
func (s *search) belowAll(at int, c *column, right passed) {
	if right.last >= 0 && s.offer(s.total.minus(right.sums), right.sums, c.features[0]) {
		s.best.column, s.best.defaultLeft = at, true
		s.best.threshold = belowAll(c.values[right.last])
		s.best.from, s.best.to = 0, right.last
	}
}

// forward searches a number from its least value to its greatest: what was
// passed goes left, all other rows, with those that have no value, right.
func (s *search) forward(at int, c *column, cells []cell) {
	var left sums
	first, last, sieve := int32(-1), int32(-1), s.sieve
	for i := range cells {
		cell := &cells[i]
		if cell.rows == 0 {
			continue
		}
		if !sieve.holds(left) && left.hess != 0 && s.parts(c, first, last, cell.code) && s.offer(left, s.total.minus(left), c.features[0]) {
			s.best.column, s.best.defaultLeft = at, false
			s.best.threshold = between(c.values[cell.code], c.values[last])
			s.best.from, s.best.to = last, cell.code
			sieve = s.sieve
		}
		left = left.plus(cell.sums)
		if last = cell.code; first < 0 {
			first = cell.code
		}
	}
	if last >= 0 && s.offer(left, s.total.minus(left), c.features[0]) {
		s.best.column, s.best.defaultLeft = at, false
		s.best.threshold = aboveAll(c.values[last])
		s.best.from, s.best.to = last, c.count()
	}
}

// parts tells whether a split between the values of two codes parts the rows of
// a node at all. It does not if the sum of the values is beyond float32. Nor does
// it, in a forward search, if they are neighbours among the float32s whose mean
// is the greater one, and the lesser is the least of the node: between then gives
// the lesser, which is not below itself. XGBoost makes such splits, one below the
// other down to its max_depth; so do we, but not where there is no limit.
func (s *search) parts(c *column, least, before, now int32) bool {
	if s.maxDepth < math.MaxInt {
		return true
	}
	threshold := between(c.values[now], c.values[before])
	return threshold > c.values[least] && threshold <= math.MaxFloat32
}

// between is the threshold between two neighbouring values, as XGBoost's
// updater_colmaker.cc, UpdateEnumeration: their float32 mean, but the value
// passed before where that cannot be told from the value now. Where their sum is
// beyond float32, it is infinite.
func between(now, before float32) float32 {
	mean := float32(now+before) * 0.5
	if mean == now {
		return before
	}
	return mean
}
