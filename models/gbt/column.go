package gbt

import (
	"fmt"
	"math"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// column is a one-hot block or a number as trees see it: each row has a code. A
// block's codes are its levels, a number's the ranks of its distinct values.
type column struct {
	features []int32   // of a block: the matrix column of each code; of a number: its one column
	values   []float32 // of a number: the value of each code, ascending; of a block: nil
	codes    []int32   // one a row; -1: missing
	forward  bool      // of a number: XGBoost searches it forward too, see searchForward
}

func (c *column) block() bool { return c.values == nil }

// below is the number of values less than v: the codes of rows that go left.
func (c *column) below(v float32) int32 {
	i, _ := slices.BinarySearch(c.values, v)
	return int32(i)
}

// belowFrom is below, where it is known to be in [from, to].
func (c *column) belowFrom(from, to int32, v float32) int32 {
	for from < to {
		if middle := (from + to) / 2; c.values[middle] < v {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}

// cut is how rows part at a threshold.
func (c *column) cut(at int, threshold float32, defaultLeft bool) test {
	below := c.below(threshold)
	if defaultLeft {
		return test{column: at, from: below, to: c.count(), right: true}
	}
	return test{column: at, from: 0, to: below, right: false}
}

// count is the number of codes.
func (c *column) count() int32 {
	if c.block() {
		return int32(len(c.features))
	}
	return int32(len(c.values))
}

// numberColumn returns the column of a number, of parts one after another; NaN is
// missing.
func numberColumn(feature int32, parts ...[]float64) column {
	count := 0
	for _, numbers := range parts {
		count += len(numbers)
	}
	c := column{features: []int32{feature}, codes: make([]int32, 0, count)}
	var d dictionary
	for _, numbers := range parts {
		for _, v := range numbers {
			if v == v {
				// As XGBoost's data.cc, SparsePage::Push: values are float32. Adding 0 makes -0 equal 0.
				c.codes = append(c.codes, d.code(sortable(float32(v)+0)))
			} else {
				c.codes = append(c.codes, -1)
			}
		}
	}
	codes := make([]int32, len(d.keys))
	for i := range codes {
		codes[i] = int32(i)
	}
	ranks := make([]int32, len(d.keys))
	c.values = make([]float32, len(d.keys))
	for rank, code := range sortByKey(codes, d.keys) {
		ranks[code], c.values[rank] = int32(rank), unsortable(d.keys[code])
	}
	for row, code := range c.codes {
		if code >= 0 {
			c.codes[row] = ranks[code]
		}
	}
	return c
}

// dictionary numbers keys in the order in which they are first met. It is a hash
// table with open addressing.
type dictionary struct {
	keys  []uint32
	slots []uint64 // a key, and above it the code and one; 0: empty
	shift int
}

// code returns the number of key, a new one if it is new.
func (d *dictionary) code(key uint32) int32 {
	if 2*len(d.keys) >= len(d.slots) {
		d.grow()
	}
	for at := d.home(key); ; at = (at + 1) & (len(d.slots) - 1) {
		switch slot := d.slots[at]; {
		case slot == 0:
			d.keys = append(d.keys, key)
			d.slots[at] = uint64(len(d.keys))<<32 | uint64(key)
			return int32(len(d.keys)) - 1
		case uint32(slot) == key:
			return int32(slot>>32) - 1
		}
	}
}

// home is where to look for a key first; Knuth's multiplicative hashing.
func (d *dictionary) home(key uint32) int { return int(key * 2654435769 >> d.shift) }

func (d *dictionary) grow() {
	if d.slots == nil {
		d.shift = 32 - 9
	}
	d.shift--
	d.slots = make([]uint64, 1<<(32-d.shift))
	for code, key := range d.keys {
		at := d.home(key)
		for d.slots[at] != 0 {
			at = (at + 1) & (len(d.slots) - 1)
		}
		d.slots[at] = uint64(code+1)<<32 | uint64(key)
	}
}

// sortByKey sorts rows by their keys, by counting, eleven bits at a time.
func sortByKey(rows []int32, keys []uint32) []int32 {
	const bits = 11
	out := make([]int32, len(rows))
	for shift := 0; shift < 32; shift += bits {
		var next [1 << bits]int32
		for _, row := range rows {
			next[keys[row]>>shift%(1<<bits)]++
		}
		var sum int32
		for i, n := range next {
			next[i], sum = sum, sum+n
		}
		for _, row := range rows {
			at := &next[keys[row]>>shift%(1<<bits)]
			out[*at] = row
			*at++
		}
		rows, out = out, rows
	}
	return rows
}

// sortable maps floats to integers of the same order; unsortable maps back.
func sortable(v float32) uint32 {
	b := math.Float32bits(v)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

func unsortable(b uint32) float32 {
	return math.Float32frombits(b ^ (^uint32(int32(b)>>31) | 1<<31))
}

// searchForward decides whether XGBoost searches a number forward as well as
// backward, as its updater_colmaker.cc, NeedForwardSearch and
// LazyGetColumnDensity: only where some of the first n rows, those trained on,
// have no value, and the others not all the same one.
func (c *column) searchForward(n int) {
	missing, least, most := 0, c.count(), int32(-1)
	for _, code := range c.codes[:n] {
		if code < 0 {
			missing++
			continue
		}
		least, most = min(least, code), max(most, code)
	}
	density := 1 - float32(missing)/float32(n)
	c.forward = density < 1 && least < most
}

// sameLayout tells whether two matrices have the same blocks and numbers.
func sameLayout(a, b *matrix.Matrix) bool {
	return a.Width == b.Width &&
		slices.EqualFunc(a.Blocks, b.Blocks, func(x, y matrix.Block) bool { return slices.Equal(x.Columns, y.Columns) }) &&
		slices.EqualFunc(a.Numbers, b.Numbers, func(x, y matrix.Number) bool { return x.Column == y.Column })
}

// checkMatrix tells whether every slice is as long and every code and value as
// small as the matrix says.
func checkMatrix(x *matrix.Matrix) error {
	if x.Rows > math.MaxInt32 {
		return fmt.Errorf("%d rows are more than can be numbered", x.Rows)
	}
	inside := func(column int32) bool { return column >= 0 && int(column) < x.Width }
	for _, b := range x.Blocks {
		if len(b.Codes) != x.Rows {
			return fmt.Errorf("block %s: %d codes for %d rows", b.Name, len(b.Codes), x.Rows)
		}
		for _, column := range b.Columns {
			if !inside(column) {
				return fmt.Errorf("block %s: column %d is out of range", b.Name, column)
			}
		}
		for row, code := range b.Codes {
			if code < -1 || int(code) >= len(b.Columns) {
				return fmt.Errorf("block %s: code %d of row %d is out of range", b.Name, code, row)
			}
		}
	}
	for _, n := range x.Numbers {
		if len(n.Values) != x.Rows {
			return fmt.Errorf("number %s: %d values for %d rows", n.Name, len(n.Values), x.Rows)
		}
		if !inside(n.Column) {
			return fmt.Errorf("number %s: column %d is out of range", n.Name, n.Column)
		}
		for row, v := range n.Values {
			if math.Abs(v) > math.MaxFloat32 {
				return fmt.Errorf("number %s: value %v of row %d is not a float32", n.Name, v, row)
			}
		}
	}
	return nil
}
