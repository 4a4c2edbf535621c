package data

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const magic = "PAR1"

// checkFrame looks whether size bytes begin and end as a Parquet file does.
func checkFrame(path string, r io.ReaderAt, size int64) error {
	corrupt := func(format string, args ...any) error {
		return &CorruptError{Path: path, Size: size, Detail: fmt.Sprintf(format, args...)}
	}
	if size < 12 {
		return corrupt("it is too short for a Parquet file")
	}
	head, tail := make([]byte, 4), make([]byte, 8)
	if _, err := r.ReadAt(head, 0); err != nil {
		return &CorruptError{Path: path, Size: size, Detail: "its beginning cannot be read", Err: err}
	}
	if _, err := r.ReadAt(tail, size-8); err != nil {
		return &CorruptError{Path: path, Size: size, Detail: "its end cannot be read", Err: err}
	}
	if string(head) != magic {
		return corrupt("it begins with %q, not with %s: it is no Parquet file", head, magic)
	}
	if string(tail[4:]) != magic {
		return corrupt("it ends with %q, not with %s: it is truncated", tail[4:], magic)
	}
	if footer := int64(binary.LittleEndian.Uint32(tail)); footer > size-12 {
		return corrupt("its footer claims %d bytes", footer)
	}
	return nil
}

// guard runs read and makes a *CorruptError of what goes wrong in it, panics of
// the Parquet library among that; a context's end and our own errors stay what
// they are.
func guard(path string, size int64, detail string, read func() error) (err error) {
	corrupt := func(cause error) error {
		return &CorruptError{Path: path, Size: size, Detail: detail, Err: cause}
	}
	defer func() {
		if r := recover(); r != nil {
			err = corrupt(fmt.Errorf("the Parquet reader stopped: %v", r))
		}
	}()
	err = read()
	var known *CorruptError
	var schema *SchemaError
	if err == nil || errors.As(err, &known) || errors.As(err, &schema) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return corrupt(err)
}
