// Package xgbfile reads XGBoost's model files, in JSON and in UBJSON: their values,
// and what they say whatever the booster. It knows nothing of trees or weights.
// What it allocates is in proportion to what it reads.
package xgbfile

import (
	"fmt"
	"io"
)

// maxFile bounds what is read: some 18 million nodes.
const maxFile = 1 << 30

// Decoder reads the values of a file one after the other, in either of
// XGBoost's two formats. A callback must read the value it is called for.
type Decoder interface {
	Object(member func(key string) error) error
	List(element func() error) error
	Text() (string, error) // of a string, or the spelling of a number or word
	Floats() ([]float32, error)
	Ints() ([]int32, error) // booleans, which old files have, count as 0 and 1
	Skip() error
	End() error // an error unless all is read
}

// maxDepth is how deep values may be nested in each other.
const maxDepth = 32

// NewDecoder returns the decoder of the format that data is in.
func NewDecoder(data []byte) Decoder {
	// As XGBoost's c_api.cc, XGBoosterLoadModelFromBuffer tells the two apart.
	if isUBJSON(data) {
		return &ubjReader{data: data}
	}
	return &jsonReader{data: data}
}

// isUBJSON: an object's first key comes with its length, in JSON with a quote.
func isUBJSON(data []byte) bool {
	if len(data) < 2 || data[0] != '{' {
		return false
	}
	switch data[1] {
	case '"', '}', ' ', '\n', '\r', '\t':
		return false
	}
	return true
}

// ReadAll reads a file to its end, which must come before a gigabyte does.
func ReadAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	return data, nil
}

// Booster tells what kind of booster a file's model is, in JSON or UBJSON: by
// its name, such as "gbtree" or "gblinear". It is "" where none is named.
func Booster(file []byte) (string, error) {
	d := NewDecoder(file)
	var name string
	err := Members(d, map[string]func() error{"learner": func() error {
		return Members(d, map[string]func() error{"gradient_booster": func() error {
			return Members(d, map[string]func() error{"name": Text(d, &name)})
		}})
	}})
	if err == nil {
		err = d.End()
	}
	return name, err
}

// Members reads an object: those members that are named, and skips others.
func Members(d Decoder, read map[string]func() error) error {
	return d.Object(func(key string) error {
		f := read[key]
		if f == nil {
			f = d.Skip
		}
		if err := f(); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
}

// Text reads a text into to, when it is called.
func Text(d Decoder, to *string) func() error {
	return func() (err error) {
		*to, err = d.Text()
		return err
	}
}

// Texts reads a list of texts into to, when it is called.
func Texts(d Decoder, to *[]string) func() error {
	return func() error {
		*to = []string{}
		return d.List(func() error {
			s, err := d.Text()
			*to = append(*to, s)
			return err
		})
	}
}

// Floats reads a list of numbers into to, when it is called.
func Floats(d Decoder, to *[]float32) func() error {
	return func() (err error) {
		*to, err = d.Floats()
		return err
	}
}

// Ints reads a list of integers into to, when it is called.
func Ints(d Decoder, to *[]int32) func() error {
	return func() (err error) {
		*to, err = d.Ints()
		return err
	}
}
