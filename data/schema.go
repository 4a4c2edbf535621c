package data

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// role is one of the columns we read, under the names TLC has given it over the
// years; case does not matter. The first is what an error calls it.
type role []string

var (
	rolePickup      = role{"lpep_pickup_datetime", "tpep_pickup_datetime", "pickup_datetime"}
	roleDropoff     = role{"lpep_dropoff_datetime", "tpep_dropoff_datetime", "dropoff_datetime"}
	rolePickupZone  = role{"PULocationID"}
	roleDropoffZone = role{"DOLocationID"}
	roleMiles       = role{"trip_distance", "trip_miles"}
)

// schema is where the columns we read stand among a file's leaf columns.
type schema struct {
	pickup, dropoff         leaf[int64]
	pickupZone, dropoffZone leaf[int32]
	miles                   leaf[float64]
}

// leaf is one column to read: where it is and how its values become ours.
type leaf[T any] struct {
	name    string
	index   int // among the leaf columns of a row group
	missing T   // what null becomes
	allNull bool
	convert convert[T]
}

// readSchema finds the columns we need in a file.
func readSchema(path string, root *parquet.Column) (s schema, err error) {
	const (
		times = "an INT64 timestamp of milli-, micro- or nanoseconds"
		zones = "INT32, INT64 or DOUBLE"
		miles = "DOUBLE, FLOAT, INT64 or INT32"
	)
	if s.pickup, err = findLeaf(path, root, rolePickup, NoTime, convertTime, times); err != nil {
		return schema{}, err
	}
	if s.dropoff, err = findLeaf(path, root, roleDropoff, NoTime, convertTime, times); err != nil {
		return schema{}, err
	}
	if s.pickupZone, err = findLeaf(path, root, rolePickupZone, NoZone, convertZone, zones); err != nil {
		return schema{}, err
	}
	if s.dropoffZone, err = findLeaf(path, root, roleDropoffZone, NoZone, convertZone, zones); err != nil {
		return schema{}, err
	}
	s.miles, err = findLeaf(path, root, roleMiles, math.NaN(), convertMiles, miles)
	return s, err
}

// findLeaf finds the column that plays r, of a type that converter knows; want
// says which those are.
func findLeaf[T any](path string, root *parquet.Column, r role, missing T, converter func(*parquet.Column) convert[T], want string) (leaf[T], error) {
	c, err := findColumn(path, root, r)
	if err != nil {
		return leaf[T]{}, err
	}
	l := leaf[T]{name: c.Name(), index: c.Index(), missing: missing, allNull: isNull(c), convert: converter(c)}
	if l.convert == nil && !l.allNull {
		return leaf[T]{}, wrongType(path, c, want)
	}
	return l, nil
}

// findColumn finds the top-level column that plays r, by its name in any case.
func findColumn(path string, root *parquet.Column, r role) (*parquet.Column, error) {
	columns := root.Columns()
	for _, name := range r {
		for _, c := range columns {
			if !strings.EqualFold(c.Name(), name) {
				continue
			}
			if !c.Leaf() || c.Repeated() {
				return nil, wrongType(path, c, "a plain column")
			}
			return c, checkCodec(c)
		}
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name())
	}
	return nil, &SchemaError{Path: path, Column: r[0], Aliases: slices.Clone(r[1:]), Columns: names}
}

// checkCodec refuses the codecs that TLC never used. (The library's LZ4 doubles
// its buffer for as long as a corrupt page makes no sense.)
func checkCodec(c *parquet.Column) error {
	codec := c.Compression()
	if codec == nil {
		return nil
	}
	switch name := codec.CompressionCodec(); name {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Zstd:
		return nil
	default:
		return fmt.Errorf("column %s is compressed as %s: want GZIP, ZSTD, SNAPPY or nothing", c.Name(), name)
	}
}

func wrongType(path string, c *parquet.Column, want string) error {
	got := "a group"
	switch {
	case c.Repeated():
		got = "repeated"
	case c.Leaf():
		got = c.Type().String()
	}
	return &SchemaError{Path: path, Column: c.Name(), Want: want, Got: got}
}

// isNull reports whether a column is of the NULL type, which TLC's writer chose
// for columns without a single value (ehail_fee, for years).
func isNull(c *parquet.Column) bool {
	logical := c.Type().LogicalType()
	if logical == nil {
		return false
	}
	_, ok := logical.Value.(*format.NullType)
	return ok
}
