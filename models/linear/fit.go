package linear

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// Solver names a way to solve least squares. The zero Solver is Exact.
type Solver string

const (
	// Exact is the least-squares solution of smallest norm. Where the matrix is
	// one block and any numbers it is computed in closed form; for any other
	// shape by LSQR iterated until it moves no more.
	Exact Solver = "exact"

	// LSQR is scikit-learn 1.2's LinearRegression on a sparse matrix: scipy's
	// lsqr, stopped at a tolerance of 1e-6, which is well before convergence.
	// Where it then stands depends on rounding, on some data in the fourth
	// digit of the error: scikit-learn gives one answer on one make of CPU and
	// another on the next, or with more threads. This one gives the answer of
	// scikit-learn 1.2 with numpy 1.24 on one thread of a CPU with AVX-512,
	// whatever the machine, by adding in the same order.
	LSQR Solver = "lsqr"

	// Ridge minimises the sum of squared errors plus Alpha times the sum of
	// squared weights, in closed form where Exact is. scikit-learn's Ridge means
	// the same, but on a sparse matrix stops its iterations before convergence
	// unless it is given a small tol.
	Ridge Solver = "ridge"

	// Lasso minimises half the mean squared error plus Alpha times the sum of
	// the weights' sizes, which leaves many weights zero. For one block and any
	// numbers it is exact, by Newton's method; for any other shape it goes by
	// coordinate descent to a duality gap of 1e-12. scikit-learn's Lasso means
	// the same with a tol of 1e-4.
	Lasso Solver = "lasso"
)

var solvers = []Solver{Exact, LSQR, Ridge, Lasso}

// ParseSolver accepts the names of the solvers; "" is Exact.
func ParseSolver(s string) (Solver, error) {
	if s == "" {
		return Exact, nil
	}
	if solver := Solver(s); slices.Contains(solvers, solver) {
		return solver, nil
	}
	return "", fmt.Errorf("unknown solver %q: want %q, %q, %q or %q", s, Exact, LSQR, Ridge, Lasso)
}

// Penalised tells whether the solver heeds Params.Alpha.
func (s Solver) Penalised() bool { return s == Ridge || s == Lasso }

// Params are the settings of Fit; the zero Params are its defaults.
type Params struct {
	Solver Solver

	// Alpha is the weight of the penalty of Ridge and Lasso; 0 is 1, as in
	// scikit-learn. The other solvers have none, and refuse any other value.
	Alpha float64
}

func (p *Params) check() error {
	solver, err := ParseSolver(string(p.Solver))
	if err != nil {
		return err
	}
	p.Solver = solver
	switch {
	case !solver.Penalised() && p.Alpha != 0:
		return fmt.Errorf("solver %q has no penalty, but alpha is %v", solver, p.Alpha)
	case solver.Penalised() && p.Alpha == 0:
		p.Alpha = 1
	case p.Alpha < 0 || math.IsNaN(p.Alpha) || math.IsInf(p.Alpha, 0):
		return fmt.Errorf("alpha is %v", p.Alpha)
	}
	return nil
}

// Fit finds the bias and the weights with the least sum of squared errors, or
// with a penalty as the solver says; of several, those with the least sum of
// squared weights (the bias is free). Numbers that are missing count as 0. The
// result is the same for any GOMAXPROCS. It is an error when there are no rows,
// when y has another length than x has rows, when y or a number is infinite or
// y is NaN, when p is none of the settings above, and when ctx ends first.
func Fit(ctx context.Context, x *matrix.Matrix, y []float64, p Params) (*Model, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("fit least squares: %w", err)
	}
	if err := check(x, y); err != nil {
		return nil, fmt.Errorf("fit least squares: %w", err)
	}
	var s solution
	var err error
	switch p.Solver {
	case Exact:
		s, err = exact(ctx, x, y)
	case LSQR:
		s, err = leastSquares(ctx, x, y, sklearnStop)
	case Ridge:
		s, err = ridge(ctx, x, y, p.Alpha)
	case Lasso:
		s, err = lasso(ctx, x, y, p.Alpha)
	}
	if err != nil {
		return nil, fmt.Errorf("fit least squares: %w", err)
	}
	m := &Model{
		Bias: float32(s.bias), Weights: make([]float32, x.Width),
		Solver: p.Solver, Alpha: p.Alpha, Iterations: s.iterations,
	}
	for column, w := range s.weights {
		m.Weights[column] = float32(w)
	}
	return m, nil
}

type solution struct {
	bias       float64
	weights    []float64 // one a column
	iterations int
}

func check(x *matrix.Matrix, y []float64) error {
	if x.Rows == 0 {
		return errors.New("no rows")
	}
	if len(y) != x.Rows {
		return fmt.Errorf("%d targets for %d rows", len(y), x.Rows)
	}
	return nil
}

// checkValues looks for values that no sum can hold.
func checkValues(x *matrix.Matrix, y []float64) error {
	for row, v := range y {
		if v-v != 0 { // neither NaN nor infinity is itself less itself
			return fmt.Errorf("target of row %d is %v", row, v)
		}
	}
	for _, n := range x.Numbers {
		for row, v := range n.Values {
			if v-v != 0 && !math.IsNaN(v) {
				return fmt.Errorf("%s of row %d is %v", n.Name, row, v)
			}
		}
	}
	return nil
}
