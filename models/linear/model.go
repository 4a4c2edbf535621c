// Package linear fits least squares on a design matrix, and reads and writes
// the result as an XGBoost gblinear model. It does not know what the columns
// mean, nor anything of trees.
package linear

import (
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// Model predicts BaseScore + Bias + Σ Weights[column]·value over the values
// that a row stores; a value that is not stored adds nothing. It is read-only
// once made and may be used by many goroutines.
type Model struct {
	BaseScore float32
	Bias      float32
	Weights   []float32 // one a matrix column

	// How it was fitted; empty for a model that somebody else wrote.
	Solver     Solver
	Alpha      float64 // of Ridge and Lasso; else 0
	Iterations int     // 0 for a closed form
}

// Predict writes the prediction of row i of x to out[i]. The arithmetic is
// that of XGBoost's GBLinear::Pred (src/gbm/gblinear.cc), all in float32 and in
// the order of the columns, so that XGBoost predicts the same bits from the
// saved file. It panics when out is shorter than x.Rows; columns beyond the
// model's weights are ignored, as XGBoost does.
func (m *Model) Predict(x *matrix.Matrix, out []float32) {
	out = out[:x.Rows]
	base := m.Bias + m.BaseScore
	terms := make([]term, 0, len(x.Blocks)+len(x.Numbers))
	for row := range out {
		terms = m.terms(terms[:0], x, row)
		sum := base
		for _, t := range terms {
			// The conversion keeps the compiler from fusing the addition.
			sum += float32(t.value * m.Weights[t.column])
		}
		out[row] = sum
	}
}

type term struct {
	column int32
	value  float32
}

// terms appends what row stores, in the order of the columns.
func (m *Model) terms(terms []term, x *matrix.Matrix, row int) []term {
	last, sorted := int32(-1), true
	for i := range x.Blocks {
		b := &x.Blocks[i]
		if code := b.Codes[row]; code >= 0 {
			if column := b.Columns[code]; int(column) < len(m.Weights) {
				sorted = sorted && column > last
				last = column
				terms = append(terms, term{column, 1})
			}
		}
	}
	for i := range x.Numbers {
		n := &x.Numbers[i]
		// NaN is not equal to itself.
		if value := n.Values[row]; value == value && int(n.Column) < len(m.Weights) {
			sorted = sorted && n.Column > last
			last = n.Column
			terms = append(terms, term{n.Column, float32(value)})
		}
	}
	if !sorted {
		slices.SortFunc(terms, func(a, b term) int { return int(a.column - b.column) })
	}
	return terms
}
