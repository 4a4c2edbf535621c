package gbt

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Rows are sought one after the other, or by order; moved, left behind, packed
// anew. Whatever happens, the right ones move.
func TestBatchMoves(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 6))
		n, codes := 1+r.IntN(3*sortFrom), int32(1+r.IntN(300))
		columns := make([]column, 2)
		for i := range columns {
			columns[i] = column{features: make([]int32, codes), codes: make([]int32, n)}
			for row := range n {
				columns[i].codes[row] = r.Int32N(codes+1) - 1
			}
		}
		p := newPacker(columns, n)
		all := newBatch(columns, 0, n)
		if seed%2 == 0 {
			p.sortAll(&all)
		}
		b := all.fresh()
		left := all.rows()
		for move := 0; len(left) > 0 && move < 60; move++ {
			from := r.Int32N(codes)
			test := test{column: r.IntN(2), from: from, to: from + 1 + r.Int32N(min(codes-from, 1+codes/20))}
			inside := r.IntN(8) > 0
			var want, stay []int32
			for _, row := range left {
				code := columns[test.column].codes[row]
				if (code >= test.from && code < test.to) == inside {
					want = append(want, row)
				} else {
					stay = append(stay, row)
				}
			}
			moved := p.pack(b, p.move(b, test, inside))
			b = p.compact(b)
			got := slices.Clone(moved.rows())
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) || b.live != len(stay) {
				t.Fatalf("seed %d, move %d of %+v: %d rows moved and %d stayed, want %d and %d", seed, move, test, len(got), b.live, len(want), len(stay))
			}
			for at, row := range moved.rows() {
				if moved.column(1)[at] != columns[1].codes[row] {
					t.Fatalf("seed %d: row %d has another code in its new batch", seed, row)
				}
			}
			left = stay
			if !inside { // few stay: go on with those that moved
				b, left = moved, want
			}
		}
	}
}
