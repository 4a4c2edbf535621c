package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Codec turns a task's result into bytes and back. The zero value is JSON.
type Codec[T any] struct {
	name   string
	bytes  bool // the digest is that of the data
	encode func(T) (data []byte, digest string, err error)
	decode func(ctx context.Context, data []byte) (T, error)
}

// Bytes is a codec whose encoded form is the value: its digest is theirs. Name
// it after the format and change the name with the format.
func Bytes[T any](name string, encode func(T) ([]byte, error), decode func([]byte) (T, error)) Codec[T] {
	return Codec[T]{
		name:  name,
		bytes: true,
		encode: func(v T) ([]byte, string, error) {
			data, err := encode(v)
			return data, digestBytes(data), err
		},
		decode: func(_ context.Context, data []byte) (T, error) { return decode(data) },
	}
}

// Recipe is a codec that stores how to make the value again instead of the
// value: R is kept as JSON, and its digest is the value's. cook must check that
// it made the very same value, such as by the hash of the source, and return an
// error where it cannot; the task then runs again.
func Recipe[T, R any](name string, recipe func(T) R, cook func(ctx context.Context, r R) (T, error)) Codec[T] {
	return Codec[T]{
		name: name,
		encode: func(v T) ([]byte, string, error) {
			return encodeJSON(recipe(v))
		},
		decode: func(ctx context.Context, data []byte) (v T, err error) {
			r, err := decodeJSON[R](ctx, data)
			if err != nil {
				return v, err
			}
			return cook(ctx, r)
		},
	}
}

// orJSON returns the codec itself, or JSON for the zero codec.
func (c Codec[T]) orJSON() Codec[T] {
	if c.encode == nil {
		return Codec[T]{name: "json", encode: encodeJSON[T], decode: decodeJSON[T]}
	}
	return c
}

// inlineSize is how many bytes of text may be their own Ref.
const inlineSize = 512

// result encodes a value.
func (c Codec[T]) result(v T) (*Result, error) {
	data, digest, err := c.encode(v)
	if err != nil {
		return nil, err
	}
	r := &Result{Codec: c.name, Digest: digest, Size: int64(len(data))}
	switch {
	case len(data) <= inlineSize && utf8.Valid(data) && !bytes.Contains(data, []byte{0}):
		r.Ref = "=" + string(data)
	case c.bytes:
		r.Ref, r.Data = digest, data
	default:
		r.Ref, r.Data = digestBytes(data), data
	}
	return r, nil
}

func encodeJSON[T any](v T) ([]byte, string, error) {
	data, err := marshal(v)
	if err != nil {
		return nil, "", err
	}
	digest, err := Digest(v)
	return data, digest, err
}

// marshal is json.Marshal that leaves < and > as they are: people read this.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func decodeJSON[T any](_ context.Context, data []byte) (v T, err error) {
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("decode a stored %T: %w", v, err)
	}
	return v, nil
}
