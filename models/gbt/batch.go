package gbt

// batch is rows that came to a node together, copied side by side so that all
// that happens to them below happens in little memory. When the node splits,
// the rows of its lighter child move out, to a batch of their own, and those of
// the heavier stay where they are and are not touched: a tree that cuts small
// pieces off a large rest costs as much as the pieces.
//
// A row goes by its position in the batch.
type batch struct {
	count     int        // positions
	live      int        // rows that have not moved out
	gone      []uint8    // by position: 1 if the row has moved out
	wide      int        // columns, and one
	codes     []int32    // column by column, and then the rows' numbers
	gradients []gradient // by position; nil: the rows only ride along
	sorted    []sorted   // by column; nil: too few rows for that
}

// sorted is the positions of a batch by the rows' codes in a column, made when
// they are looked for there the second time.
type sorted struct {
	looks     int
	positions []int32
}

const (
	sortFrom  = 1024 // rows are sorted where there are as many
	sortAfter = 4    // and when they were looked for as often
	seekGain  = 3    // to seek by order is worth it if it means to look at so many times fewer rows
	crowded   = 4    // a batch is packed anew when only one of so many rows is left
)

// newBatch is the batch of the rows from one number to another.
func newBatch(columns []column, from, to int) batch {
	b := batch{count: to - from, wide: len(columns) + 1, gone: make([]uint8, to-from)}
	b.codes = make([]int32, 0, b.count*(len(columns)+1))
	for i := range columns {
		b.codes = append(b.codes, columns[i].codes[from:to]...)
	}
	for row := from; row < to; row++ {
		b.codes = append(b.codes, int32(row))
	}
	if b.count >= sortFrom {
		b.sorted = make([]sorted, len(columns))
	}
	return b
}

// fresh returns the batch with all its rows.
func (b *batch) fresh() *batch {
	clear(b.gone)
	f := *b
	f.live = f.count
	return &f
}

func (b *batch) column(i int) []int32 { return b.codes[i*b.count:][:b.count] }

// rows are the numbers of the rows.
func (b *batch) rows() []int32 { return b.codes[len(b.codes)-b.count:] }

// test parts rows: those whose code in the column is in [from, to) are inside,
// all others, with those that have no code, are outside.
type test struct {
	column   int
	from, to int32
	right    bool // those inside go right
}

// settle notes that the rows are in a leaf.
func (b *batch) settle(at []int32, leaf int32) {
	rows := b.rows()
	if b.live == b.count {
		for _, row := range rows {
			at[row] = leaf
		}
		return
	}
	for i, gone := range b.gone {
		if gone == 0 {
			at[rows[i]] = leaf
		}
	}
}

// settlePicked is settle for the picked rows only.
func (b *batch) settlePicked(picked, at []int32, leaf int32) {
	rows := b.rows()
	for _, i := range picked {
		at[rows[i]] = leaf
	}
}

// sum sums up the gradients of the picked rows.
func (b *batch) sum(picked []int32) (total sums) {
	for _, i := range picked {
		x := b.gradients[i]
		total = total.plus(sums{float64(x.grad), float64(x.hess)})
	}
	return total
}
