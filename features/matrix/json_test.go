package matrix

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestJSONForm(t *testing.T) {
	v, err := Fit([]Column{Values{"trip_distance", []float64{0, 1}}, Categories{"PU_DO", []string{"7_8", "43_151"}, []int32{0, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"format":"dict-vectorizer","version":1,"width":3,"blocks":[{"name":"PU_DO","levels":["43_151","7_8"]}],"numbers":["trip_distance"]}`
	if string(got) != want {
		t.Errorf("JSON is %s, want %s", got, want)
	}
}

func TestJSONRefuses(t *testing.T) {
	const head = `{"format":"dict-vectorizer","version":1,`
	for text, want := range map[string]string{
		`{}`: "format",
		`{"format":"dict-vectorizer","version":2}`:                                   "version 2",
		head + `"width":1,"blocks":[],"numbers":[]}`:                                 "it names 0 columns, but says 1",
		head + `"width":2,"blocks":[{"name":"a","levels":["y","x"]}]}`:               `levels "y" and "x" of "a" are out of order`,
		head + `"width":2,"blocks":[{"name":"a","levels":["x","x"]}]}`:               "out of order",
		head + `"width":2,"numbers":["a","a"]}`:                                      `feature name "a" is empty or repeats`,
		head + `"width":1,"numbers":[""]}`:                                           "empty or repeats",
		head + `"width":2,"blocks":[{"name":"a","levels":["x"]}],"numbers":["a=x"]}`: `two columns would be named "a=x"`,
		head + `"width":0,"surprise":1}`:                                             "surprise",
		head + `"width":0} {}`:                                                       "invalid character",
		head:                                                                         "unexpected end",
	} {
		var v Vectorizer
		err := json.Unmarshal([]byte(text), &v)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", text, err, want)
		}
	}
	if err := new(Vectorizer).UnmarshalJSON([]byte(head + `"width":0} {}`)); err == nil {
		t.Error("two values are accepted")
	}
	bad, err := Fit([]Column{Categories{"c", []string{"\xff"}, []int32{0}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.MarshalJSON(); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("writing a name that is not UTF-8: %v", err)
	}
}

func FuzzUnmarshalJSON(f *testing.F) {
	f.Add([]byte(`{"format":"dict-vectorizer","version":1,"width":3,"blocks":[{"name":"PU_DO","levels":["43_151","7_8"]}],"numbers":["trip_distance"]}`))
	f.Add([]byte(`{"format":"dict-vectorizer","version":1,"width":4,"blocks":[{"name":"a","levels":["","b=","z"]},{"name":"a=b","levels":[]}],"numbers":["a=b=c"]}`))
	f.Add([]byte(`{"format":"dict-vectorizer","version":1,"width":0,"blocks":null,"numbers":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v Vectorizer
		if v.UnmarshalJSON(data) != nil {
			return
		}
		names := v.Names()
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != v.Width() {
			t.Fatalf("columns %q are not sorted and distinct", names)
		}
		first, err := v.MarshalJSON()
		if err != nil {
			t.Fatalf("write what was read: %v", err)
		}
		var again Vectorizer
		if err := again.UnmarshalJSON(first); err != nil {
			t.Fatalf("read what was written: %v", err)
		}
		second, err := again.MarshalJSON()
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s became %s, %v", first, second, err)
		}
	})
}

// Names are spelled as encoding/json would, and sorted as strings are.
func TestNamesOfAllKinds(t *testing.T) {
	parts := []string{"", "a", "b", "-1_7", "43_151", "43_15", "\x00", "\"", "\\", "<&>", "\n", "\x7f", "é", "\u2028", "😀", "longer than eight", "longer than nine"}
	var levels []string
	for _, a := range parts {
		for _, b := range parts {
			levels = append(levels, a+b)
		}
	}
	codes := make([]int32, len(levels))
	for i := range codes {
		codes[i] = int32(i)
	}
	v, err := Fit([]Column{Categories{"a\"<é", levels, codes}, Values{"b\\", make([]float64, len(codes))}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	err = enc.Encode(vectorizerJSON{jsonFormat, jsonVersion, len(levels) + 1, []blockJSON{{"a\"<é", levels}}, []string{"b\\"}})
	if err != nil || string(got)+"\n" != want.String() {
		t.Errorf("JSON is %s, %v, want %s", got, err, &want)
	}
}
