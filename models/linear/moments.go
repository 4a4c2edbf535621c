package linear

import "github.com/taximeter/taximeter/features/matrix"

// moments are all that a penalised fit of one block and some numbers needs to
// know of the rows: a category's penalty depends on the mean error of its rows,
// and what the rows of a category differ in only the numbers can explain.
type moments struct {
	rows    []float64   // of each group; the last group is the rows of no category
	y       []float64   // mean of y in each group
	numbers [][]float64 // [number][group]: mean of the number
	within  [][]float64 // [number][number]: sum over rows of products of deviations from the group means
	withinY []float64   // [number]: likewise, of the number and y
	yy      float64     // likewise, of y with itself
}

// momentsOf takes two passes over the rows: the means, then the deviations from
// them, whose squares would drown in a single pass.
func momentsOf(x *matrix.Matrix, y []float64) *moments {
	g := groupsOf(x)
	m := &moments{rows: make([]float64, len(g.rows)), y: g.means(y), withinY: make([]float64, len(x.Numbers))}
	for i, n := range g.rows {
		m.rows[i] = float64(n)
	}
	dy := g.deviations(y, m.y)
	m.yy = dot(dy, dy)
	var dx [][]float64
	for j, n := range x.Numbers {
		mean := g.means(n.Values)
		m.numbers = append(m.numbers, mean)
		dx = append(dx, g.deviations(n.Values, mean))
		m.withinY[j] = dot(dx[j], dy)
		m.within = append(m.within, make([]float64, len(x.Numbers)))
		for l := range dx {
			m.within[j][l] = dot(dx[j], dx[l])
			m.within[l][j] = m.within[j][l]
		}
	}
	return m
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
