package matrix

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// number gives each level and each number its matrix column, in the order of
// their names, and builds the indexes. Levels must be sorted and distinct.
func (v *Vectorizer) number() error {
	slices.SortFunc(v.blocks, func(a, b fitted) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(v.numbers, func(a, b Number) int { return strings.Compare(a.Name, b.Name) })
	// Blocks and numbers are sorted lists of names: merge them.
	var heads []*head
	for i := range v.blocks {
		b := &v.blocks[i]
		b.Columns = make([]int32, len(b.Levels))
		b.index = make(map[string]int32, len(b.Levels))
		for code, level := range b.Levels {
			b.index[level] = int32(code)
		}
		if len(b.Levels) > 0 {
			heads = append(heads, newHead(b.Name+"=", b.Levels, b.Columns))
		}
	}
	numbers := make([]int32, len(v.numbers))
	for i, n := range v.numbers {
		heads = append(heads, newHead(n.Name, []string{""}, numbers[i:i+1]))
	}
	v.width = 0
	var last []byte
	for len(heads) > 0 {
		least := 0
		for i, h := range heads {
			if bytes.Compare(h.name, heads[least].name) < 0 {
				least = i
			}
		}
		h := heads[least]
		if v.width > 0 && bytes.Equal(h.name, last) {
			return fmt.Errorf("two columns would be named %q", last)
		}
		last = append(last[:0], h.name...)
		if !h.take(int32(v.width)) {
			heads = slices.Delete(heads, least, least+1)
		}
		v.width++
	}
	for i, column := range numbers {
		v.numbers[i].Column = column
	}
	return nil
}

// head is a sorted list of names that are getting their columns.
type head struct {
	name    []byte // the next to get one: prefix and level
	prefix  int    // length
	levels  []string
	columns []int32
	next    int
}

func newHead(prefix string, levels []string, columns []int32) *head {
	return &head{name: append([]byte(prefix), levels[0]...), prefix: len(prefix), levels: levels, columns: columns}
}

// take gives the next name the column, and tells whether there is another.
func (h *head) take(column int32) bool {
	h.columns[h.next] = column
	if h.next++; h.next == len(h.levels) {
		return false
	}
	h.name = append(h.name[:h.prefix], h.levels[h.next]...)
	return true
}
