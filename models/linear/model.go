// Package linear fits least squares on a design matrix, and reads and writes
// the result as an XGBoost gblinear model. It does not know what the columns
// mean, nor anything of trees.
package linear

import "github.com/taximeter/taximeter/features/matrix"

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
	terms := make([]term, 0, len(x.Blocks)+len(x.Numbers))
	for row := range out {
		terms = terms[:0]
		for i := range x.Blocks {
			terms = m.level(terms, &x.Blocks[i], x.Blocks[i].Codes[row])
		}
		for i := range x.Numbers {
			terms = m.number(terms, &x.Numbers[i], x.Numbers[i].Values[row])
		}
		out[row] = m.sum(terms)
	}
}

// PredictRow returns the prediction for one row, as Predict does: its code in
// each block of the layout, -1 for none, and its numbers, NaN for none. The
// layout's own rows are not looked at. It allocates nothing for up to 8 blocks
// and numbers.
func (m *Model) PredictRow(layout *matrix.Matrix, codes []int32, numbers []float64) float32 {
	var few [8]term
	terms := few[:0]
	for i, code := range codes {
		terms = m.level(terms, &layout.Blocks[i], code)
	}
	for i, value := range numbers {
		terms = m.number(terms, &layout.Numbers[i], value)
	}
	return m.sum(terms)
}

// term is a stored value of a row.
type term struct {
	column int32
	value  float32
}

func (m *Model) level(terms []term, b *matrix.Block, code int32) []term {
	if code < 0 || int(b.Columns[code]) >= len(m.Weights) {
		return terms
	}
	return append(terms, term{b.Columns[code], 1})
}

// number adds a number, a float32 as XGBoost's data.cc, SparsePage::Push, has it.
func (m *Model) number(terms []term, n *matrix.Number, value float64) []term {
	if value != value || int(n.Column) >= len(m.Weights) {
		return terms
	}
	return append(terms, term{n.Column, float32(value)})
}

// sum adds up the terms, in the order of their columns.
func (m *Model) sum(terms []term) float32 {
	for i := 1; i < len(terms); i++ {
		for j := i; j > 0 && terms[j-1].column > terms[j].column; j-- {
			terms[j-1], terms[j] = terms[j], terms[j-1]
		}
	}
	sum := m.Bias + m.BaseScore
	for _, t := range terms {
		// As GBLinear::Pred. The conversion keeps the compiler from fusing the addition.
		sum += float32(t.value * m.Weights[t.column])
	}
	return sum
}
