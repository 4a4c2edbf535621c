package linear

import (
	"context"
	"math"

	"github.com/taximeter/taximeter/features/matrix"
)

// exact solves one block and any numbers by eliminating the categories: within
// a category only the numbers are left to explain, so their slopes come from a
// regression of the deviations from each category's means (the within
// estimator; Frisch and Waugh 1933, Lovell 1963), and what a category adds is
// its mean error at those slopes.
//
// Adding t to every category and taking it from the bias changes no
// prediction; the smallest weights are those with mean zero. So the bias, and
// with it the prediction for a category never seen, is the mean over the
// categories. Where rows of no category exist, they fix the bias instead.
func exact(ctx context.Context, x *matrix.Matrix, y []float64) (solution, error) {
	if len(x.Blocks) > 1 {
		return leastSquares(ctx, x, y, converged)
	}
	g := groupsOf(x)
	if err := ctx.Err(); err != nil {
		return solution{}, err
	}
	slopes, ok := g.slopes(x, y)
	if !ok {
		// Numbers that the categories or each other determine: the smallest
		// solution mixes them all, and the elimination does not see it.
		return leastSquares(ctx, x, y, converged)
	}
	level := g.means(y)
	for j := range x.Numbers {
		mean := g.means(x.Numbers[j].Values)
		for i := range level {
			level[i] -= float64(slopes[j] * mean[i])
		}
	}
	s := solution{weights: make([]float64, x.Width)}
	for j, n := range x.Numbers {
		s.weights[n.Column] = slopes[j]
	}
	if none := len(level) - 1; g.rows[none] > 0 {
		s.bias = level[none]
	} else {
		seen := 0
		for i := range level {
			if g.rows[i] > 0 {
				s.bias += level[i]
				seen++
			}
		}
		s.bias /= float64(seen)
	}
	for code := range len(level) - 1 {
		if g.rows[code] > 0 {
			s.weights[x.Blocks[0].Columns[code]] = level[code] - s.bias
		}
	}
	return s, nil
}

// groups are the rows by category.
type groups struct {
	of   []int32 // group of each row
	rows []int   // rows of each group; the last group is the rows of no category
}

func groupsOf(x *matrix.Matrix) groups {
	if len(x.Blocks) == 0 {
		return groups{of: make([]int32, x.Rows), rows: []int{x.Rows}}
	}
	b := &x.Blocks[0]
	none := int32(len(b.Levels))
	g := groups{of: make([]int32, x.Rows), rows: make([]int, none+1)}
	for row, code := range b.Codes {
		if code < 0 {
			code = none
		}
		g.of[row] = code
		g.rows[code]++
	}
	return g
}

// means returns the mean of each group, 0 for an empty one; NaN counts as 0.
func (g groups) means(values []float64) []float64 {
	mean := make([]float64, len(g.rows))
	for row, i := range g.of {
		mean[i] += stored(values[row])
	}
	for i, n := range g.rows {
		if n > 0 {
			mean[i] /= float64(n)
		}
	}
	return mean
}

// deviations returns what each value differs from the mean of its group.
func (g groups) deviations(values, means []float64) []float64 {
	d := make([]float64, len(values))
	for row, i := range g.of {
		d[row] = stored(values[row]) - means[i]
	}
	return d
}

func stored(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// slopes regresses y on the numbers, both as deviations from the means of
// their groups. It reports false where that has no unique answer.
func (g groups) slopes(x *matrix.Matrix, y []float64) ([]float64, bool) {
	k := len(x.Numbers)
	if k == 0 {
		return nil, true
	}
	dy := g.deviations(y, g.means(y))
	dx := make([][]float64, k)
	scale := make([]float64, k) // so that the numbers' units do not matter
	for j := range dx {
		values := x.Numbers[j].Values
		dx[j] = g.deviations(values, g.means(values))
		scale[j] = math.Sqrt(dot(dx[j], dx[j]))
		var size float64
		for _, v := range values {
			size += float64(stored(v) * stored(v))
		}
		// What is left of a number that its category determines is rounding.
		if scale[j] <= 1e-10*math.Sqrt(size) {
			return nil, false
		}
	}
	gram := make([][]float64, k)
	right := make([]float64, k)
	for j := range k {
		gram[j] = make([]float64, j+1)
		for l := range gram[j] {
			gram[j][l] = dot(dx[j], dx[l]) / (scale[j] * scale[l])
		}
		right[j] = dot(dx[j], dy) / scale[j]
	}
	if !solve(gram, right) {
		return nil, false
	}
	for j := range right {
		right[j] /= scale[j]
	}
	return right, true
}

// solve replaces b by the solution of A·x = b, by Cholesky's decomposition. A is
// the lower triangle of a symmetric matrix with ones on its diagonal, and is
// overwritten. It reports false where A is singular, or nearly so.
func solve(a [][]float64, b []float64) bool {
	for j := range a {
		for l := range j + 1 {
			s := a[j][l]
			for i := range l {
				s -= float64(a[j][i] * a[l][i])
			}
			if l < j {
				a[j][l] = s / a[l][l]
			} else if s < 1e-12 {
				return false
			} else {
				a[j][j] = math.Sqrt(s)
			}
		}
	}
	for j := range a {
		for i := range j {
			b[j] -= float64(a[j][i] * b[i])
		}
		b[j] /= a[j][j]
	}
	for j := len(a) - 1; j >= 0; j-- {
		for i := j + 1; i < len(a); i++ {
			b[j] -= float64(a[i][j] * b[i])
		}
		b[j] /= a[j][j]
	}
	return true
}
