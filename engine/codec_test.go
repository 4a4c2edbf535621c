package engine

import (
	"strings"
	"testing"
)

// A small text is its own Ref; what is larger, or no text, is found by its hash.
func TestSmallResultsAreTheirOwnRef(t *testing.T) {
	raw := Bytes("raw", func(s string) ([]byte, error) { return []byte(s), nil }, func(b []byte) (string, error) { return string(b), nil })
	for _, c := range []struct {
		value  string
		inline bool
	}{{"", true}, {"42", true}, {"=Ä\n", true}, {strings.Repeat("x", inlineSize), true}, {strings.Repeat("x", inlineSize+1), false}, {"a\x00b", false}, {"\xff", false}} {
		r, err := raw.result(c.value)
		if err != nil {
			t.Fatal(err)
		}
		data, inline := r.Inline()
		if inline != c.inline || inline && (string(data) != c.value || r.Data != nil) || !inline && (r.Ref != digestBytes([]byte(c.value)) || string(r.Data) != c.value) {
			t.Errorf("%.20q: %+v", c.value, r)
		}
	}
}
