package xgbfile

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// both is the same object in the two formats.
var both = map[string]string{
	"JSON": `{"skip": [{"a": [true, "\u00e9"]}, NaN, {}], "name": "gb\u0074ree", "floats": [1, -2.5e-1, NaN, Infinity, -Infinity],
		"ints": [-1, 2147483647, true, false], "names": ["a", "é"], "count": "12"}`,
	"UBJSON": "{" +
		"i\x04skip[#i\x03{i\x01a[TSi\x02\xc3\xa9]}d\x7f\xc0\x00\x00{}" +
		"i\x04nameSi\x06gbtree" +
		"i\x06floats[$d#i\x05\x3f\x80\x00\x00\xbe\x80\x00\x00\x7f\xc0\x00\x00\x7f\x80\x00\x00\xff\x80\x00\x00" +
		"i\x04ints[i\xffl\x7f\xff\xff\xffTF]" +
		"i\x05names[#i\x02Si\x01aSi\x02\xc3\xa9" +
		"U\x05countU\x0c" +
		"}",
}

func TestBothFormatsReadAlike(t *testing.T) {
	for format, file := range both {
		var name, count string
		var names []string
		var floats []float32
		var ints []int32
		d := NewDecoder([]byte(file))
		err := Members(d, map[string]func() error{
			"name": Text(d, &name), "count": Text(d, &count), "names": Texts(d, &names), "floats": Floats(d, &floats), "ints": Ints(d, &ints),
		})
		if err == nil {
			err = d.End()
		}
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if name != "gbtree" || count != "12" || !slices.Equal(names, []string{"a", "é"}) {
			t.Errorf("%s: texts are %q, %q and %q", format, name, count, names)
		}
		if len(floats) != 5 || floats[1] != -0.25 || floats[2] == floats[2] || floats[4] != float32(math.Inf(-1)) {
			t.Errorf("%s: numbers are %v", format, floats)
		}
		if !slices.Equal(ints, []int32{-1, math.MaxInt32, 1, 0}) {
			t.Errorf("%s: integers are %v", format, ints)
		}
	}
}

func TestRefuses(t *testing.T) {
	ints := func(d Decoder) error { _, err := d.Ints(); return err }
	floats := func(d Decoder) error { _, err := d.Floats(); return err }
	for _, c := range []struct {
		file, want string
		read       func(Decoder) error
	}{
		{"[2147483648]", "out of range", ints},
		{"[1.5]", "invalid syntax", ints},
		{"[1 2]", `want ','`, ints},
		{"[1,]", "want a number", ints},
		{"[1", "cut short", ints},
		{"[0x10]", "is not a number", floats},
		{"[+1]", "is not a number", floats},
		{"[nan]", "is not a number", floats},
		{"[1e999]", "out of range", floats},
		{`{"a": "b`, "cut short", Decoder.Skip},
		{`{"a" 1}`, `want ':'`, Decoder.Skip},
		{`{ 1: 2}`, "want a string", Decoder.Skip},
		{strings.Repeat("[", 40), "nested too deep", Decoder.Skip},
		{"", "cut short", Decoder.Skip},
	} {
		if err := c.read(NewDecoder([]byte(c.file))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: error is %v, want one with %q", c.file, err, c.want)
		}
	}
	if err := Members(NewDecoder([]byte(`{"a":{"b":[x]}}`)), map[string]func() error{"a": func() error { return fmt.Errorf("no") }}); err == nil || err.Error() != "a: no" {
		t.Errorf("error is %v, want it to name the member", err)
	}
	d := NewDecoder([]byte("[] []"))
	if err := d.Skip(); err != nil {
		t.Fatal(err)
	}
	if err := d.End(); err == nil {
		t.Error("no error for what follows the value")
	}
}

func TestBooster(t *testing.T) {
	for _, file := range []string{
		`{"version": [3,2,0], "learner": {"a": [], "gradient_booster": {"model": {}, "name": "gblinear"}}}`,
		"{i\x07learner{i\x10gradient_booster{i\x04nameSi\x08gblinear}}}",
	} {
		if name, err := Booster([]byte(file)); name != "gblinear" || err != nil {
			t.Errorf("booster of %.12q is %q, %v", file, name, err)
		}
	}
	if name, err := Booster([]byte("{}")); name != "" || err != nil {
		t.Errorf("booster of nothing is %q, %v", name, err)
	}
}

// FuzzSkip: whatever a file holds, it is read to its end or refused; and JSON
// that others take is taken, but for depth.
func FuzzSkip(f *testing.F) {
	for _, file := range both {
		f.Add([]byte(file))
	}
	f.Add([]byte(strings.Repeat("[", 99)))
	f.Add([]byte("[$Z#L\x00\x00\x00\x00\x3f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		d := NewDecoder(file)
		err := d.Skip()
		if err == nil {
			err = d.End()
		}
		if _, isJSON := d.(*jsonReader); isJSON && err != nil && json.Valid(file) && !strings.Contains(err.Error(), "nested too deep") {
			t.Errorf("valid JSON is refused: %v", err)
		}
		_, _ = Booster(file)
	})
}
