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
	m, err := momentsOf(x, y)
	if err != nil {
		return solution{}, err
	}
	if err := ctx.Err(); err != nil {
		return solution{}, err
	}
	slopes, ok := m.slopes()
	if !ok {
		// Numbers that the categories or each other determine: the smallest
		// solution mixes them all, and the elimination does not see it.
		return leastSquares(ctx, x, y, converged)
	}
	errors := m.errors(slopes)
	bias := errors[0]
	if m.rows[0] == 0 {
		bias = 0
		seen := 0
		for i, n := range m.rows {
			if n > 0 {
				bias += errors[i]
				seen++
			}
		}
		bias /= float64(seen)
	}
	for i := range errors {
		errors[i] -= bias
	}
	return m.solution(x, bias, slopes, errors), nil
}

// slopes regresses y on the numbers, both as deviations from the means of
// their groups. It reports false where that has no unique answer.
func (m *moments) slopes() ([]float64, bool) {
	for j, mean := range m.numbers {
		squares := m.within[j][j]
		for i, n := range m.rows {
			squares += float64(n * float64(mean[i]*mean[i]))
		}
		// What is left of a number that its category determines is rounding.
		if math.Sqrt(m.within[j][j]) <= 1e-10*math.Sqrt(squares) {
			return nil, false
		}
	}
	q := quadratic{a: m.within, r: m.withinY}
	return q.solve()
}

func stored(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
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
