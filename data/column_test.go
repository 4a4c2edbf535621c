package data

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func dictionaryOf(t parquet.Type) parquet.Node {
	return parquet.Optional(parquet.Encoded(parquet.Leaf(t), &parquet.RLEDictionary))
}

// Dictionaries of the file become one, whose code 0 is the missing value.
func TestReadTripsKeepsCodes(t *testing.T) {
	s := plainSheet(6, parquet.Microsecond, 1e6).
		with(sheetColumn{"PULocationID", dictionaryOf(parquet.Int64Type), []any{int64(43), nil, int64(7), int64(7), int64(43), int64(9)}}).
		with(sheetColumn{"DOLocationID", dictionaryOf(parquet.DoubleType), []any{5.0, math.NaN(), nil, 5.0, 6.0, 5.0}}).
		with(sheetColumn{"trip_distance", dictionaryOf(parquet.DoubleType), []any{0.0, math.Copysign(0, -1), 1.5, nil, math.NaN(), 0.0}})
	for _, groupRows := range []int{0, 2, 1} {
		s.groupRows = groupRows
		got, err := ReadTrips(context.Background(), s.write(t))
		if err != nil {
			t.Fatal(err)
		}
		if want := []int32{NoZone, 43, 7, 9}; !slices.Equal(got.PickupZone.Values, want) || !slices.Equal(got.PickupZone.Codes, []uint16{1, 0, 2, 2, 1, 3}) {
			t.Errorf("groups of %d: pickup zones %+v; want codes of %v", groupRows, got.PickupZone, want)
		}
		if want := []int32{NoZone, 5, 6}; !slices.Equal(got.DropoffZone.Values, want) || !slices.Equal(got.DropoffZone.Codes, []uint16{1, 0, 0, 1, 2, 1}) {
			t.Errorf("groups of %d: drop-off zones %+v; want codes of %v", groupRows, got.DropoffZone, want)
		}
		if m := got.Miles; !slices.Equal(m.Codes, []uint16{1, 2, 3, 0, 0, 1}) || !math.Signbit(m.At(1)) || m.At(5) != 0 || !math.IsNaN(m.At(4)) {
			t.Errorf("groups of %d: miles %+v", groupRows, m)
		}
	}
}

// A column of more values than there are codes, and one whose dictionary grew too
// large for its writer, are read as values.
func TestReadTripsWithoutCodes(t *testing.T) {
	const rows = mostCodes + 500
	var miles []any
	for i := range rows {
		miles = append(miles, float64(i)/8)
	}
	s := plainSheet(rows, parquet.Microsecond, 1e6).with(sheetColumn{"trip_distance", dictionaryOf(parquet.DoubleType), miles})
	for name, limit := range map[string]int64{"many values": 0, "a dictionary that ends": 1 << 12} {
		s.dictionaryBytes = limit
		got, err := ReadTrips(context.Background(), s.write(t))
		if err != nil {
			t.Fatal(err)
		}
		if got.Miles.Codes != nil || got.Miles.Len() != rows {
			t.Errorf("%s: %d codes of %d rows", name, len(got.Miles.Codes), got.Miles.Len())
		}
		for i, v := range got.Miles.Values {
			if v != float64(i)/8 {
				t.Fatalf("%s: row %d has %v miles", name, i, v)
			}
		}
	}
}
