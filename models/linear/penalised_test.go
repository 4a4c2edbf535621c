package linear

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// costOf is what a penalised fit minimises, as scikit-learn defines it.
func costOf(x *matrix.Matrix, y []float64, s solution, p Params) float64 {
	var squares, size float64
	for row, target := range y {
		columns, values := x.AppendRow(row, nil, nil)
		e := target - s.bias
		for i, column := range columns {
			e -= values[i] * s.weights[column]
		}
		squares += e * e
	}
	for _, w := range s.weights {
		if p.Solver == Ridge {
			size += w * w
		} else {
			size += math.Abs(w)
		}
	}
	if p.Solver == Ridge {
		return squares + p.Alpha*size
	}
	return squares/float64(2*x.Rows) + p.Alpha*size
}

func TestPenalisedEqualsScikitLearn(t *testing.T) {
	data, err := os.ReadFile("testdata/penalised.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Problems []struct {
			problem
			Fits []struct {
				Solver            Solver
				Alpha, Bias, Cost float64
				Weights           []float64
			}
		}
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, p := range ref.Problems {
		t.Run(p.Name, func(t *testing.T) {
			x, y := problemOf(t, p.problem)
			for _, want := range p.Fits {
				compared++
				ways := map[string]func() (solution, error){}
				ctx := context.Background()
				if want.Solver == Ridge {
					damped := converged
					damped.damp = math.Sqrt(want.Alpha)
					ways["ridge"] = func() (solution, error) { return ridge(ctx, x, y, want.Alpha) }
					ways["damped"] = func() (solution, error) { return leastSquares(ctx, x, y, damped) }
				} else {
					ways["lasso"] = func() (solution, error) { return lasso(ctx, x, y, want.Alpha) }
					ways["descend"] = func() (solution, error) { return descend(ctx, x, y, want.Alpha*float64(x.Rows)) }
				}
				for way, fit := range ways {
					s, err := fit()
					if err != nil {
						t.Errorf("%s, alpha %v: %v", way, want.Alpha, err)
						continue
					}
					got := costOf(x, y, s, Params{Solver: want.Solver, Alpha: want.Alpha})
					if math.Abs(got-want.Cost) > 1e-11*want.Cost {
						t.Errorf("%s, alpha %v: cost %v, want %v", way, want.Alpha, got, want.Cost)
					}
					if math.Abs(s.bias-want.Bias) > 1e-5 {
						t.Errorf("%s, alpha %v: bias %v, want %v", way, want.Alpha, s.bias, want.Bias)
					}
					for i, w := range want.Weights {
						if math.Abs(s.weights[i]-w) > 1e-5 || (way == "lasso" && (s.weights[i] == 0) != (w == 0)) {
							t.Errorf("%s, alpha %v: weight %d is %v, want %v", way, want.Alpha, i, s.weights[i], w)
							break
						}
					}
				}
			}
		})
	}
	if compared < 50 {
		t.Errorf("only %d fits compared", compared)
	}
}

// Newton's steps must end on problems of every shape: small penalties, where
// the bias hangs on few categories, as well as ones that leave no weight.
func TestLassoByNewtonEqualsDescent(t *testing.T) {
	for seed := range uint64(60) {
		p := problem{
			Seed: seed + 100, Rows: 20 + int(seed*7%90), Blocks: []int{2 + int(seed%23)},
			Numbers: int(seed % 4), Absent: seed%3 == 0, Outliers: seed%5 == 0,
		}
		x, y := problemOf(t, p)
		for _, alpha := range []float64{1e-2, 0.1, 1, 100} {
			params := Params{Solver: Lasso, Alpha: alpha}
			newton, err := lasso(context.Background(), x, y, alpha)
			if err != nil {
				t.Fatal(err)
			}
			if newton.iterations > 50 {
				t.Errorf("%+v, alpha %v: %d iterations", p, alpha, newton.iterations)
			}
			descent, err := descend(context.Background(), x, y, alpha*float64(x.Rows))
			if err != nil {
				t.Fatalf("%+v, alpha %v: %v", p, alpha, err)
			}
			got, want := costOf(x, y, newton, params), costOf(x, y, descent, params)
			if math.Abs(got-want) > 1e-9*want {
				t.Errorf("%+v, alpha %v: cost %v by Newton, %v by descent", p, alpha, got, want)
			}
		}
	}
}

