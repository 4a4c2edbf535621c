package linear

import (
	"context"
	"errors"
	"fmt"
	"math"

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
)

// ParseSolver accepts the names of the solvers; "" is Exact.
func ParseSolver(s string) (Solver, error) {
	switch solver := Solver(s); solver {
	case Exact, LSQR:
		return solver, nil
	case "":
		return Exact, nil
	}
	return "", fmt.Errorf("unknown solver %q: want %q or %q", s, Exact, LSQR)
}

// Params are the settings of Fit; the zero Params are its defaults.
type Params struct {
	Solver Solver
}

// Fit finds the bias and the weights with the least sum of squared errors; of
// several, those with the least sum of squared weights (the bias is free).
// Numbers that are missing count as 0. The result is the same for any
// GOMAXPROCS. It is an error when there are no rows, when y has another length
// than x has rows, when y or a number is infinite or y is NaN, and when ctx
// ends first.
func Fit(ctx context.Context, x *matrix.Matrix, y []float64, p Params) (*Model, error) {
	solver, err := ParseSolver(string(p.Solver))
	if err != nil {
		return nil, fmt.Errorf("fit least squares: %w", err)
	}
	if err := check(x, y); err != nil {
		return nil, fmt.Errorf("fit least squares: %w", err)
	}
	var s solution
	if solver == LSQR {
		s, err = leastSquares(ctx, x, y, sklearnStop)
	} else {
		s, err = exact(ctx, x, y)
	}
	if err != nil {
		return nil, fmt.Errorf("fit least squares: %w", err)
	}
	m := &Model{Bias: float32(s.bias), Weights: make([]float32, x.Width), Solver: solver, Iterations: s.iterations}
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
	for row, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("target of row %d is %v", row, v)
		}
	}
	for _, n := range x.Numbers {
		for row, v := range n.Values {
			if math.IsInf(v, 0) {
				return fmt.Errorf("%s of row %d is %v", n.Name, row, v)
			}
		}
	}
	return nil
}
