package gbt

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortedNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2047, 2048, 2049, 50_000} {
		all := make([]uint32, n)
		for i := range all {
			all[i] = r.Uint32() >> (r.UintN(4) * 8)
		}
		want := slices.Sorted(slices.Values(all))
		if got := sortedNumbers(all); !slices.Equal(got, want) {
			t.Errorf("%d numbers are not sorted", n)
		}
	}
}