// Whole-number targets put many errors exactly on the border of a piece, and
// without numbers a penalty this small leaves the bias free within a range.
func TestLassoOnTheBorder(t *testing.T) {
	for _, levels := range []int{2, 3, 4} {
		c := matrix.Categories{Name: "c", Levels: []string{"a", "b", "c", "d"}}
		var y []float64
		for i := range 8 * levels {
			c.Codes = append(c.Codes, int32(i%levels))
			y = append(y, float64(10*(i%levels)))
		}
		cols := []matrix.Column{c, matrix.Values{Name: "x", Values: make([]float64, len(y))}}
		v, err := matrix.Fit(cols)
		if err != nil {
			t.Fatal(err)
		}
		x, err := v.Transform(cols)
		if err != nil {
			t.Fatal(err)
		}
		for _, alpha := range []float64{1e-9, 0.5, 1, 2.5, 5, 1000} {
			s, err := lasso(context.Background(), x, y, alpha)
			if err != nil {
				t.Fatal(err)
			}
			d, err := descend(context.Background(), x, y, alpha*float64(x.Rows))
			if err != nil {
				t.Fatal(err)
			}
			p := Params{Solver: Lasso, Alpha: alpha}
			if got, want := costOf(x, y, s, p), costOf(x, y, d, p); math.Abs(got-want) > 1e-9 {
				t.Errorf("%d levels, alpha %v: cost %v, want %v", levels, alpha, got, want)
			}
		}
	}
}

func TestPenalisedModel(t *testing.T) {
	x, y := problemOf(t, problem{Seed: 1, Rows: 50, Blocks: []int{5}, Numbers: 1})
	for _, solver := range []Solver{Ridge, Lasso} {
		byDefault, err := Fit(context.Background(), x, y, Params{Solver: solver})
		if err != nil {
			t.Fatal(err)
		}
		if byDefault.Alpha != 1 || byDefault.Solver != solver {
			t.Errorf("got %s with alpha %v, want %s with 1", byDefault.Solver, byDefault.Alpha, solver)
		}
		m, err := Fit(context.Background(), x, y, Params{Solver: solver, Alpha: 0.25})
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := m.WriteJSON(&file); err != nil {
			t.Fatal(err)
		}
		back, err := Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		if back.Solver != solver || back.Alpha != 0.25 || back.Iterations != m.Iterations {
			t.Errorf("read back %s with alpha %v after %d iterations", back.Solver, back.Alpha, back.Iterations)
		}
	}
	for want, p := range map[string]Params{
		"has no penalty, but alpha is 1": {Alpha: 1},
		"alpha is -1":                    {Solver: Ridge, Alpha: -1},
		"alpha is NaN":                   {Solver: Lasso, Alpha: math.NaN()},
	} {
		if _, err := Fit(context.Background(), x, y, p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestMeanRMSE(t *testing.T) {
	if got := MeanRMSE([]float64{1, 3}, []float64{2, 5, 2}); got != math.Sqrt(3) {
		t.Errorf("got %v, want √3", got)
	}
}

// Two blocks and a penalty that hardly tells their weights apart: sweeps alone
// need 43,248.
func TestDescentOfSmallPenalty(t *testing.T) {
	x, y := problemOf(t, problem{Seed: 20, Rows: 3000, Blocks: []int{40, 30}, Numbers: 1, Outliers: true})
	s, err := descend(context.Background(), x, y, 1e-5*float64(x.Rows))
	if err != nil {
		t.Fatal(err)
	}
	least, err := leastSquares(context.Background(), x, y, converged)
	if err != nil {
		t.Fatal(err)
	}
	p := Params{Solver: Lasso, Alpha: 1e-5}
	if got, most := costOf(x, y, s, p), costOf(x, y, least, p); got > most {
		t.Errorf("cost %v, least squares has %v", got, most)
	}
	if s.iterations > 200 {
		t.Errorf("%d iterations", s.iterations)
	}
}
