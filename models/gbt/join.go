package gbt

import (
	"fmt"
	"math"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// joined is the rows of all sets as one table, those of the training set first.
type joined struct {
	columns []column // nil until encode
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
	}
	if j.count > math.MaxInt32 {
		return joined{}, fmt.Errorf("%d rows are more than can be numbered", j.count)
	}
	return j, nil
}

// matrices returns those whose rows are joined, in that order.
func (j *joined) matrices() []*matrix.Matrix {
	xs := []*matrix.Matrix{j.train.X}
	for i, s := range j.evals {
		if j.first[i] != 0 {
			xs = append(xs, s.X)
		}
	}
	return xs
}

// encode makes the columns.
func (j *joined) encode() {
	for b, block := range j.train.X.Blocks {
		codes := make([]int32, 0, j.count)
		for _, x := range j.matrices() {
			codes = append(codes, x.Blocks[b].Codes...)
		}
		j.columns = append(j.columns, column{features: block.Columns, codes: codes})
	}
	for n := range j.train.X.Numbers {
		j.columns = append(j.columns, j.number(n))
	}
}

// number makes the column of a number.
func (j *joined) number(n int) column {
	var values [][]float64
	for _, x := range j.matrices() {
		values = append(values, x.Numbers[n].Values)
	}
	c := numberColumn(j.train.X.Numbers[n].Column, values...)
	c.searchForward(j.train.X.Rows)
	return c
}

// engineFor chooses by shape: the grid can do only one, and that one faster. It
// rests on sums of weights that stay the same, so that no row may be left out,
// and on thresholds that lie where the search took them to: see between.
func engineFor(rows joined, r rule, base float32) engine {
	great := func(v float64) bool { return math.Abs(v) > math.MaxFloat32/2 }
	if x := rows.train.X; len(x.Blocks) == 1 && len(x.Numbers) == 1 && r.chance == nil &&
		!slices.Contains(rows.train.Weights, 0) && !slices.ContainsFunc(x.Numbers[0].Values, great) {
		return newGrid(rows, r, base)
	}
	return newGrower(rows, r, base)
}

// residual is the gradient of half the squared error, as XGBoost's
// regression_obj.cu, RegLossObj::GetGradient, in float32 throughout.
func residual(prediction, label, weight float32) float32 {
	return float32(float32(prediction-label) * weight)
}
