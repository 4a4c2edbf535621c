package data

// Column is a column of a month: one value a row. TLC's files keep zones and
// distances as codes of a dictionary, since few of them differ; so does a Column,
// as reading and encoding a code costs less than what it stands for. The zero
// Column has no rows.
type Column[T any] struct {
	Values []T      // one a row; where there are Codes, what those stand for
	Codes  []uint16 // nil, or one a row: an index of Values
}

// Len returns the number of rows.
func (c Column[T]) Len() int {
	if c.Codes != nil {
		return len(c.Codes)
	}
	return len(c.Values)
}

// At returns the value of row i.
func (c Column[T]) At(i int) T {
	if c.Codes != nil {
		return c.Values[c.Codes[i]]
	}
	return c.Values[i]
}

// All returns the values of all rows. They may be those of c.
func (c Column[T]) All() []T {
	if c.Codes == nil {
		return c.Values
	}
	out := make([]T, len(c.Codes))
	for i, code := range c.Codes {
		out[i] = c.Values[code]
	}
	return out
}

// gather returns the values at the rows of keep, which share nothing with c but
// what codes stand for.
func (c Column[T]) gather(keep []int32) Column[T] {
	if c.Codes != nil {
		return Column[T]{Values: c.Values, Codes: gather(c.Codes, keep)}
	}
	return Column[T]{Values: gather(c.Values, keep)}
}
