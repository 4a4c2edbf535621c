package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// The JSON form of a Vectorizer. The matrix columns follow from it: sort the
// names "block=level" and the numbers. So in Python
//
//	names = sorted([b["name"] + "=" + l for b in v["blocks"] for l in b["levels"]] + v["numbers"])
type vectorizerJSON struct {
	Format  string      `json:"format"`
	Version int         `json:"version"`
	Width   int         `json:"width"`
	Blocks  []blockJSON `json:"blocks"`
	Numbers []string    `json:"numbers"`
}

type blockJSON struct {
	Name   string   `json:"name"`
	Levels []string `json:"levels"`
}

const (
	jsonFormat  = "dict-vectorizer"
	jsonVersion = 1
)

// MarshalJSON writes v; equal vectorizers give equal bytes. A name that is not
// UTF-8 is an error, since JSON could not give it back.
func (v *Vectorizer) MarshalJSON() ([]byte, error) {
	return v.AppendJSON(nil)
}

// AppendJSON appends to b what MarshalJSON returns. It is several times as fast
// as json.Marshal, which looks at every byte of that again.
func (v *Vectorizer) AppendJSON(b []byte) ([]byte, error) {
	if err := v.checkUTF8(); err != nil {
		return nil, fmt.Errorf("write vectorizer: %w", err)
	}
	b = fmt.Appendf(b, `{"format":%q,"version":%d,"width":%d,"blocks":[`, jsonFormat, jsonVersion, v.width)
	for i, block := range v.blocks {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"name":`...), block.Name)
		b = append(b, `,"levels":[`...)
		for j, level := range block.Levels {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendText(b, level)
		}
		b = append(b, "]}"...)
	}
	b = append(b, `],"numbers":[`...)
	for i, n := range v.numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, n.Name)
	}
	return append(b, "]}"...), nil
}

// appendText appends s, which is UTF-8, as encoding/json spells it where < and >
// stay as they are.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetEscapeHTML(false)
			_ = enc.Encode(s) // a string always can be
			return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func (v *Vectorizer) checkUTF8() error {
	check := func(name string) error {
		if !utf8.ValidString(name) {
			return fmt.Errorf("name %q is not UTF-8", name)
		}
		return nil
	}
	for _, b := range v.blocks {
		if err := check(b.Name); err != nil {
			return err
		}
		for _, level := range b.Levels {
			if err := check(level); err != nil {
				return err
			}
		}
	}
	for _, n := range v.numbers {
		if err := check(n.Name); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Anything else is an error that
// says what is wrong: another format or version, unknown fields, names that
// repeat, levels out of order, a width that does not fit.
func (v *Vectorizer) UnmarshalJSON(data []byte) error {
	var in vectorizerJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("read vectorizer: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("read vectorizer: more than one JSON value")
	}
	read, err := in.vectorizer()
	if err != nil {
		return fmt.Errorf("read vectorizer: %w", err)
	}
	*v = *read
	return nil
}

func (in *vectorizerJSON) vectorizer() (*Vectorizer, error) {
	if in.Format != jsonFormat || in.Version != jsonVersion {
		return nil, fmt.Errorf("format %q version %d, want %q version %d", in.Format, in.Version, jsonFormat, jsonVersion)
	}
	v := &Vectorizer{}
	features := map[string]bool{}
	add := func(name string) error {
		if name == "" || features[name] {
			return fmt.Errorf("feature name %q is empty or repeats", name)
		}
		features[name] = true
		return nil
	}
	for _, b := range in.Blocks {
		if err := add(b.Name); err != nil {
			return nil, err
		}
		for i := 1; i < len(b.Levels); i++ {
			if b.Levels[i-1] >= b.Levels[i] {
				return nil, fmt.Errorf("levels %q and %q of %q are out of order", b.Levels[i-1], b.Levels[i], b.Name)
			}
		}
		v.blocks = append(v.blocks, fitted{Block: Block{Name: b.Name, Levels: b.Levels}})
	}
	for _, name := range in.Numbers {
		if err := add(name); err != nil {
			return nil, err
		}
		v.numbers = append(v.numbers, Number{Name: name})
	}
	if err := v.number(); err != nil {
		return nil, err
	}
	if v.width != in.Width {
		return nil, fmt.Errorf("it names %d columns, but says %d", v.width, in.Width)
	}
	return v, nil
}
