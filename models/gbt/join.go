package gbt

import (
	"fmt"
	"math"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// joined is the rows of all sets as one table, those of the training set first.
type joined struct {
	columns []column // without lists of their rows
	count   int
	train   Set
	evals   []Set
	first   []int // the first row of each evaluation set; 0: it is the training set
}

func joinRows(train Set, evals []Set) (joined, error) {
	if err := train.check(); err != nil {
		return joined{}, err
	}
	if train.X.Rows == 0 {
		return joined{}, fmt.Errorf("%s: no rows", train.label())
	}
	j := joined{train: train, evals: evals, count: train.X.Rows}
	xs := []*matrix.Matrix{train.X}
	for _, s := range evals {
		if err := s.check(); err != nil {
			return joined{}, err
		}
		if s.X == train.X { // often watched; its rows are there already
			j.first = append(j.first, 0)
			continue
		}
		if !sameLayout(train.X, s.X) {
			return joined{}, fmt.Errorf("%s: its columns are not those of the %s", s.label(), train.label())
		}
		j.first = append(j.first, j.count)
		j.count += s.X.Rows
		xs = append(xs, s.X)
	}
	if j.count > math.MaxInt32 {
		return joined{}, fmt.Errorf("%d rows are more than can be numbered", j.count)
	}
	for b, block := range train.X.Blocks {
		codes := make([]int32, 0, j.count)
		for _, x := range xs {
			codes = append(codes, x.Blocks[b].Codes...)
		}
		j.columns = append(j.columns, column{features: block.Columns, codes: codes})
	}
	for n, number := range train.X.Numbers {
		values := make([]float64, 0, j.count)
		for _, x := range xs {
			values = append(values, x.Numbers[n].Values...)
		}
		c := ranked(number.Column, values)
		c.searchForward(train.X.Rows)
		j.columns = append(j.columns, c)
	}
	return j, nil
}

// engineFor chooses by shape: the grid can do only one, and that one faster.
func engineFor(rows joined, r rule, base float32) engine {
	if x := rows.train.X; len(x.Blocks) == 1 && len(x.Numbers) == 1 && !slices.Contains(rows.train.Weights, 0) {
		return newGrid(rows, r, base)
	}
	return newGrower(rows, r, base)
}

// residual is the gradient of half the squared error, as XGBoost's
// regression_obj.cu, RegLossObj::GetGradient, in float32 throughout.
func residual(prediction, label, weight float32) float32 {
	return float32(float32(prediction-label) * weight)
}
