package gbt

import "math"

// sums are a set of rows' gradient and hessian sums: float64 sums of float32
// numbers, as XGBoost's param.h, GradStats. With sensible labels and weights
// every such sum is exact, so that it does not matter in which order the rows
// are added or that a part is subtracted from the whole.
type sums struct{ grad, hess float64 }

func (a sums) plus(b sums) sums  { return sums{a.grad + b.grad, a.hess + b.hess} }
func (a sums) minus(b sums) sums { return sums{a.grad - b.grad, a.hess - b.hess} }

// cell is what the rows of a node that have one code in a column sum up to.
type cell struct {
	sums
	code int32
	rows int32
}

// rule is the part of Params that decides on splits. The numbers are float32 in
// XGBoost (param.h, TrainParam) and widened where they meet sums.
type rule struct {
	alpha, lambda, minChild float64
	eta, gamma              float32
	maxDepth                int
}

func newRule(p Params) rule {
	r := rule{
		alpha:    float64(parameter(p.RegAlpha)),
		lambda:   float64(parameter(p.RegLambda)),
		minChild: float64(parameter(p.MinChildWeight)),
		eta:      parameter(p.LearningRate),
		gamma:    parameter(p.Gamma),
		maxDepth: p.MaxDepth,
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

// split is the best split found of a node.
type split struct {
	loss        float32 // what it gains; 0: none found
	feature     int32
	threshold   float32
	defaultLeft bool
	column      int
	code        int32 // of a block
}

// search looks for the best split of one node.
type search struct {
	*rule
	total sums
	root  float32 // gain of the node as it is
	best  split
}

// offer compares a split into left and right with the best so far, as XGBoost's
// param.h, SplitEntry::Update and NeedReplace: more gain, then the lower feature.
func (s *search) offer(left, right sums, feature int32) bool {
	// As updater_colmaker.cc, UpdateEnumeration: gains are float32, and so is each step.
	loss := float32(float32(s.gain(left)+s.gain(right)) - s.root)
	if loss > s.best.loss || loss == s.best.loss && feature < s.best.feature && loss > 0 {
		if loss > math.MaxFloat32 {
			return false
		}
		s.best.loss, s.best.feature = loss, feature
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
func (s *search) column(at int, c *column, cells []cell) {
	if c.block() {
		s.levels(at, c, cells)
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
	for i := range cells {
		right := cells[i].sums
		left := s.total.minus(right)
		if right.hess < s.minChild || left.hess < s.minChild {
			continue
		}
		if s.offer(left, right, c.features[cells[i].code]) {
			s.best.column, s.best.code = at, cells[i].code
			s.best.threshold, s.best.defaultLeft = indicator, true
		}
	}
}

// backward searches a number from its greatest value to its least: what was
// passed goes right, all other rows, with those that have no value, left. As
// XGBoost's updater_colmaker.cc, UpdateEnumeration and EnumerateSplit.
func (s *search) backward(at int, c *column, cells []cell) {
	var right sums
	var last float32
	try := func(threshold float32) {
		left := s.total.minus(right)
		if right.hess < s.minChild || left.hess < s.minChild {
			return
		}
		if s.offer(left, right, c.features[0]) {
			s.best.column, s.best.threshold, s.best.defaultLeft = at, threshold, true
		}
	}
	for i := len(cells) - 1; i >= 0; i-- {
		v := c.values[cells[i].code]
		if right.hess != 0 {
			try(between(v, last))
		}
		right = right.plus(cells[i].sums)
		last = v
	}
	try(belowAll(last))
}

// forward searches a number from its least value to its greatest: what was
// passed goes left, all other rows, with those that have no value, right.
func (s *search) forward(at int, c *column, cells []cell) {
	var left sums
	var last float32
	try := func(threshold float32) {
		right := s.total.minus(left)
		if left.hess < s.minChild || right.hess < s.minChild {
			return
		}
		if s.offer(left, right, c.features[0]) {
			s.best.column, s.best.threshold, s.best.defaultLeft = at, threshold, false
		}
	}
	for i := range cells {
		v := c.values[cells[i].code]
		if left.hess != 0 {
			try(between(v, last))
		}
		left = left.plus(cells[i].sums)
		last = v
	}
	try(aboveAll(last))
}

// between is the threshold between two neighbouring values, as XGBoost's
// updater_colmaker.cc, UpdateEnumeration: their float32 mean, but the value
// passed before where that cannot be told from the value now.
func between(now, before float32) float32 {
	mean := float32(now+before) * 0.5
	if mean == now {
		return before
	}
	return mean
}

// test is how rows go at the split.
func (s *split) test(columns []column) test {
	c := &columns[s.column]
	if c.block() {
		return test{column: s.column, from: s.code, to: s.code + 1, missing: false}
	}
	return test{column: s.column, from: c.below(s.threshold), to: c.count(), missing: !s.defaultLeft}
}
