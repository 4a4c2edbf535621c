package linear

import (
	"math"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// centred is a design matrix less the mean of each column, which is kept apart:
// subtracting it would fill the matrix. Missing numbers are 0.
//
// Every addition here is in the order in which scikit-learn 1.2 and scipy make
// it; see LSQR for why that matters. The products are made page by page, so that
// what is read of a page for one of them need not be fetched again for the next.
type centred struct {
	width   int
	blocks  [][]int32   // the column of each row; width: it has none. At least one
	numbers [][]float64 // with 0 for NaN; the matrix's own where it has none
	columns []int32     // of numbers
	mean    []float64   // one a column
}

func newCentred(x *matrix.Matrix) *centred {
	a := &centred{width: x.Width, mean: make([]float64, x.Width+1)}
	for _, b := range x.Blocks {
		columns := make([]int32, x.Rows)
		for row, code := range b.Codes {
			column := int32(x.Width)
			if code >= 0 {
				column = b.Columns[code]
			}
			columns[row] = column
			a.mean[column]++
		}
		a.blocks = append(a.blocks, columns)
	}
	if len(x.Blocks) == 0 {
		a.blocks = [][]int32{slices.Repeat([]int32{int32(x.Width)}, x.Rows)}
	}
	for _, b := range x.Blocks {
		for _, column := range b.Columns {
			a.mean[column] /= float64(x.Rows)
		}
	}
	a.mean = a.mean[:x.Width]
	for _, n := range x.Numbers {
		values, sum := n.Values, 0.
		for _, v := range values {
			sum += v
		}
		if math.IsNaN(sum) {
			values, sum = make([]float64, x.Rows), 0
			for row, v := range n.Values {
				values[row] = stored(v)
				sum += values[row]
			}
		}
		a.numbers, a.columns = append(a.numbers, values), append(a.columns, n.Column)
		a.mean[n.Column] = sum / float64(x.Rows)
	}
	return a
}

// advance sets u to A·v − alfa·u and returns its norm. A row adds up from its
// last column to its first: scikit-learn 1.2 multiplies the matrix by the sample
// weights (all one), and scipy's sparse product leaves each row reversed. v has
// an element more than there are columns, 0.
func (a *centred) advance(u, v []float64, alfa float64) float64 {
	shift := dot(v[:a.width], a.mean)
	var squares lanes
	var product [page]float64
	for lo := 0; ; lo += page {
		u := u[lo:min(lo+page, len(u))]
		block := a.blocks[0][lo : lo+len(u)]
		if len(a.blocks) == 1 && len(a.numbers) == 1 { // the common shape, in one go
			values, f := a.numbers[0][lo:lo+len(u)], v[a.columns[0]]
			for i, column := range block {
				u[i] = 0 + float64(values[i]*f) + v[column] - shift - float64(alfa*u[i])
			}
		} else {
			t := product[:len(u)]
			a.others(t, v, lo)
			for i, column := range block {
				u[i] = t[i] + v[column] - shift - float64(alfa*u[i])
			}
		}
		if len(u) < page {
			return math.Sqrt(squares.fold(u, u))
		}
		squares.add(u, u)
	}
}

// others sets t to what the columns that are not of the first block make of v,
// in the rows from lo.
func (a *centred) others(t, v []float64, lo int) {
	clear(t)
	for j := len(a.numbers) - 1; j >= 0; j-- {
		f := v[a.columns[j]]
		for i, value := range a.numbers[j][lo : lo+len(t)] {
			t[i] += float64(value * f)
		}
	}
	for b := len(a.blocks) - 1; b > 0; b-- {
		for i, column := range a.blocks[b][lo : lo+len(t)] {
			t[i] += v[column]
		}
	}
}

// pull scales u by f and sets v to Aᵀ·u − beta·v, and returns the norm of v.
// sums is as long as v: an element more than there are columns.
func (a *centred) pull(v, u []float64, f, beta float64, sums []float64) float64 {
	clear(sums)
	var all lanes
	ofNumbers := make([]float64, len(a.numbers))
	var total float64
	for lo := 0; ; lo += page {
		u := u[lo:min(lo+page, len(u))]
		a.pullPage(u, lo, f, sums, ofNumbers)
		if len(u) < page {
			total = all.fold(u, ones[:len(u)])
			break
		}
		all.addOnes(u)
	}
	for j, column := range a.columns {
		sums[column] = ofNumbers[j]
	}
	var squares lanes
	for lo := 0; ; lo += page {
		v := v[lo:min(lo+page, a.width)]
		sums, mean := sums[lo:lo+len(v)], a.mean[lo:lo+len(v)]
		for i := range v {
			v[i] = sums[i] - float64(mean[i]*total) - float64(beta*v[i])
		}
		if len(v) < page {
			return math.Sqrt(squares.fold(v, v))
		}
		squares.add(v, v)
	}
}

// pullPage scales the page u of rows and adds it up by columns.
func (a *centred) pullPage(u []float64, lo int, f float64, sums, ofNumbers []float64) {
	block, numbers := a.blocks[0][lo:lo+len(u)], a.numbers
	if len(numbers) == 0 {
		for i, column := range block {
			s := float64(u[i] * f)
			u[i] = s
			sums[column] += s
		}
	} else { // together: one sum waits for additions, the others for memory
		sum := ofNumbers[0]
		for i, value := range numbers[0][lo : lo+len(u)] {
			s := float64(u[i] * f)
			u[i] = s
			sums[block[i]] += s
			sum += float64(value * s)
		}
		ofNumbers[0], numbers = sum, numbers[1:]
	}
	for _, columns := range a.blocks[1:] {
		for i, column := range columns[lo : lo+len(u)] {
			sums[column] += u[i]
		}
	}
	for j, values := range numbers {
		sum := ofNumbers[1+j]
		for i, value := range values[lo : lo+len(u)] {
			sum += float64(value * u[i])
		}
		ofNumbers[1+j] = sum
	}
}

// ones are what numpy multiplies by to add up.
var ones = [page]float64(slices.Repeat([]float64{1}, page))
