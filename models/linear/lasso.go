package linear

import (
	"context"
	"math"

	"github.com/taximeter/taximeter/features/matrix"
)

// lasso minimises ‖y − bias − Xw‖²/(2·rows) + alpha·Σ|w|, as Tibshirani 1996 and
// scikit-learn's Lasso do; the bias is free.
//
// With one block the weights of the categories are known once the bias and the
// slopes are: a category's weight is its mean error, drawn towards zero by
// penalty/n. What is left of the category's cost is Huber's function of its mean
// error: a parabola where the weight is zero, straight lines outside. So the
// whole is a convex function of the bias and the slopes alone, made of
// quadratic pieces: Newton's step finds the bottom of a piece, and it is the
// answer once it lies in that piece. Where it does not, and is no better, the
// step is shortened. The slopes' own penalties make the bottom of a piece a
// little lasso of its own.
func lasso(ctx context.Context, x *matrix.Matrix, y []float64, alpha float64) (solution, error) {
	penalty := alpha * float64(x.Rows)
	if len(x.Blocks) > 1 {
		return descend(ctx, x, y, penalty)
	}
	m, err := momentsOf(x, y)
	if err != nil {
		return solution{}, err
	}
	h := &huber{moments: m, penalty: penalty}
	bias, slopes := mean(y), make([]float64, len(x.Numbers))
	cost := h.cost(bias, slopes)
	for iteration := 1; iteration <= 200; iteration++ {
		if err := ctx.Err(); err != nil {
			return solution{}, err
		}
		piece := h.piece(bias, slopes)
		toBias, toSlopes := h.bottom(piece, slopes)
		if h.same(piece, toBias, toSlopes) {
			weights := h.errors(toSlopes)
			for i, n := range h.rows {
				weights[i] = soft(weights[i]-toBias, penalty/n) // the best at its mean error
			}
			s := h.solution(x, toBias, toSlopes, weights)
			s.iterations = iteration
			return s, nil
		}
		step := 1.0
		for {
			b, s := between(bias, toBias, step), make([]float64, len(slopes))
			for j := range s {
				s[j] = between(slopes[j], toSlopes[j], step)
			}
			if c := h.cost(b, s); c < cost {
				bias, slopes, cost = b, s, c
				break
			}
			if step /= 2; step < 1e-6 {
				break
			}
		}
		if step < 1 { // the pieces about here are small: settle the bias by itself
			bias = h.bestBias(slopes)
			cost = h.cost(bias, slopes)
		}
	}
	return descend(ctx, x, y, penalty)
}

func between(from, to, step float64) float64 { return from + float64(step*(to-from)) }

// soft draws v towards zero by t.
func soft(v, t float64) float64 {
	switch {
	case v > t:
		return v - t
	case v < -t:
		return v + t
	}
	return 0
}

// huber is lasso's cost as a function of the bias and the slopes.
type huber struct {
	*moments
	penalty float64
}

// free tells whether a group has no weight of its own, ever.
func (h *huber) free(group int) bool { return group == 0 || h.rows[group] == 0 }

// cost is less than the true one by what no bias and no slopes change.
func (h *huber) cost(bias float64, slopes []float64) float64 {
	var c float64
	for j, s := range slopes {
		c += float64(h.penalty*math.Abs(s)) - float64(s*h.withinY[j])
		for l, t := range slopes {
			c += float64(float64(float64(s*t)*h.within[j][l]) / 2)
		}
	}
	for i, n := range h.rows {
		e := math.Abs(h.errorOf(i, bias, slopes))
		if float64(n*e) <= h.penalty || h.free(i) {
			c += float64(float64(n*float64(e*e)) / 2)
		} else {
			c += float64(h.penalty * (e - float64(h.penalty/n/2)))
		}
	}
	return c
}

// side is -1, 0 or 1 as a category's weight is negative, zero or positive.
func (h *huber) side(group int, bias float64, slopes []float64) int8 {
	switch e := float64(h.rows[group] * h.errorOf(group, bias, slopes)); {
	case h.free(group):
		return 0
	case e > h.penalty:
		return 1
	case e < -h.penalty:
		return -1
	}
	return 0
}

// piece returns the side of each group.
func (h *huber) piece(bias float64, slopes []float64) []int8 {
	p := make([]int8, len(h.rows))
	for i := range p {
		p[i] = h.side(i, bias, slopes)
	}
	return p
}

// same tells whether the bias and slopes lie in the piece or, as far as
// rounding lets one see, on its border, where the next piece has the same slope.
func (h *huber) same(piece []int8, bias float64, slopes []float64) bool {
	for i, side := range piece {
		s := h.side(i, bias, slopes)
		if s == side {
			continue
		}
		size := math.Abs(h.y[i]) + math.Abs(bias)
		for j, f := range slopes {
			size += math.Abs(f * h.numbers[j][i])
		}
		// One of the two is 0, unless both are far from a border they share.
		beyond := h.errorOf(i, bias, slopes) - float64(float64(s+side)*h.penalty)/h.rows[i]
		if s == -side || math.Abs(beyond) > 1e-12*size {
			return false
		}
	}
	return true
}

// bottom returns where the cost would be least if the quadratic of the piece
// held everywhere; where that says nothing of the bias, the best one.
func (h *huber) bottom(piece []int8, slopes []float64) (float64, []float64) {
	weight := make([]float64, len(piece))
	var total, pull float64
	for i, side := range piece {
		pull += float64(side)
		if side == 0 {
			weight[i] = h.rows[i]
			total += weight[i]
		}
	}
	q := h.weighted(weight)
	for j, mean := range h.numbers {
		for i, side := range piece {
			if side != 0 {
				q.r[j] += float64(h.penalty * float64(float64(side)*(mean[i]-q.centre[j])))
			}
		}
	}
	slopes = q.lasso(h.penalty, slopes)
	if q.biasFixed {
		return h.bestBias(slopes), slopes
	}
	return q.biasAt(slopes) + h.penalty*pull/total, slopes
}

// lasso returns the slopes at which q with a penalty on their sizes is least, by
// coordinate descent from the slopes given.
func (q *quadratic) lasso(penalty float64, slopes []float64) []float64 {
	out := append([]float64(nil), slopes...)
	for range 10_000 {
		moved := false
		for j := range out {
			if q.a[j][j] <= 0 {
				out[j] = 0 // the number does not vary
				continue
			}
			r := q.r[j]
			for l, s := range out {
				if l != j {
					r -= float64(q.a[j][l] * s)
				}
			}
			s := soft(r, penalty) / q.a[j][j]
			moved = moved || math.Abs(s-out[j]) > 1e-15*math.Abs(s)
			out[j] = s
		}
		if !moved || len(out) == 1 {
			break
		}
	}
	return out
}

// bestBias returns a bias at which the cost is least for the slopes given: where
// its derivative, which rises with the bias, is zero.
func (h *huber) bestBias(slopes []float64) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	level := make([]float64, len(h.rows))
	for i, n := range h.rows {
		if n > 0 {
			level[i] = h.errorOf(i, 0, slopes)
			low, high = min(low, level[i]), max(high, level[i])
		}
	}
	for {
		middle := low + float64((high-low)/2)
		if middle <= low || middle >= high {
			return middle
		}
		var pull float64
		for i, n := range h.rows {
			e := float64(n * (level[i] - middle))
			if !h.free(i) {
				e = max(-h.penalty, min(e, h.penalty))
			}
			pull += e
		}
		if pull > 0 {
			low = middle
		} else {
			high = middle
		}
	}
}
