package linear

import "github.com/taximeter/taximeter/features/matrix"

// centred is a design matrix less the mean of each column, which is kept apart:
// subtracting it would fill the matrix. Missing numbers are 0.
//
// Every addition here is in the order in which scikit-learn 1.2 and scipy make
// it; see LSQR for why that matters.
type centred struct {
	x       *matrix.Matrix
	numbers [][]float64 // of x, with 0 for NaN
	mean    []float64   // one a column
	ones    []float64   // one a row
}

func newCentred(x *matrix.Matrix) *centred {
	a := &centred{x: x, mean: make([]float64, x.Width), ones: make([]float64, x.Rows)}
	for row := range a.ones {
		a.ones[row] = 1
	}
	for _, b := range x.Blocks {
		for _, code := range b.Codes {
			if code >= 0 {
				a.mean[b.Columns[code]]++
			}
		}
		for _, column := range b.Columns {
			a.mean[column] /= float64(x.Rows)
		}
	}
	for _, n := range x.Numbers {
		values := make([]float64, x.Rows)
		var sum float64
		for row, v := range n.Values {
			values[row] = stored(v)
			sum += values[row]
		}
		a.numbers = append(a.numbers, values)
		a.mean[n.Column] = sum / float64(x.Rows)
	}
	return a
}

// times sets out to A·v. A row adds up from its last column to its first:
// scikit-learn 1.2 multiplies the matrix by the sample weights (all one), and
// scipy's sparse product leaves each row reversed.
func (a *centred) times(out, v []float64) {
	clear(out)
	for j := len(a.numbers) - 1; j >= 0; j-- {
		f := v[a.x.Numbers[j].Column]
		for row, value := range a.numbers[j] {
			out[row] += float64(value * f)
		}
	}
	for i := len(a.x.Blocks) - 1; i >= 0; i-- {
		b := &a.x.Blocks[i]
		for row, code := range b.Codes {
			if code >= 0 {
				out[row] += v[b.Columns[code]]
			}
		}
	}
	shift := dot(v, a.mean)
	for row := range out {
		out[row] -= shift
	}
}

// transposedTimes sets out to Aᵀ·u.
func (a *centred) transposedTimes(out, u []float64) {
	clear(out)
	for i := range a.x.Blocks {
		b := &a.x.Blocks[i]
		for row, code := range b.Codes {
			if code >= 0 {
				out[b.Columns[code]] += u[row]
			}
		}
	}
	for j, values := range a.numbers {
		var sum float64
		for row, value := range values {
			sum += float64(value * u[row])
		}
		out[a.x.Numbers[j].Column] = sum
	}
	sum := dot(u, a.ones)
	for column, m := range a.mean {
		out[column] -= float64(m * sum)
	}
}
