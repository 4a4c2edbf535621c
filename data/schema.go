package data

import (
	"fmt"
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
func readSchema(path string, root *parquet.Column) (schema, error) {
	var s schema
	find := func(r role) (*parquet.Column, error) { return findColumn(path, root, r) }

	for _, want := range []struct {
		role role
		leaf *leaf[int64]
	}{{rolePickup, &s.pickup}, {roleDropoff, &s.dropoff}} {
		c, err := find(want.role)
		if err != nil {
			return schema{}, err
		}
		*want.leaf = leaf[int64]{name: c.Name(), index: c.Index(), missing: NoTime, allNull: isNull(c), convert: convertTime(c)}
		if want.leaf.convert == nil && !want.leaf.allNull {
			return schema{}, wrongType(path, c, "an INT64 timestamp of milli-, micro- or nanoseconds")
		}
	}
	for _, want := range []struct {
		role role
		leaf *leaf[int32]
	}{{rolePickupZone, &s.pickupZone}, {roleDropoffZone, &s.dropoffZone}} {
		c, err := find(want.role)
		if err != nil {
			return schema{}, err
		}
		*want.leaf = leaf[int32]{name: c.Name(), index: c.Index(), missing: NoZone, allNull: isNull(c), convert: convertZone(c)}
		if want.leaf.convert == nil && !want.leaf.allNull {
			return schema{}, wrongType(path, c, "INT32, INT64 or DOUBLE")
		}
	}
	c, err := find(roleMiles)
	if err != nil {
		return schema{}, err
	}
	s.miles = leaf[float64]{name: c.Name(), index: c.Index(), missing: nan, allNull: isNull(c), convert: convertMiles(c)}
	if s.miles.convert == nil && !s.miles.allNull {
		return schema{}, wrongType(path, c, "DOUBLE, FLOAT, INT64 or INT32")
	}
	return s, nil
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
