package features

// maxTable is the most keys for which dictionary uses a table. All pairs of
// TLC's zones are a fifteenth of it.
const maxTable = 1 << 20

// dictionary gives equal keys equal codes, counted from 0 as they appear, and
// returns the first row of each. keys sets its argument to the keys of the rows
// from lo on; they are below span. (Numbering halves of the rows on two cores
// and joining them was no faster: it passes over the rows once more.)
func dictionary(rows int, span uint64, keys func(lo int, keys []uint64)) (codes, firsts []int32) {
	if rows == 1 {
		return []int32{0}, []int32{0} // a ride to be served
	}
	codes = make([]int32, rows)
	code := numbers(span, rows)
	buffer := make([]uint64, min(512, rows))
	for lo := 0; lo < rows; lo += len(buffer) {
		buffer = buffer[:min(len(buffer), rows-lo)]
		keys(lo, buffer)
		firsts = code(firsts, lo, codes[lo:lo+len(buffer)], buffer)
	}
	return codes, firsts
}

// numbers returns what sets codes to those of the keys of the rows from lo on,
// and adds to firsts the rows that are the first to have theirs.
func numbers(span uint64, rows int) func(firsts []int32, lo int, codes []int32, keys []uint64) []int32 {
	if span > maxTable || span > 64*uint64(rows) {
		known := map[uint64]int32{}
		return func(firsts []int32, lo int, codes []int32, keys []uint64) []int32 {
			for i, key := range keys {
				code, ok := known[key]
				if !ok {
					code = int32(len(firsts))
					known[key] = code
					firsts = append(firsts, int32(lo+i))
				}
				codes[i] = code
			}
			return firsts
		}
	}
	known := make([]int32, span) // code + 1, or 0
	return func(firsts []int32, lo int, codes []int32, keys []uint64) []int32 {
		codes = codes[:len(keys)]
		for i, key := range keys {
			code := known[key]
			if code == 0 {
				firsts = append(firsts, int32(lo+i))
				code = int32(len(firsts))
				known[key] = code
			}
			codes[i] = code - 1
		}
		return firsts
	}
}
