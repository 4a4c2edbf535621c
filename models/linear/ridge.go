package linear

import (
	"context"
	"math"

	"github.com/taximeter/taximeter/features/matrix"
)

// ridge minimises ‖y − bias − Xw‖² + alpha·‖w‖², as Hoerl and Kennard 1970 and
// scikit-learn's Ridge do; the bias is free.
//
// With one block the weights of the categories are known once the bias and the
// slopes are: a category's weight is the sum of its errors over alpha more than
// its rows. What is then left of the category's cost is the squared deviations
// within it, and the square of its mean error with weight n·alpha/(n+alpha).
// That is least squares in as many unknowns as there are numbers.
func ridge(ctx context.Context, x *matrix.Matrix, y []float64, alpha float64) (solution, error) {
	damped := converged
	damped.damp = math.Sqrt(alpha)
	if len(x.Blocks) > 1 {
		return leastSquares(ctx, x, y, damped)
	}
	m, err := momentsOf(x, y)
	if err != nil {
		return solution{}, err
	}
	if err := ctx.Err(); err != nil {
		return solution{}, err
	}
	weight := make([]float64, len(m.rows))
	for i, n := range m.rows {
		weight[i] = float64(n*alpha) / (n + alpha)
	}
	weight[0] = m.rows[0] // its rows have no weight to pay for
	q := m.weighted(weight)
	for j := range q.a {
		q.a[j][j] += alpha
	}
	slopes, ok := q.solve()
	if !ok {
		return leastSquares(ctx, x, y, damped)
	}
	bias, weights := q.biasAt(slopes), m.errors(slopes)
	for i, n := range m.rows {
		weights[i] = float64(n*(weights[i]-bias)) / (n + alpha)
	}
	return m.solution(x, bias, slopes, weights), nil
}

// solve returns the slopes at which q is least, and whether they are certain.
func (q *quadratic) solve() ([]float64, bool) {
	scale := make([]float64, len(q.r)) // so that the numbers' units do not matter
	slopes := make([]float64, len(q.r))
	gram := make([][]float64, len(q.r))
	for j := range q.a {
		scale[j] = math.Sqrt(q.a[j][j])
		if scale[j] == 0 {
			return nil, false
		}
		gram[j] = make([]float64, j+1)
		for l := range gram[j] {
			gram[j][l] = q.a[j][l] / (scale[j] * scale[l])
		}
		slopes[j] = q.r[j] / scale[j]
	}
	if !solve(gram, slopes) {
		return nil, false
	}
	for j := range slopes {
		slopes[j] /= scale[j]
	}
	return slopes, true
}

// solution spells out the weights; of is those of the groups.
func (m *moments) solution(x *matrix.Matrix, bias float64, slopes, of []float64) solution {
	s := solution{bias: bias, weights: make([]float64, x.Width)}
	for j, n := range x.Numbers {
		s.weights[n.Column] = slopes[j]
	}
	for _, b := range x.Blocks {
		for code, column := range b.Columns {
			if m.rows[code+1] > 0 {
				s.weights[column] = of[code+1]
			}
		}
	}
	return s
}
