package features

import (
	"math"
	"strconv"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features/matrix"
)

// pairs is the PU_DO column of rides; each pair is spelled once.
func pairs(pickup, dropoff []int32) matrix.Categories {
	from, to := rangeOf(pickup), rangeOf(dropoff)
	codes, firsts := dictionary(len(pickup), from.times(to), func(lo int, keys []uint64) {
		pickup, dropoff := pickup[lo:lo+len(keys)], dropoff[lo:lo+len(keys)]
		for i := range keys {
			keys[i] = from.offset(pickup[i])*to.size + to.offset(dropoff[i])
		}
	})
	return spelled(pairName, codes, firsts, func(b []byte, i int32) []byte { return appendPair(b, pickup[i], dropoff[i]) })
}

// zones is a column of single zones.
func zones(name string, ids []int32) matrix.Categories {
	r := rangeOf(ids)
	codes, firsts := dictionary(len(ids), r.size, func(lo int, keys []uint64) {
		for i, id := range ids[lo : lo+len(keys)] {
			keys[i] = r.offset(id)
		}
	})
	return spelled(name, codes, firsts, func(b []byte, i int32) []byte { return strconv.AppendInt(b, int64(ids[i]), 10) })
}

// spelled is the column in which the level of a code is what spell appends for
// the first row that has it. The levels share one piece of memory.
func spelled(name string, codes, firsts []int32, spell func(b []byte, row int32) []byte) matrix.Categories {
	var text []byte
	ends := make([]int, len(firsts))
	for code, row := range firsts {
		text = spell(text, row)
		ends[code] = len(text)
	}
	all, begin := string(text), 0
	levels := make([]string, len(firsts))
	for code, end := range ends {
		levels[code] = all[begin:end]
		begin = end
	}
	return matrix.Categories{Name: name, Levels: levels, Codes: codes}
}

// ids is a column of the zones' ids as numbers, NaN where missing.
func ids(name string, zones []int32) matrix.Values {
	v := matrix.Values{Name: name, Values: make([]float64, len(zones))}
	for i, id := range zones {
		v.Values[i] = float64(id)
		if id == data.NoZone {
			v.Values[i] = math.NaN()
		}
	}
	return v
}

// interval is the range of ids that occur.
type interval struct {
	least int32
	size  uint64 // at most 1<<32
}

func rangeOf(ids []int32) interval {
	if len(ids) == 0 {
		return interval{}
	}
	least, most := ids[0], ids[0]
	// Two at a time, neither waiting for the other.
	least2, most2 := least, most
	for ; len(ids) >= 2; ids = ids[2:] {
		least, most = min(least, ids[0]), max(most, ids[0])
		least2, most2 = min(least2, ids[1]), max(most2, ids[1])
	}
	for _, id := range ids {
		least, most = min(least, id), max(most, id)
	}
	least, most = min(least, least2), max(most, most2)
	return interval{least, uint64(int64(most)-int64(least)) + 1}
}

func (r interval) offset(id int32) uint64 { return uint64(int64(id) - int64(r.least)) }

// times returns how many pairs there can be, or more than maxTable.
func (r interval) times(s interval) uint64 {
	if r.size > maxTable || s.size > maxTable {
		return maxTable + 1
	}
	return r.size * s.size
}
