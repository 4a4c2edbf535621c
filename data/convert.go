package data

import (
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/format"
)

// convert turns the physical values of a page, or of a dictionary, into the
// equally many values of dst.
type convert[T any] func(dst []T, values encoding.Values) error

// convertTime returns how the values of c become microseconds, and nil when c
// is no timestamp.
func convertTime(c *parquet.Column) convert[int64] {
	if c.Type().Kind() != parquet.Int64 {
		return nil
	}
	logical := c.Type().LogicalType()
	if logical == nil {
		return nil
	}
	stamp, ok := logical.Value.(*format.TimestampType)
	if !ok {
		return nil
	}
	switch stamp.Unit.Value.(type) {
	case *format.MilliSeconds:
		return func(dst []int64, values encoding.Values) error {
			for i, v := range values.Int64()[:len(dst)] {
				dst[i] = v * 1000
			}
			return nil
		}
	case *format.MicroSeconds:
		return func(dst []int64, values encoding.Values) error {
			copy(dst, values.Int64()[:len(dst)])
			return nil
		}
	case *format.NanoSeconds:
		return func(dst []int64, values encoding.Values) error {
			for i, v := range values.Int64()[:len(dst)] {
				dst[i] = floorDiv(v, 1000)
			}
			return nil
		}
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// convertZone returns how the values of c become zone ids, and nil when c holds
// no numbers. Ids were INT64 until 2023-02, and DOUBLE in some files of other
// fleets.
func convertZone(c *parquet.Column) convert[int32] {
	switch c.Type().Kind() {
	case parquet.Int32:
		return func(dst []int32, values encoding.Values) error {
			copy(dst, values.Int32()[:len(dst)])
			return nil
		}
	case parquet.Int64:
		return func(dst []int32, values encoding.Values) error {
			for i, v := range values.Int64()[:len(dst)] {
				if v != int64(int32(v)) {
					return fmt.Errorf("%d is no zone id", v)
				}
				dst[i] = int32(v)
			}
			return nil
		}
	case parquet.Double:
		return func(dst []int32, values encoding.Values) error {
			for i, v := range values.Double()[:len(dst)] {
				switch {
				case math.IsNaN(v): // pandas writes a missing id so
					dst[i] = NoZone
				case v == math.Trunc(v) && math.Abs(v) <= math.MaxInt32:
					dst[i] = int32(v)
				default:
					return fmt.Errorf("%v is no zone id", v)
				}
			}
			return nil
		}
	}
	return nil
}

// convertMiles returns how the values of c become miles, and nil when c holds no
// numbers.
func convertMiles(c *parquet.Column) convert[float64] {
	switch c.Type().Kind() {
	case parquet.Double:
		return func(dst []float64, values encoding.Values) error {
			copy(dst, values.Double()[:len(dst)])
			return nil
		}
	case parquet.Float:
		return func(dst []float64, values encoding.Values) error {
			return widen(dst, values.Float())
		}
	case parquet.Int64:
		return func(dst []float64, values encoding.Values) error {
			return widen(dst, values.Int64())
		}
	case parquet.Int32:
		return func(dst []float64, values encoding.Values) error {
			return widen(dst, values.Int32())
		}
	}
	return nil
}

func widen[T float32 | int32 | int64](dst []float64, values []T) error {
	for i, v := range values[:len(dst)] {
		dst[i] = float64(v)
	}
	return nil
}
