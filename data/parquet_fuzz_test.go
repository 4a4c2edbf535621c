package data

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// readBytes reads a file that is in memory.
func readBytes(ctx context.Context, content []byte) (*Trips, error) {
	return readParquet(ctx, "month", bytes.NewReader(content), int64(len(content)))
}

// FuzzReadTrips changes a byte here and there: the reader may give an error, of
// ours, or trips whose columns are equally long. It may not panic.
func FuzzReadTrips(f *testing.F) {
	var whole [][]byte
	for _, codec := range []sheet{{}, {codec: &parquet.Gzip}, {codec: &parquet.Zstd, groupRows: 20, pageBytes: 64, version: 2}} {
		s := plainSheet(50, parquet.Microsecond, 1e6)
		s.codec, s.groupRows, s.pageBytes, s.version = codec.codec, codec.groupRows, codec.pageBytes, codec.version
		s = s.with(sheetColumn{"PULocationID", parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.Int64Type), &parquet.RLEDictionary)), s.columns[3].values})
		whole = append(whole, s.bytes(f))
	}
	for which, content := range whole {
		f.Add(uint8(which), uint32(0), byte(0), uint32(0), byte(0), uint32(0))
		for _, at := range []int{8, 5, 30, 60, 100, 200, 300, 500, 700} { // from the end: the footer
			f.Add(uint8(which), uint32(len(content)-at), byte(0xff), uint32(at), byte(0x11), uint32(0))
		}
		f.Add(uint8(which), uint32(0), byte(0), uint32(0), byte(0), uint32(90))
	}
	f.Fuzz(func(t *testing.T, which uint8, at1 uint32, xor1 byte, at2 uint32, xor2 byte, cut uint32) {
		content := append([]byte(nil), whole[int(which)%len(whole)]...)
		content[int(at1)%len(content)] ^= xor1
		content[int(at2)%len(content)] ^= xor2
		content = content[:len(content)-int(cut)%len(content)]
		trips, err := readBytes(context.Background(), content)
		if err != nil {
			var corrupt *CorruptError
			var schema *SchemaError
			if !errors.As(err, &corrupt) && !errors.As(err, &schema) {
				t.Fatalf("error of no known kind: %v", err)
			}
			return
		}
		n := trips.Len()
		if len(trips.DropoffMicros) != n || trips.PickupZone.Len() != n || trips.DropoffZone.Len() != n || trips.Miles.Len() != n {
			t.Fatalf("columns of %d, %d, %d, %d, %d rows", n, len(trips.DropoffMicros), trips.PickupZone.Len(), trips.DropoffZone.Len(), trips.Miles.Len())
		}
	})
}
