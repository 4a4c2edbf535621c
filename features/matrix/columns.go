package matrix

import (
	"fmt"
	"math"
)

// Column is one feature of a table, given to Fit and Transform as a whole:
// either Categories or Values.
type Column interface {
	name() string
	rows() int
}

// Categories is a column of strings kept as dictionary codes. Levels may stand
// in any order, repeat, and hold strings that no row uses: only those that a
// row uses are fitted. A code of -1 says that the row has no such feature, as a
// dict without that key would. The slices are read, never kept or changed.
type Categories struct {
	Name   string
	Levels []string
	Codes  []int32 // one a row: an index of Levels, or -1
}

// Values is a column of numbers, one a row. NaN says that the row has no such
// feature; zero is a number like any other. A Matrix made from it shares the
// slice, so that it must not be changed afterwards.
type Values struct {
	Name   string
	Values []float64
}

func (c Categories) name() string { return c.Name }
func (c Categories) rows() int    { return len(c.Codes) }
func (c Values) name() string     { return c.Name }
func (c Values) rows() int        { return len(c.Values) }

// countRows returns the rows that all columns have, or an error where they
// differ or where two columns share a name.
func countRows(cols []Column) (int, error) {
	rows := 0
	for i, c := range cols {
		if c.name() == "" {
			return 0, fmt.Errorf("column %d has no name", i)
		}
		if i == 0 {
			rows = c.rows()
		}
		if c.rows() != rows {
			return 0, fmt.Errorf("column %q has %d rows, column %q has %d",
				c.name(), c.rows(), cols[0].name(), rows)
		}
		for _, other := range cols[:i] {
			if other.name() == c.name() {
				return 0, fmt.Errorf("column %q is given twice", c.name())
			}
		}
	}
	if rows > math.MaxInt32 {
		return 0, fmt.Errorf("%d rows are more than a matrix holds (%d)", rows, math.MaxInt32)
	}
	return rows, nil
}
