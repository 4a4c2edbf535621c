package linear

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// descend minimises ‖y − bias − Xw‖²/2 + penalty·Σ|w| for a matrix of any shape
// by block coordinate descent (Friedman, Hastie and Tibshirani 2010; the blocks
// as in Tseng 2001): the columns of a one-hot block share no rows, so that all
// its weights are settled at once, by one pass over the rows. Every few sweeps the
// weights are taken to where the sweeps seem to lead (extrapolate), which small
// penalties need. It ends when the duality gap, by which scikit-learn's Lasso stops too, is a 1e-12 part of the
// sum of squares of y.
func descend(ctx context.Context, x *matrix.Matrix, y []float64, penalty float64) (solution, error) {
	if err := checkValues(x, y); err != nil {
		return solution{}, err
	}
	d := newDescent(x, y, penalty)
	const limit = 20_000
	for d.iterations < limit {
		if err := ctx.Err(); err != nil {
			return solution{}, err
		}
		if d.iterations%sweeps == 0 {
			d.trail = d.trail[:0]
		}
		d.trail = append(d.trail, slices.Clone(d.weights))
		d.sweep()
		if d.iterations%sweeps == 0 {
			d.level()
			if d.gap() <= 1e-12*d.yy {
				return d.solution, nil
			}
			d.extrapolate()
		}
	}
	return solution{}, fmt.Errorf("coordinate descent has not converged after %d iterations: a greater alpha needs fewer", d.iterations)
}

// sweeps are made between two extrapolations.
const sweeps = 6

type descent struct {
	solution
	x        *matrix.Matrix
	penalty  float64
	centre   float64     // mean of y
	y        []float64   // less centre
	yy       float64     // its sum of squares
	residual []float64   // y less what the solution says; its mean is 0 after a sweep
	rows     [][]float64 // [block][code]
	numbers  [][]float64 // with 0 for NaN, less their means
	mean     []float64   // of numbers
	squares  []float64   // of numbers
	trail    [][]float64 // the weights before each sweep since the last extrapolation
}

func newDescent(x *matrix.Matrix, y []float64, penalty float64) *descent {
	d := &descent{x: x, penalty: penalty, y: make([]float64, x.Rows), residual: make([]float64, x.Rows)}
	d.weights = make([]float64, x.Width)
	d.centre = mean(y)
	d.bias = d.centre
	for row, v := range y {
		d.y[row] = v - d.centre
	}
	d.yy = dot(d.y, d.y)
	copy(d.residual, d.y)
	for i := range x.Blocks {
		rows := make([]float64, len(x.Blocks[i].Levels))
		for _, code := range x.Blocks[i].Codes {
			if code >= 0 {
				rows[code]++
			}
		}
		d.rows = append(d.rows, rows)
	}
	for _, n := range x.Numbers {
		values := make([]float64, x.Rows)
		for row, v := range n.Values {
			values[row] = stored(v)
		}
		m := mean(values)
		for row := range values {
			values[row] -= m
		}
		d.numbers, d.mean = append(d.numbers, values), append(d.mean, m)
		d.squares = append(d.squares, dot(values, values))
	}
	return d
}

// sweep settles every number, every block and the bias in turn.
func (d *descent) sweep() {
	d.iterations++
	for j, values := range d.numbers {
		if d.squares[j] == 0 {
			continue
		}
		from := d.weights[d.x.Numbers[j].Column]
		to := soft(dot(values, d.residual)+float64(d.squares[j]*from), d.penalty) / d.squares[j]
		if move := to - from; move != 0 {
			d.weights[d.x.Numbers[j].Column] = to
			d.bias -= float64(move * d.mean[j])
			for row, v := range values {
				d.residual[row] -= float64(move * v)
			}
		}
	}
	for i := range d.x.Blocks {
		b := &d.x.Blocks[i]
		move := d.sums(i)
		for code, n := range d.rows[i] {
			if n > 0 {
				from := d.weights[b.Columns[code]]
				to := soft(move[code]+float64(n*from), d.penalty) / n
				move[code] = to - from
				d.weights[b.Columns[code]] = to
			}
		}
		var total float64
		for row, code := range b.Codes {
			if code >= 0 {
				d.residual[row] -= move[code]
			}
			total += d.residual[row]
		}
		shift := total / float64(d.x.Rows)
		d.bias += shift
		for row := range d.residual {
			d.residual[row] -= shift
		}
	}
}

// level takes the median of a block's weights to the bias, where every row has a
// level of the block: no prediction changes, and no other shift of them all makes
// their sizes less. Sweeps alone get there by steps as small as the penalty.
func (d *descent) level() {
	for i, rows := range d.rows {
		columns := d.x.Blocks[i].Columns
		var weights []float64
		var total float64
		for code, n := range rows {
			total += n
			if n > 0 {
				weights = append(weights, d.weights[columns[code]])
			}
		}
		if int(total) < d.x.Rows {
			continue
		}
		slices.Sort(weights)
		middle := weights[len(weights)/2]
		for code, n := range rows {
			if n > 0 {
				d.weights[columns[code]] -= middle
			}
		}
		d.bias += middle
	}
}

// sums returns the sum of the residuals of each level of a block.
func (d *descent) sums(block int) []float64 {
	s := make([]float64, len(d.rows[block]))
	for row, code := range d.x.Blocks[block].Codes {
		if code >= 0 {
			s[code] += d.residual[row]
		}
	}
	return s
}

// gap bounds how far the cost is above the least one: the residuals, shrunk
// until no column is worth more than the penalty, are a point of the dual.
func (d *descent) gap() float64 {
	var steepest, size float64
	for _, values := range d.numbers {
		steepest = max(steepest, math.Abs(dot(values, d.residual)))
	}
	for i := range d.x.Blocks {
		for _, s := range d.sums(i) {
			steepest = max(steepest, math.Abs(s))
		}
	}
	for _, w := range d.weights {
		size += math.Abs(w)
	}
	shrink := 1.0
	if steepest > d.penalty {
		shrink = d.penalty / steepest
	}
	rr := dot(d.residual, d.residual)
	return float64(float64(rr*(1+float64(shrink*shrink)))/2) + float64(d.penalty*size) - float64(shrink*dot(d.residual, d.y))
}
