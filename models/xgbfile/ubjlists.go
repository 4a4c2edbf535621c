package xgbfile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// block reads a list whose elements all have one type, if that is the type
// asked for.
func (u *ubjReader) block(kind byte) ([]byte, error) {
	if len(u.data) < 4 || string(u.data[:4]) != string([]byte{'[', '$', kind, '#'}) {
		return nil, nil
	}
	u.data = u.data[4:]
	n, err := u.length()
	if err != nil {
		return nil, err
	}
	return u.take(n * ubjSize[kind])
}

// number reads the next element of a list of numbers.
func number[T any](u *ubjReader, kind byte, read func(byte) (T, error)) (T, error) {
	if kind == 0 {
		var err error
		if kind, err = u.marker(); err != nil {
			var zero T
			return zero, err
		}
	}
	return read(kind)
}

func (u *ubjReader) Floats() ([]float32, error) {
	block, err := u.block('d')
	if block != nil || err != nil {
		all := make([]float32, len(block)/4)
		for i := range all {
			all[i] = math.Float32frombits(binary.BigEndian.Uint32(block[4*i:]))
		}
		return all, err
	}
	all := []float32{}
	err = u.each('[', ']', func(kind byte) error {
		v, err := number(u, kind, u.float)
		all = append(all, float32(v))
		return err
	})
	return all, err
}

func (u *ubjReader) Ints() ([]int32, error) {
	block, err := u.block('l')
	if block != nil || err != nil {
		all := make([]int32, len(block)/4)
		for i := range all {
			all[i] = int32(binary.BigEndian.Uint32(block[4*i:]))
		}
		return all, err
	}
	if block, err = u.block('U'); block != nil || err != nil {
		all := make([]int32, len(block))
		for i, b := range block {
			all[i] = int32(b)
		}
		return all, err
	}
	all := []int32{}
	err = u.each('[', ']', func(kind byte) error {
		v, err := number(u, kind, u.integer)
		if err == nil && v != int64(int32(v)) {
			err = fmt.Errorf("%d is out of range", v)
		}
		all = append(all, int32(v))
		return err
	})
	return all, err
}
