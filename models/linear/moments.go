package linear

import "github.com/taximeter/taximeter/features/matrix"

// moments are all that a fit of one block and some numbers needs to know of the
// rows: a category's weight depends on the mean error of its rows, and what the
// rows of a category differ in only the numbers can explain.
type moments struct {
	rows    []float64   // of each group; the last group is the rows of no category
	y       []float64   // mean of y in each group
	numbers [][]float64 // [number][group]: mean of the number
	within  [][]float64 // [number][number]: sum over rows of products of deviations from the group means
	withinY []float64   // [number]: likewise, of the number and y
}

// momentsOf takes two passes over the rows: the means, then the deviations from
// them, whose squares would drown in a single pass. NaN counts as 0.
func momentsOf(x *matrix.Matrix, y []float64) *moments {
	k, groups := len(x.Numbers), 1
	if len(x.Blocks) > 0 {
		groups += len(x.Blocks[0].Levels)
	}
	// What a row adds to lies together: the rows, y and the numbers of its group.
	wide := int32(2 + k)
	sums := make([]float64, groups*int(wide))
	eachRun(x, wide, func(lo int, at []int32) {
		for i, v := range y[lo : lo+len(at)] {
			s := sums[at[i]:]
			s[1] += v
			s[0]++
		}
		for j := range x.Numbers {
			for i, v := range x.Numbers[j].Values[lo : lo+len(at)] {
				sums[at[i]+2+int32(j)] += stored(v)
			}
		}
	})

	m := &moments{rows: make([]float64, groups), y: make([]float64, groups), withinY: make([]float64, k)}
	for range k {
		m.numbers, m.within = append(m.numbers, make([]float64, groups)), append(m.within, make([]float64, k))
	}
	for i := range m.rows {
		s := sums[i*int(wide):][:wide]
		m.rows[i] = s[0]
		for j := 1; j < len(s) && s[0] > 0; j++ {
			s[j] /= s[0]
		}
		m.y[i] = s[1]
		for j := range k {
			m.numbers[j][i] = s[2+j]
		}
	}
	if k == 0 {
		return m
	}

	dy, dx := make([]float64, run), make([][]float64, k)
	for j := range dx {
		dx[j] = make([]float64, run)
	}
	eachRun(x, wide, func(lo int, at []int32) {
		n := len(at)
		for i, v := range y[lo : lo+n] {
			dy[i] = v - sums[at[i]+1]
		}
		for j := range dx {
			d := dx[j][:n]
			for i, v := range x.Numbers[j].Values[lo : lo+n] {
				d[i] = stored(v) - sums[at[i]+2+int32(j)]
			}
			m.withinY[j] += dot(d, dy[:n])
			for l := range j + 1 {
				m.within[j][l] += dot(d, dx[l][:n])
				m.within[l][j] = m.within[j][l]
			}
		}
	})
	return m
}

// run is how many rows are taken at a time: what they touch stays in the cache.
const run = 256

// eachRun calls do for each run of rows, with the first and where the groups of
// the rows begin in a table of wide columns.
func eachRun(x *matrix.Matrix, wide int32, do func(lo int, at []int32)) {
	at := make([]int32, run)
	for lo := 0; lo < x.Rows; lo += run {
		at = at[:min(run, x.Rows-lo)]
		if len(x.Blocks) > 0 {
			none := int32(len(x.Blocks[0].Levels))
			for i, code := range x.Blocks[0].Codes[lo : lo+len(at)] {
				if code < 0 {
					code = none
				}
				at[i] = code * wide
			}
		}
		do(lo, at)
	}
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
	q := &quadratic{a: make([][]float64, k), r: make([]float64, k), centre: make([]float64, k)}
	var total float64
	for i, w := range weight {
		total += w
		q.bias += float64(w * m.y[i])
	}
	if q.biasFixed = total == 0; !q.biasFixed {
		q.bias /= total
		for j, mean := range m.numbers {
			for i, w := range weight {
				q.centre[j] += float64(w * mean[i])
			}
			q.centre[j] /= total
		}
	}
	for j := range k {
		q.a[j] = make([]float64, k)
		for l := range j + 1 {
			s := m.within[j][l]
			for i, w := range weight {
				s += float64(w * float64((m.numbers[j][i]-q.centre[j])*(m.numbers[l][i]-q.centre[l])))
			}
			q.a[j][l], q.a[l][j] = s, s
		}
		q.r[j] = m.withinY[j]
		for i, w := range weight {
			q.r[j] += float64(w * float64((m.numbers[j][i]-q.centre[j])*(m.y[i]-q.bias)))
		}
	}
	return q
}

// biasAt returns the best bias at the slopes.
func (q *quadratic) biasAt(slopes []float64) float64 {
	b := q.bias
	for j, s := range slopes {
		b -= float64(s * q.centre[j])
	}
	return b
}
