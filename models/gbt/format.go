package gbt

import (
	"fmt"
	"io"
)

// maxFile bounds what is read: some 18 million nodes.
const maxFile = 1 << 30

// decoder reads the values of a file one after the other, in either of
// XGBoost's two formats. A callback must read the value it is called for.
type decoder interface {
	object(member func(key string) error) error
	list(element func() error) error
	text() (string, error) // of a string, or the spelling of a number or word
	floats() ([]float32, error)
	ints() ([]int32, error) // booleans, which old files have, count as 0 and 1
	skip() error
	end() error // an error unless all is read
}

// maxDepth is how deep values may be nested in each other.
const maxDepth = 32

func newDecoder(data []byte) decoder {
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

func readAll(r io.Reader) ([]byte, error) {
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
	d := newDecoder(file)
	var name string
	err := members(d, map[string]func() error{"learner": func() error {
		return members(d, map[string]func() error{"gradient_booster": func() error {
			return members(d, map[string]func() error{"name": text(d, &name)})
		}})
	}})
	if err == nil {
		err = d.end()
	}
	return name, err
}

// members reads an object: those members that are named, and skips others.
func members(d decoder, read map[string]func() error) error {
	return d.object(func(key string) error {
		f := read[key]
		if f == nil {
			f = d.skip
		}
		if err := f(); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
}

func text(d decoder, to *string) func() error {
	return func() (err error) {
		*to, err = d.text()
		return err
	}
}

func texts(d decoder, to *[]string) func() error {
	return func() error {
		*to = []string{}
		return d.list(func() error {
			s, err := d.text()
			*to = append(*to, s)
			return err
		})
	}
}

func floats(d decoder, to *[]float32) func() error {
	return func() (err error) {
		*to, err = d.floats()
		return err
	}
}

func ints(d decoder, to *[]int32) func() error {
	return func() (err error) {
		*to, err = d.ints()
		return err
	}
}
