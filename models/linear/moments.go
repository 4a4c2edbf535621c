package linear

import (
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// moments are all that a fit of one block and some numbers needs to know of the
// rows: a category's weight depends on the mean error of its rows, and what the
// rows of a category differ in only the numbers can explain.
//
// The rows of a category are a group; group 0 is the rows of no category, and
// the others are one more than the codes.
type moments struct {
	rows    []float64   // of each group
	y       []float64   // mean of y in each group
	numbers [][]float64 // [number][group]: mean of the number
	within  [][]float64 // [number][number]: sum over rows of products of deviations from the group means
	withinY []float64   // [number]: likewise, of the number and y
}

// run is how many rows, or groups, are taken at a time: what they touch stays in
// the cache.
const run = 256

// momentsOf takes one pass over the rows where it can: the squares of the
// deviations from the means add up to the squares less what the means make up.
// Where that leaves too few digits, it takes a second pass, over the deviations.
// NaN counts as 0. The error is that of checkValues.
func momentsOf(x *matrix.Matrix, y []float64) (*moments, error) {
	m := newMoments(x)
	numbers := make([][]float64, len(m.numbers))
	for j := range numbers {
		numbers[j] = make([]float64, run)
	}
	eachRun(x, func(lo int, codes []int32) {
		y := y[lo : lo+len(codes)]
		for i, code := range codes {
			m.rows[code+1]++
			m.y[code+1] += y[i]
		}
		for j, d := range numbers {
			sums, values := m.numbers[j], x.Numbers[j].Values[lo:lo+len(codes)]
			for i, code := range codes {
				v := stored(values[i])
				d[i] = v
				sums[code+1] += v
			}
			m.add(1, j, d, numbers, y)
		}
	})
	squares := make([]float64, len(numbers))
	for j := range squares {
		squares[j] = m.within[j][j]
	}
	finite, enough := m.divide(numbers), true
	for j, whole := range squares {
		const few = 1e-6
		finite = finite && whole-whole == 0
		enough = enough && m.within[j][j] > few*whole
	}
	if !finite {
		if err := checkValues(x, y); err != nil {
			return nil, err
		}
	}
	if !enough {
		m.deviations(x, y, numbers)
	}
	return m, nil
}

func newMoments(x *matrix.Matrix) *moments {
	k, groups := len(x.Numbers), 1
	if len(x.Blocks) > 0 {
		groups += len(x.Blocks[0].Levels)
	}
	m := &moments{rows: make([]float64, groups), y: make([]float64, groups), withinY: make([]float64, k)}
	for range k {
		m.numbers, m.within = append(m.numbers, make([]float64, groups)), append(m.within, make([]float64, k))
	}
	return m
}

// eachRun calls do for each run of rows, with the first and the codes of all.
func eachRun(x *matrix.Matrix, do func(lo int, codes []int32)) {
	var none []int32
	if len(x.Blocks) == 0 {
		none = slices.Repeat([]int32{-1}, run)
	}
	for lo := 0; lo < x.Rows; lo += run {
		n := min(run, x.Rows-lo)
		if none != nil {
			do(lo, none[:n])
		} else {
			do(lo, x.Blocks[0].Codes[lo:lo+n])
		}
	}
}

// add adds, so many times, the products of d, which is of number j, with y and
// with the numbers up to j.
func (m *moments) add(times float64, j int, d []float64, numbers [][]float64, y []float64) {
	d = d[:len(y)]
	m.withinY[j] += float64(times * products(d, y))
	for l := range j + 1 {
		m.within[j][l] += float64(times * products(d, numbers[l]))
		m.within[l][j] = m.within[j][l]
	}
}

// products is the sum of the products of a and b.
func products(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += float64(v * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// divide makes means of the sums of the groups, and takes off the sums of
// products what the means make up. It tells whether all sums are finite.
func (m *moments) divide(sums [][]float64) (finite bool) {
	var ofY [run]float64
	var all float64
	for lo := 0; lo < len(m.rows); lo += run {
		rows := m.rows[lo:min(lo+run, len(m.rows))]
		y := ofY[:copy(ofY[:], m.y[lo:lo+len(rows)])]
		for i, n := range rows {
			all += y[i]
			m.y[lo+i] = y[i] / max(n, 1)
		}
		for j, mean := range m.numbers {
			mean = mean[lo : lo+len(rows)]
			copy(sums[j], mean)
			for i, n := range rows {
				mean[i] /= max(n, 1)
			}
			m.add(-1, j, mean, sums, y)
		}
	}
	return all-all == 0
}

// deviations sums up the products of the deviations from the means.
func (m *moments) deviations(x *matrix.Matrix, y []float64, numbers [][]float64) {
	clear(m.withinY)
	for j := range m.within {
		clear(m.within[j])
	}
	dy := make([]float64, run)
	eachRun(x, func(lo int, codes []int32) {
		dy := dy[:len(codes)]
		for i, code := range codes {
			dy[i] = y[lo+i] - m.y[code+1]
		}
		for j, d := range numbers {
			mean, values := m.numbers[j], x.Numbers[j].Values[lo:lo+len(codes)]
			for i, code := range codes {
				d[i] = stored(values[i]) - mean[code+1]
			}
			m.add(1, j, d, numbers, dy)
		}
	})
}

// errors returns the mean error of each group at slopes and no bias.
func (m *moments) errors(slopes []float64) []float64 {
	e := slices.Clone(m.y)
	for j, s := range slopes {
		for i, mean := range m.numbers[j] {
			e[i] -= float64(s * mean)
		}
	}
	return e
}

// errorOf returns the mean error of a group at a bias and slopes.
func (m *moments) errorOf(group int, bias float64, slopes []float64) float64 {
	e := m.y[group] - bias
	for j, s := range slopes {
		e -= float64(s * m.numbers[j][group])
	}
	return e
}

// quadratic is ½·βᵀAβ − rᵀβ over the slopes β, with the bias that is best at
// each β: bias + shift − Σ centre·β.
type quadratic struct {
	a         [][]float64 // symmetric
	r         []float64
	bias      float64
	centre    []float64
	biasFixed bool // no row says anything of the bias
}

// weighted is the quadratic of the squared errors within the groups and, with a
// weight a group, of the squared mean errors of the groups.
func (m *moments) weighted(weight []float64) *quadratic {
	k := len(m.numbers)
	q := &quadratic{a: make([][]float64, k), r: slices.Clone(m.withinY), centre: make([]float64, k)}
	for j := range q.a {
		q.a[j] = slices.Clone(m.within[j])
	}
	var total float64
	for _, w := range weight {
		total += w
	}
	if q.biasFixed = total == 0; !q.biasFixed {
		q.bias = products(weight, m.y) / total
		for j, mean := range m.numbers {
			q.centre[j] = products(weight, mean) / total
		}
	}
	var pull, off [run]float64
	for lo := 0; lo < len(weight); lo += run {
		hi := min(lo+run, len(weight))
		for j, mean := range m.numbers {
			pull := pull[:hi-lo]
			for i, w := range weight[lo:hi] {
				pull[i] = float64(w * (mean[lo+i] - q.centre[j]))
			}
			q.r[j] += products(pull, less(off[:], m.y[lo:hi], q.bias))
			for l := range j + 1 {
				q.a[j][l] += products(pull, less(off[:], m.numbers[l][lo:hi], q.centre[l]))
				q.a[l][j] = q.a[j][l]
			}
		}
	}
	return q
}

// less writes a less c to out.
func less(out, a []float64, c float64) []float64 {
	out = out[:len(a)]
	for i, v := range a {
		out[i] = v - c
	}
	return out
}

// biasAt returns the best bias at the slopes.
func (q *quadratic) biasAt(slopes []float64) float64 {
	b := q.bias
	for j, s := range slopes {
		b -= float64(s * q.centre[j])
	}
	return b
}
