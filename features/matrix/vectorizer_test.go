package matrix

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// columnsOf turns dicts into columns. Levels are given in the order of their
// appearance, with one that no row uses.
func columnsOf(rows []map[string]any, kinds map[string]any) []Column {
	var cols []Column
	for name, kind := range kinds {
		if _, ok := kind.(string); ok {
			c := Categories{Name: name, Levels: []string{"no row has this"}, Codes: make([]int32, len(rows))}
			seen := map[string]int32{}
			for i, row := range rows {
				c.Codes[i] = -1
				if s, ok := row[name].(string); ok {
					if _, ok := seen[s]; !ok {
						seen[s] = int32(len(c.Levels))
						c.Levels = append(c.Levels, s)
					}
					c.Codes[i] = seen[s]
				}
			}
			cols = append(cols, c)
			continue
		}
		c := Values{Name: name, Values: make([]float64, len(rows))}
		for i, row := range rows {
			c.Values[i] = math.NaN()
			if x, ok := row[name].(float64); ok {
				c.Values[i] = x
			}
		}
		cols = append(cols, c)
	}
	return cols
}

func TestEqualsDictVectorizer(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	type csr struct {
		Indptr, Indices []int32
		Data            []float64
	}
	var ref struct {
		Cases []struct {
			Name           string
			Fit, Transform []map[string]any
			Names          []string
			Matrices       map[string]csr
		}
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range ref.Cases {
		t.Run(c.Name, func(t *testing.T) {
			kinds := map[string]any{}
			for _, row := range c.Fit {
				for name, value := range row {
					kinds[name] = value
				}
			}
			fitted, err := Fit(columnsOf(c.Fit, kinds))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []*Vectorizer{fitted, roundTrip(t, fitted)} {
				if !slices.Equal(v.Names(), c.Names) {
					t.Errorf("names %q, want %q", v.Names(), c.Names)
				}
				for which, rows := range map[string][]map[string]any{"fit": c.Fit, "transform": c.Transform} {
					m, err := v.Transform(columnsOf(rows, kinds))
					if err != nil {
						t.Fatal(err)
					}
					want := c.Matrices[which]
					got := csr{Indptr: []int32{0}}
					for row := range m.Rows {
						got.Indices, got.Data = m.AppendRow(row, got.Indices, got.Data)
						got.Indptr = append(got.Indptr, int32(len(got.Indices)))
					}
					if !reflect.DeepEqual(got, want) {
						t.Errorf("%s: got %v, want %v", which, got, want)
					}
					if m.Rows != len(rows) || m.Width != len(c.Names) {
						t.Errorf("%s: %d×%d, want %d×%d", which, m.Rows, m.Width, len(rows), len(c.Names))
					}
				}
			}
		})
	}
}

func roundTrip(t *testing.T, v *Vectorizer) *Vectorizer {
	t.Helper()
	first, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	back := &Vectorizer{}
	if err := json.Unmarshal(first, back); err != nil {
		t.Fatal(err)
	}
	second, err := back.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Errorf("JSON changed in a round trip: %s, then %s", first, second)
	}
	return back
}

func TestFitRefuses(t *testing.T) {
	two := []float64{1, 2}
	for name, c := range map[string]struct {
		cols []Column
		want string
	}{
		"lengths":   {[]Column{Values{"x", two}, Values{"y", two[:1]}}, `column "y" has 1 rows, column "x" has 2`},
		"twice":     {[]Column{Values{"x", two}, Values{"x", two}}, `column "x" is given twice`},
		"no name":   {[]Column{Values{"", two}}, "column 0 has no name"},
		"code":      {[]Column{Categories{"c", []string{"a"}, []int32{0, 1}}}, `column "c" row 1: code 1 is outside its 1 levels`},
		"code -2":   {[]Column{Categories{"c", []string{"a"}, []int32{-2}}}, "code -2"},
		"same name": {[]Column{Categories{"c", []string{"a"}, []int32{0}}, Values{"c=a", two[:1]}}, `two columns would be named "c=a"`},
		"same block": {[]Column{Categories{"c", []string{"a=b"}, []int32{0}}, Categories{"c=a", []string{"b"}, []int32{0}}},
			`two columns would be named "c=a=b"`},
	} {
		_, err := Fit(c.cols)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
}

func TestTransformRefuses(t *testing.T) {
	v, err := Fit([]Column{Categories{"c", []string{"a"}, []int32{0}}, Values{"x", []float64{1}}})
	if err != nil {
		t.Fatal(err)
	}
	category := Categories{"c", []string{"a"}, []int32{0}}
	for name, c := range map[string]struct {
		cols []Column
		want string
	}{
		"missing": {[]Column{category}, `column "x" is missing`},
		"kind":    {[]Column{category, Categories{"x", nil, []int32{-1}}}, `column "x" is matrix.Categories, but was fitted on matrix.Values`},
		"code":    {[]Column{Categories{"c", []string{"a"}, []int32{3}}, Values{"x", []float64{1}}}, "code 3"},
		"code, more levels than rows": {[]Column{Categories{"c", []string{"a", "b", "c"}, []int32{3}}, Values{"x", []float64{1}}},
			"code 3"},
	} {
		_, err := v.Transform(c.cols)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
	extra := []Column{Values{"y", []float64{9}}, Values{"x", []float64{1}}, category}
	m, err := v.Transform(extra)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Numbers) != 1 || m.Width != 2 {
		t.Errorf("a column that was not fitted is not ignored: %+v", m)
	}
}

func TestEmpty(t *testing.T) {
	v, err := Fit(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := roundTrip(t, v).Names(); len(got) != 0 {
		t.Errorf("names %q of nothing", got)
	}
	// Fitted on a column in which no row has anything.
	v, err = Fit([]Column{Categories{"c", []string{"a"}, []int32{-1, -1}}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := roundTrip(t, v).Transform([]Column{Categories{"c", []string{"a"}, []int32{0}}})
	if err != nil {
		t.Fatal(err)
	}
	if m.Width != 0 || m.Blocks[0].Codes[0] != -1 {
		t.Errorf("got %+v, want no columns and code -1", m)
	}
}

func TestSlice(t *testing.T) {
	cols := []Column{Categories{"c", []string{"a", "b"}, []int32{0, 1, -1, 1}}, Values{"x", []float64{1, 2, 3, 4}}}
	v, err := Fit(cols)
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Transform(cols)
	if err != nil {
		t.Fatal(err)
	}
	s := m.Slice(1, 3)
	if s.Rows != 2 || s.Width != 3 || !slices.Equal(s.Blocks[0].Codes, []int32{1, -1}) || !slices.Equal(s.Numbers[0].Values, []float64{2, 3}) {
		t.Errorf("slice is %+v", s)
	}
	if m.Rows != 4 || len(m.Blocks[0].Codes) != 4 {
		t.Errorf("slicing changed the matrix: %+v", m)
	}
}
