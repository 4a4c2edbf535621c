package xgbfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ubjReader reads UBJSON (draft 12): each value begins with a marker of its
// type, and numbers are big-endian.
type ubjReader struct {
	data  []byte // what is left
	depth int
}

// ubjSize is the bytes of a value after its marker.
var ubjSize = map[byte]int{'Z': 0, 'T': 0, 'F': 0, 'i': 1, 'U': 1, 'C': 1, 'I': 2, 'l': 4, 'd': 4, 'L': 8, 'D': 8}

func (u *ubjReader) take(n int) ([]byte, error) {
	if n > len(u.data) {
		return nil, errCut
	}
	b := u.data[:n]
	u.data = u.data[n:]
	return b, nil
}

// marker reads the next marker; 'N' stands for nothing.
func (u *ubjReader) marker() (byte, error) {
	for {
		b, err := u.take(1)
		if err != nil {
			return 0, err
		}
		if b[0] != 'N' {
			return b[0], nil
		}
	}
}

// integer reads the value of an integer's marker.
func (u *ubjReader) integer(marker byte) (int64, error) {
	size, known := ubjSize[marker]
	if !known || marker == 'd' || marker == 'D' || marker == 'C' || marker == 'Z' {
		return 0, fmt.Errorf("type %q is no integer", marker)
	}
	b, err := u.take(size)
	if err != nil {
		return 0, err
	}
	switch marker {
	case 'T':
		return 1, nil
	case 'F':
		return 0, nil
	case 'i':
		return int64(int8(b[0])), nil
	case 'U':
		return int64(b[0]), nil
	case 'I':
		return int64(int16(binary.BigEndian.Uint16(b))), nil
	case 'l':
		return int64(int32(binary.BigEndian.Uint32(b))), nil
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

// length reads a length: a marker and an integer.
func (u *ubjReader) length() (int, error) {
	m, err := u.marker()
	if err != nil {
		return 0, err
	}
	n, err := u.integer(m)
	if err == nil && (n < 0 || n > maxFile || m == 'T' || m == 'F') {
		err = fmt.Errorf("length %d is out of range", n)
	}
	return int(n), err
}

// container reads what stands before the values of a list or an object: the
// type that all have, 0 if each says its own, and how many there are, -1 if
// they go on until the shutting marker.
func (u *ubjReader) container(open byte) (kind byte, count int, err error) {
	m, err := u.marker()
	if err != nil {
		return 0, 0, err
	}
	if m != open {
		return 0, 0, fmt.Errorf("type %q where %q is wanted", m, open)
	}
	if len(u.data) > 1 && u.data[0] == '$' {
		kind, u.data = u.data[1], u.data[2:]
	}
	if len(u.data) > 0 && u.data[0] == '#' {
		u.data = u.data[1:]
		count, err = u.length()
		return kind, count, err
	}
	if kind != 0 {
		return 0, 0, errors.New("values of one type without their number")
	}
	return 0, -1, nil
}

// each reads the values of a container.
func (u *ubjReader) each(open, shut byte, one func(kind byte) error) error {
	kind, count, err := u.container(open)
	if err != nil {
		return err
	}
	if u.depth++; u.depth > maxDepth {
		return errors.New("values are nested too deep")
	}
	defer func() { u.depth-- }()
	if size, known := ubjSize[kind]; known && open == '[' && (size == 0 && count > 0 || count*size > len(u.data)) {
		return errCut
	}
	for i := 0; count < 0 || i < count; i++ {
		if count < 0 {
			for len(u.data) > 0 && u.data[0] == 'N' {
				u.data = u.data[1:]
			}
			if len(u.data) > 0 && u.data[0] == shut {
				u.data = u.data[1:]
				return nil
			}
		}
		if err := one(kind); err != nil {
			return err
		}
	}
	return nil
}

// untyped refuses values that do not say their type where containers and texts
// are wanted: XGBoost has typed numbers only.
func untyped(kind byte, read func() error) error {
	if kind != 0 {
		return fmt.Errorf("values of type %q where each should say its own", kind)
	}
	return read()
}

func (u *ubjReader) Object(member func(string) error) error {
	return u.each('{', '}', func(kind byte) error {
		key, err := u.raw()
		if err != nil {
			return err
		}
		return untyped(kind, func() error { return member(key) })
	})
}

func (u *ubjReader) List(element func() error) error {
	return u.each('[', ']', func(kind byte) error { return untyped(kind, element) })
}

// raw reads a string after its marker.
func (u *ubjReader) raw() (string, error) {
	n, err := u.length()
	if err != nil {
		return "", err
	}
	b, err := u.take(n)
	return strings.ToValidUTF8(string(b), "\uFFFD"), err
}

func (u *ubjReader) Text() (string, error) {
	m, err := u.marker()
	if err != nil {
		return "", err
	}
	switch m {
	case 'S', 'H':
		return u.raw()
	case 'd', 'D':
		f, err := u.float(m)
		return strconv.FormatFloat(f, 'g', -1, 64), err
	case 'T':
		return "true", nil
	case 'F':
		return "false", nil
	}
	n, err := u.integer(m)
	return strconv.FormatInt(n, 10), err
}

// float reads the value of a number's marker.
func (u *ubjReader) float(marker byte) (float64, error) {
	switch marker {
	case 'd':
		b, err := u.take(4)
		if err != nil {
			return 0, err
		}
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b))), nil
	case 'D':
		b, err := u.take(8)
		if err != nil {
			return 0, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	}
	n, err := u.integer(marker)
	return float64(n), err
}

func (u *ubjReader) Skip() error {
	if len(u.data) == 0 {
		return errCut
	}
	switch u.data[0] {
	case '{':
		return u.Object(func(string) error { return u.Skip() })
	case '[':
		return u.each('[', ']', func(kind byte) error {
			if kind == 0 {
				return u.Skip()
			}
			size, known := ubjSize[kind]
			if !known {
				return fmt.Errorf("values of type %q", kind)
			}
			_, err := u.take(size)
			return err
		})
	case 'N', 'Z', 'C':
		m := u.data[0]
		_, err := u.take(1 + ubjSize[m])
		return err
	}
	_, err := u.Text()
	return err
}

func (u *ubjReader) End() error {
	if len(u.data) > 0 {
		return fmt.Errorf("%d bytes follow the model", len(u.data))
	}
	return nil
}
