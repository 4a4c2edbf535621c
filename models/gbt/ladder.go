package gbt

import (
	"math"
	"slices"
)

// ladder finds the class of a number: how many thresholds it is not below.
type ladder struct {
	thresholds []uint32 // sortable, ascending, and math.MaxUint32 at the end
	shift      uint     // numbers whose sortable bits agree above it share a rung
	first      uint32   // the rung of the first threshold
	rungs      []int32  // of each rung, the thresholds on the rungs before it
}

// maxRungs bounds a ladder's memory to 128 kB and its thresholds.
const maxRungs = 1 << 15

func newLadder(thresholds []float32) ladder {
	l := ladder{thresholds: make([]uint32, 0, len(thresholds)+1)}
	for _, v := range thresholds {
		if v == v { // below NaN is nothing
			l.thresholds = append(l.thresholds, sortable(v+0)) // -0 is 0
		}
	}
	l.thresholds = slices.Compact(sortedNumbers(l.thresholds))
	l.thresholds = slices.Clip(append(l.thresholds, math.MaxUint32))
	if l.count() == 0 {
		return l
	}
	least, most := l.thresholds[0], l.thresholds[l.count()-1]
	for most>>l.shift-least>>l.shift >= maxRungs {
		l.shift++
	}
	l.first = least >> l.shift
	l.rungs = make([]int32, most>>l.shift-l.first+2)
	for _, v := range l.thresholds[:l.count()] {
		l.rungs[v>>l.shift-l.first+1]++
	}
	for i := 1; i < len(l.rungs); i++ {
		l.rungs[i] += l.rungs[i-1]
	}
	return l
}

// sortedNumbers sorts all, digit by digit: a tenth of slices.Sort's time for the
// thresholds of 100 trees. It may return other memory.
func sortedNumbers(all []uint32) []uint32 {
	const digit = 11 // bits
	if len(all) < 1<<digit {
		slices.Sort(all)
		return all
	}
	out := make([]uint32, len(all))
	for shift := 0; shift < 32; shift += digit {
		var next [1 << digit]int // where the next of a digit goes
		for _, v := range all {
			next[v>>shift%(1<<digit)]++
		}
		at := 0
		for d, count := range next {
			next[d], at = at, at+count
		}
		for _, v := range all {
			d := v >> shift % (1 << digit)
			out[next[d]] = v
			next[d]++
		}
		all, out = out, all
	}
	return all
}

// count is the number of thresholds; classes are one more.
func (l *ladder) count() int { return len(l.thresholds) - 1 }

// class returns the number of thresholds that v, which is not NaN, is not below.
func (l *ladder) class(v float32) int32 {
	s := sortable(v + 0)
	rung := s >> l.shift
	if rung < l.first {
		return 0
	}
	rung -= l.first
	if int(rung)+1 >= len(l.rungs) {
		return int32(l.count())
	}
	i, end := l.rungs[rung], l.rungs[rung+1]
	for end-i > 8 {
		if middle := (i + end) / 2; l.thresholds[middle] <= s {
			i = middle + 1
		} else {
			end = middle
		}
	}
	// A rung rarely has more than two. That is counted without a branch, which
	// could not be foreseen; what follows on later rungs is greater.
	i += notAbove(l.thresholds[i], s)
	i += notAbove(l.thresholds[i], s)
	for l.thresholds[i] <= s {
		i++
	}
	return i
}

// notAbove is 1 if a <= b, else 0.
func notAbove(a, b uint32) int32 { return int32((uint64(a) - uint64(b) - 1) >> 63) }

// below returns the greatest class of numbers less than a threshold, -1 if
// there is none.
func (l *ladder) below(threshold float32) int32 {
	i, found := slices.BinarySearch(l.thresholds[:l.count()], sortable(threshold+0))
	if !found || threshold != threshold {
		return -1
	}
	return int32(i)
}
