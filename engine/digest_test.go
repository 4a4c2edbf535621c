package engine_test

import (
	"math"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

func TestDigestsDifferWhereValuesDo(t *testing.T) {
	text, none := "nil", (*string)(nil)
	type pair struct{ A, B string }
	for _, values := range [][]any{ // of one type each: a task has one type of input
		{1.5, math.Copysign(0, -1), 0.0, math.NaN()},
		{[]int{1, 2}, []int{2, 1}, []int{}, []int{0}},
		{[][]int{{1}, {2}}, [][]int{{1, 2}, {}}, [][]int{{}, {1, 2}}},
		{pair{"a", "bc"}, pair{"ab", "c"}, pair{}},
		{map[string]int{"a": 1}, map[string]int{"a": 2}, map[string]int{"b": 1}, map[string]int{}},
		{[]*string{none}, []*string{&text}},
		{[]any{1}, []any{"1"}, []any{1.0}, []any{true}, []any{"true"}, []any{nil}, []any{"nil"}, []any{""}},
		{time.Unix(1, 0).UTC(), time.Unix(2, 0).UTC()},
	} {
		seen := map[string]int{}
		for i, v := range values {
			d, err := engine.Digest(v)
			if err != nil {
				t.Errorf("%T %v: %v", v, v, err)
			}
			if before, again := seen[d]; again {
				t.Errorf("%T %v and %v have one digest", v, values[before], v)
			}
			seen[d] = i
		}
	}
}

func TestDigestIsOfContent(t *testing.T) {
	type file struct {
		SHA  string
		Path string `cache:"-"`
	}
	a, b := map[string]any{"a": 1, "b": []any{"x", nil}}, map[string]any{"b": []any{"x", nil}, "a": 1}
	for name, two := range map[string][2]any{
		"order of a map": {a, b},
		"untracked":      {file{"s", "/here"}, file{"s", "/there"}},
		"pointer":        {&file{"s", "/here"}, &file{"s", ""}},
	} {
		x, xerr := engine.Digest(two[0])
		y, yerr := engine.Digest(two[1])
		if x != y || xerr != nil || yerr != nil {
			t.Errorf("%s: digests %s and %s, %v, %v", name, x, y, xerr, yerr)
		}
	}
	type ring struct{ Next *ring }
	endless := &ring{}
	endless.Next = endless
	for _, v := range []any{endless, func() {}, make(chan int), struct{ hidden int }{1}, []any{struct{ hidden int }{1}}} {
		if d, err := engine.Digest(v); err == nil {
			t.Errorf("%T has the digest %s", v, d)
		}
	}
}
