package matrix

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Vectorizer turns columns into a design matrix exactly as scikit-learn's
// DictVectorizer does: a string v of feature f becomes column "f=v", a number
// of feature f becomes column "f", columns are sorted by name (code point by
// code point, as Python sorts), and what was not there when it was fitted is
// ignored. One difference: NaN is not stored, where DictVectorizer stores it,
// since it means "missing" to whoever reads the matrix.
//
// Make one with Fit or by reading its JSON. It is read-only from then on and
// may be used by many goroutines. The zero Vectorizer has no columns.
type Vectorizer struct {
	width   int
	blocks  []fitted
	numbers []Number // Values unset
}

// fitted is a one-hot block without rows.
type fitted struct {
	Block                  // Codes unset
	index map[string]int32 // code of a level
}

// Fit learns the columns of a design matrix from cols: the levels that occur,
// and the numbers. It is an error when columns differ in length, share a name,
// hold a code outside their levels, or would give two matrix columns one name.
func Fit(cols []Column) (*Vectorizer, error) {
	if _, err := countRows(cols); err != nil {
		return nil, fmt.Errorf("fit vectorizer: %w", err)
	}
	v := &Vectorizer{}
	for _, c := range cols {
		switch c := c.(type) {
		case Categories:
			levels, err := usedLevels(c)
			if err != nil {
				return nil, fmt.Errorf("fit vectorizer: %w", err)
			}
			v.blocks = append(v.blocks, fitted{Block: Block{Name: c.Name, Levels: levels}})
		case Values:
			v.numbers = append(v.numbers, Number{Name: c.Name})
		}
	}
	if err := v.number(); err != nil {
		return nil, fmt.Errorf("fit vectorizer: %w", err)
	}
	return v, nil
}

// usedLevels returns the sorted levels that occur in c.
func usedLevels(c Categories) ([]string, error) {
	used := make([]bool, len(c.Levels))
	for row, code := range c.Codes {
		if uint32(code) < uint32(len(used)) {
			used[code] = true
		} else if code != -1 {
			return nil, codeError(c, row)
		}
	}
	levels := make([]string, 0, len(c.Levels))
	for code, level := range c.Levels {
		if used[code] {
			levels = append(levels, level)
		}
	}
	return slices.Compact(sorted(levels)), nil
}

// sorted sorts levels. Most are told apart by their first eight bytes, which
// compare as one number.
func sorted(levels []string) []string {
	type level struct {
		first uint64
		text  string
	}
	all := make([]level, len(levels))
	for i, text := range levels {
		var first [8]byte
		copy(first[:], text)
		all[i] = level{binary.BigEndian.Uint64(first[:]), text}
	}
	slices.SortFunc(all, func(a, b level) int {
		if a.first != b.first {
			return cmp.Compare(a.first, b.first)
		}
		return strings.Compare(a.text, b.text)
	})
	for i := range all {
		levels[i] = all[i].text
	}
	return levels
}

func codeError(c Categories, row int) error {
	return fmt.Errorf("column %q row %d: code %d is outside its %d levels", c.Name, row, c.Codes[row], len(c.Levels))
}

// columnName is what DictVectorizer calls the column of a level.
func columnName(feature, level string) string { return feature + "=" + level }

// Width returns the number of matrix columns.
func (v *Vectorizer) Width() int { return v.width }

// Names returns the names of the matrix columns in order: what scikit-learn's
// get_feature_names_out returns. The slice is the caller's.
func (v *Vectorizer) Names() []string {
	names := make([]string, v.width)
	for _, b := range v.blocks {
		for code, column := range b.Columns {
			names[column] = columnName(b.Name, b.Levels[code])
		}
	}
	for _, n := range v.numbers {
		names[n.Column] = n.Name
	}
	return names
}

// Transform encodes cols, which may stand in any order. Levels unknown to v
// become -1, columns unknown to v are ignored. It is an error when a column
// that v was fitted on is missing or of the other kind, when columns differ in
// length or share a name, and when a code lies outside its levels. Blocks of
// the result share their names, levels and columns with v.
func (v *Vectorizer) Transform(cols []Column) (*Matrix, error) {
	rows, err := countRows(cols)
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	m := &Matrix{Rows: rows, Width: v.width}
	if len(v.blocks) > 0 {
		m.Blocks = make([]Block, len(v.blocks))
	}
	if len(v.numbers) > 0 {
		m.Numbers = make([]Number, len(v.numbers))
	}
	for i := range v.blocks {
		b := &v.blocks[i]
		c, err := find[Categories](cols, b.Name)
		if err != nil {
			return nil, fmt.Errorf("transform: %w", err)
		}
		m.Blocks[i] = b.Block
		if m.Blocks[i].Codes, err = b.encode(c); err != nil {
			return nil, fmt.Errorf("transform: %w", err)
		}
	}
	for i, n := range v.numbers {
		c, err := find[Values](cols, n.Name)
		if err != nil {
			return nil, fmt.Errorf("transform: %w", err)
		}
		m.Numbers[i] = Number{Name: n.Name, Column: n.Column, Values: c.Values}
	}
	return m, nil
}

// encode translates the codes of c into those of b: one look-up a level, one
// table access a row.
func (b *fitted) encode(c Categories) ([]int32, error) {
	codes := make([]int32, len(c.Codes))
	if len(c.Levels) > len(c.Codes) {
		// More levels than rows: look up only what the rows use.
		for row, code := range c.Codes {
			if uint32(code) < uint32(len(c.Levels)) {
				codes[row] = b.code(c.Levels[code])
			} else if codes[row] = -1; code != -1 {
				return nil, codeError(c, row)
			}
		}
		return codes, nil
	}
	known := make([]int32, len(c.Levels))
	for i, level := range c.Levels {
		known[i] = b.code(level)
	}
	for row, code := range c.Codes {
		if uint32(code) < uint32(len(known)) {
			codes[row] = known[code]
		} else if codes[row] = -1; code != -1 {
			return nil, codeError(c, row)
		}
	}
	return codes, nil
}

func (b *fitted) code(level string) int32 {
	if code, ok := b.index[level]; ok {
		return code
	}
	return -1
}

// find returns the column of that name and kind.
func find[C Column](cols []Column, name string) (C, error) {
	var none C
	for _, c := range cols {
		if c.name() != name {
			continue
		}
		if c, ok := c.(C); ok {
			return c, nil
		}
		return none, fmt.Errorf("column %q is %T, but was fitted on %T", name, c, none)
	}
	return none, fmt.Errorf("column %q is missing", name)
}
