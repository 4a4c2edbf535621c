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
	codes, firsts := dictionary(len(pickup), from.times(to), func(i int) uint64 {
		return from.offset(pickup[i])*to.size + to.offset(dropoff[i])
	})
	c := matrix.Categories{Name: pairName, Codes: codes, Levels: make([]string, len(firsts))}
	for code, i := range firsts {
		c.Levels[code] = pairOf(pickup[i], dropoff[i])
	}
	return c
}

// zones is a column of single zones.
func zones(name string, ids []int32) matrix.Categories {
	r := rangeOf(ids)
	codes, firsts := dictionary(len(ids), r.size, func(i int) uint64 { return r.offset(ids[i]) })
	c := matrix.Categories{Name: name, Codes: codes, Levels: make([]string, len(firsts))}
	for code, i := range firsts {
		c.Levels[code] = strconv.Itoa(int(ids[i]))
	}
	return c
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
	for _, id := range ids {
		least, most = min(least, id), max(most, id)
	}
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

// maxTable is the most keys for which dictionary uses a table. All pairs of
// TLC's zones are a fifteenth of it.
const maxTable = 1 << 20

// dictionary gives equal keys equal codes, counted from 0 as they appear, and
// returns the first row of each. Keys are below span.
func dictionary(rows int, span uint64, key func(i int) uint64) (codes, firsts []int32) {
	codes = make([]int32, rows)
	if span > maxTable {
		known := map[uint64]int32{}
		for i := range codes {
			k := key(i)
			code, ok := known[k]
			if !ok {
				code = int32(len(firsts))
				known[k] = code
				firsts = append(firsts, int32(i))
			}
			codes[i] = code
		}
		return codes, firsts
	}
	known := make([]int32, span) // code + 1, or 0
	for i := range codes {
		at := &known[key(i)]
		if *at == 0 {
			firsts = append(firsts, int32(i))
			*at = int32(len(firsts))
		}
		codes[i] = *at - 1
	}
	return codes, firsts
}
