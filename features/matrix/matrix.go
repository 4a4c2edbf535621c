// Package matrix holds the design matrix and the dict vectorizer that fits it:
// one-hot blocks kept as codes, and columns of numbers. To the outside it
// numbers and names columns exactly as scikit-learn's DictVectorizer does; it
// does not know what the columns mean.
package matrix

import "math"

// Matrix is a design matrix of Rows rows. Width counts its columns as
// scikit-learn would: one for each level of each block and one for each number.
// A Matrix is read-only once built and may be shared between goroutines.
type Matrix struct {
	Rows, Width int
	Blocks      []Block
	Numbers     []Number
}

// Block is one categorical feature: conceptually len(Levels) one-hot columns,
// kept as one code a row.
type Block struct {
	Name    string   // feature name, such as "PU_DO"
	Levels  []string // sorted levels
	Columns []int32  // Columns[code] is the matrix column of Levels[code]
	Codes   []int32  // one a row; -1 where no level is stored (absent or unseen)
}

// Number is one numeric column.
type Number struct {
	Name   string // feature name, such as "trip_distance"
	Column int32
	Values []float64 // one a row; NaN where none is stored (missing)
}

// Slice returns rows lo to hi (exclusive) of m, sharing its memory.
func (m *Matrix) Slice(lo, hi int) *Matrix {
	s := &Matrix{Rows: hi - lo, Width: m.Width}
	for _, b := range m.Blocks {
		b.Codes = b.Codes[lo:hi:hi]
		s.Blocks = append(s.Blocks, b)
	}
	for _, n := range m.Numbers {
		n.Values = n.Values[lo:hi:hi]
		s.Numbers = append(s.Numbers, n)
	}
	return s
}

// AppendRow appends the stored entries of one row to columns and values, in
// the order of the columns, as a row of scikit-learn's CSR matrix has them: a
// one for each level, and each number that is not NaN (zeros included).
func (m *Matrix) AppendRow(row int, columns []int32, values []float64) ([]int32, []float64) {
	first := len(columns)
	insert := func(column int32, value float64) {
		columns, values = append(columns, column), append(values, value)
		for i := len(columns) - 1; i > first && columns[i-1] > columns[i]; i-- {
			columns[i-1], columns[i] = columns[i], columns[i-1]
			values[i-1], values[i] = values[i], values[i-1]
		}
	}
	for i := range m.Blocks {
		if code := m.Blocks[i].Codes[row]; code >= 0 {
			insert(m.Blocks[i].Columns[code], 1)
		}
	}
	for i := range m.Numbers {
		if value := m.Numbers[i].Values[row]; !math.IsNaN(value) {
			insert(m.Numbers[i].Column, value)
		}
	}
	return columns, values
}
