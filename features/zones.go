package features

import (
	"math"
	"strconv"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features/matrix"
)

// zoneColumn is the zones of rides, as codes where the file had codes.
type zoneColumn = data.Column[int32]

// pairs is the PU_DO column of rides; each pair is spelled once.
func pairs(pickup, dropoff zoneColumn) matrix.Categories {
	from, to := ranksOf(pickup), ranksOf(dropoff)
	codes, firsts := dictionary(pickup.Len(), from.times(to), func(lo int, keys []uint64) {
		from.put(lo, keys)
		to.join(lo, keys)
	})
	return spelled(pairName, codes, firsts, func(b []byte, i int32) []byte {
		return appendPair(b, pickup.At(int(i)), dropoff.At(int(i)))
	})
}

// zones is a column of single zones. Those that are codes stay codes.
func zones(name string, ids zoneColumn) matrix.Categories {
	var codes, firsts []int32
	if ids.Codes != nil {
		codes, firsts = make([]int32, len(ids.Codes)), make([]int32, len(ids.Values))
		for i, code := range ids.Codes {
			codes[i] = int32(code)
		}
		for i := range firsts {
			firsts[i] = int32(i)
		}
		ids.Codes = nil // what is left are the levels
	} else {
		r := ranksOf(ids)
		codes, firsts = dictionary(ids.Len(), r.size, r.put)
	}
	return spelled(name, codes, firsts, func(b []byte, i int32) []byte {
		return strconv.AppendInt(b, int64(ids.Values[i]), 10)
	})
}

// spelled is the column in which the level of a code is what spell appends for
// its first. The levels share one piece of memory.
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
func ids(name string, zones zoneColumn) matrix.Values {
	numbers := make([]float64, len(zones.Values))
	for i, id := range zones.Values {
		numbers[i] = float64(id)
		if id == data.NoZone {
			numbers[i] = math.NaN()
		}
	}
	return matrix.Values{Name: name, Values: data.Column[float64]{Values: numbers, Codes: zones.Codes}.All()}
}

// ranks are numbers below size that tell the zones of a column apart: their
// codes, or how far their ids are from the least.
type ranks struct {
	zones zoneColumn
	least int32
	size  uint64 // at most 1<<32
}

func ranksOf(zones zoneColumn) ranks {
	if zones.Codes != nil {
		return ranks{zones: zones, size: uint64(len(zones.Values))}
	}
	ids := zones.Values
	if len(ids) == 0 {
		return ranks{zones: zones}
	}
	least, most := ids[0], ids[0]
	for _, id := range ids {
		least, most = min(least, id), max(most, id)
	}
	return ranks{zones, least, uint64(int64(most)-int64(least)) + 1}
}

// put sets keys to the ranks of the rows from lo on.
func (r *ranks) put(lo int, keys []uint64) {
	if codes := r.zones.Codes; codes != nil {
		for i, code := range codes[lo : lo+len(keys)] {
			keys[i] = uint64(code)
		}
		return
	}
	for i, id := range r.zones.Values[lo : lo+len(keys)] {
		keys[i] = uint64(int64(id) - int64(r.least))
	}
}

// join makes keys tell apart what they did and the ranks of the rows from lo on.
func (r *ranks) join(lo int, keys []uint64) {
	if codes := r.zones.Codes; codes != nil {
		for i, code := range codes[lo : lo+len(keys)] {
			keys[i] = keys[i]*r.size + uint64(code)
		}
		return
	}
	for i, id := range r.zones.Values[lo : lo+len(keys)] {
		keys[i] = keys[i]*r.size + uint64(int64(id)-int64(r.least))
	}
}

// times returns how many pairs there can be, or more than maxTable.
func (r *ranks) times(s ranks) uint64 {
	if r.size > maxTable || s.size > maxTable {
		return maxTable + 1
	}
	return r.size * s.size
}
