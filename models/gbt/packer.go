package gbt

// packer moves rows from batch to batch. A goroutine has one of its own.
type packer struct {
	picked []int32 // as many as any batch has rows
	counts []int32 // as many as any column has codes, and two

	// of the batches
	batches   arena[batch]
	numbers   arena[int32]
	gradients arena[gradient]
	gone      arena[uint8]
}

// newPacker returns a packer for batches of at most so many rows.
func newPacker(columns []column, rows int) packer {
	codes := int32(0)
	for i := range columns {
		codes = max(codes, columns[i].count())
	}
	return packer{picked: make([]int32, rows), counts: make([]int32, codes+2)}
}

func (p *packer) reset() {
	p.batches.reset()
	p.numbers.reset()
	p.gradients.reset()
	p.gone.reset()
}

// compact returns a batch of the rows that have not moved out of b. It is b
// itself while there are enough of them.
func (p *packer) compact(b *batch) *batch {
	if crowded*b.live >= b.count {
		return b
	}
	return p.pack(b, p.present(b))
}

// present returns the positions of the rows that have not moved out of b. They
// are valid until move is called.
func (p *packer) present(b *batch) []int32 {
	n := 0
	for at, gone := range b.gone {
		p.picked[n] = int32(at)
		n += int(1 - gone)
	}
	return p.picked[:n]
}

// pack copies the picked rows into a batch.
func (p *packer) pack(b *batch, picked []int32) *batch {
	n := len(picked)
	m := &take(&p.batches, 1)[0]
	*m = batch{count: n, live: n, wide: b.wide, codes: take(&p.numbers, n*b.wide), gone: take(&p.gone, n)}
	clear(m.gone)
	for i := range b.wide {
		from, to := b.column(i), m.column(i)
		for i, at := range picked {
			to[i] = from[at]
		}
	}
	if b.gradients != nil {
		m.gradients = take(&p.gradients, n)
		for i, at := range picked {
			m.gradients[i] = b.gradients[at]
		}
	}
	if n >= sortFrom {
		m.sorted = make([]sorted, b.wide-1)
	}
	return m
}

// move picks rows of b and notes that they are gone. They are those that are
// inside t, or those that are outside. Their positions are valid until the next
// call.
func (p *packer) move(b *batch, t test, inside bool) (picked []int32) {
	picked = p.pick(b, t, inside)
	for _, at := range picked {
		b.gone[at] = 1
	}
	b.live -= len(picked)
	return picked
}

// pick finds the rows for move.
func (p *packer) pick(b *batch, t test, inside bool) []int32 {
	if b.live == 0 {
		return nil
	}
	codes := b.column(t.column)
	if order := p.order(b, t.column); order != nil {
		lo, hi := firstAt(order, codes, t.from), firstAt(order, codes, t.to)
		parts := [2][]int32{order[lo:hi]}
		if !inside {
			parts = [2][]int32{order[:lo], order[hi:]}
		}
		if (len(parts[0])+len(parts[1]))*seekGain < b.count {
			n := 0
			for _, part := range parts {
				for _, at := range part {
					p.picked[n] = at
					n += int(1 - b.gone[at])
				}
			}
			return p.picked[:n]
		}
	}
	// No branch here: which rows move cannot be foreseen.
	var flip uint8
	if !inside {
		flip = 1
	}
	n, out, gone, width := 0, p.picked[:b.count], b.gone[:len(codes)], uint32(t.to-t.from)
	for at, code := range codes {
		var in uint8
		if uint32(code-t.from) < width {
			in = 1
		}
		out[n] = int32(at)
		n += int((in ^ flip) &^ gone[at])
	}
	return out[:n]
}

// order returns the positions by the codes of a column, or nil if that is not
// worth it yet.
func (p *packer) order(b *batch, column int) []int32 {
	if b.sorted == nil {
		return nil
	}
	o := &b.sorted[column]
	if o.looks++; o.looks > sortAfter && o.positions == nil {
		o.positions = take(&p.numbers, b.count)
		p.sort(b.column(column), o.positions)
	}
	return o.positions
}

// sort writes positions, those of no code first, then by code.
func (p *packer) sort(codes, positions []int32) {
	clear(p.counts)
	for _, code := range codes {
		p.counts[code+1]++
	}
	var sum int32
	for i, n := range p.counts {
		p.counts[i], sum = sum, sum+n
	}
	for at, code := range codes {
		positions[p.counts[code+1]] = int32(at)
		p.counts[code+1]++
	}
}

// sortAll sorts the positions of b by every column.
func (p *packer) sortAll(b *batch) {
	for i := range b.sorted {
		b.sorted[i].positions = make([]int32, b.count)
		p.sort(b.column(i), b.sorted[i].positions)
	}
}

// firstAt is the place in order of the first row whose code is at least code.
func firstAt(order, codes []int32, code int32) int {
	lo, hi := 0, len(order)
	for lo < hi {
		mid := (lo + hi) / 2
		if codes[order[mid]] < code {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
