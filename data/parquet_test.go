package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// sheet is a Parquet file to be written by hand. A nil value is null.
type sheet struct {
	columns   []sheetColumn
	codec     compress.Codec
	groupRows int // rows of a row group; 0: all
	pageBytes int
	version   int // of data pages; 0: 1

	dictionaryBytes int64 // a dictionary may have; 0: any number
}

type sheetColumn struct {
	name   string
	node   parquet.Node
	values []any
}

func (s sheet) bytes(t testing.TB) []byte {
	t.Helper()
	root := orderedGroup{}
	for _, c := range s.columns {
		root.fields = append(root.fields, namedNode{c.node, c.name})
	}
	options := []parquet.WriterOption{parquet.NewSchema("schema", root), parquet.DataPageVersion(max(s.version, 1))}
	if s.codec != nil {
		options = append(options, parquet.Compression(s.codec))
	}
	if s.pageBytes > 0 {
		options = append(options, parquet.PageBufferSize(s.pageBytes))
	}
	if s.dictionaryBytes > 0 {
		options = append(options, parquet.DictionaryMaxBytes(s.dictionaryBytes))
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[any](&out, options...)
	rows := len(s.columns[0].values)
	step := max(s.groupRows, 1)
	if s.groupRows == 0 {
		step = max(rows, 1)
	}
	for from := 0; from < rows; from += step {
		for i, c := range s.columns {
			var values []parquet.Value
			for _, v := range c.values[from:min(from+step, rows)] {
				level := 0
				if v != nil && c.node.Optional() {
					level = 1
				}
				values = append(values, parquet.ValueOf(v).Level(0, level, i))
			}
			for len(values) > 0 { // small writes, so that pages can end between them
				n := min(len(values), 7)
				if _, err := w.ColumnWriters()[i].WriteRowValues(values[:n]); err != nil {
					t.Fatal(err)
				}
				values = values[n:]
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (s sheet) write(t testing.TB) File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "green_tripdata_2021-01.parquet")
	if err := os.WriteFile(path, s.bytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s sheet) without(name string) sheet {
	s.columns = slices.DeleteFunc(slices.Clone(s.columns), func(c sheetColumn) bool { return c.name == name })
	return s
}

func (s sheet) with(c sheetColumn) sheet {
	s.columns = slices.Clone(s.columns)
	for i := range s.columns {
		if s.columns[i].name == c.name {
			s.columns[i] = c
			return s
		}
	}
	s.columns = append(s.columns, c)
	return s
}

const january = 1_609_459_200 // 2021-01-01T00:00:00 in seconds

func optional(t parquet.Type) parquet.Node { return parquet.Optional(parquet.Leaf(t)) }

func stamp(unit parquet.TimeUnit) parquet.Node {
	return parquet.Optional(parquet.TimestampAdjusted(unit, false))
}

// plainSheet is a small month in the types of 2021. perSecond is how many of the
// unit of its timestamps a second has.
func plainSheet(rows int, unit parquet.TimeUnit, perSecond int64) sheet {
	var pickups, dropoffs, pus, dos, miles, notes []any
	for i := range rows {
		start := int64(january + 60*i)
		pickups = append(pickups, start*perSecond)
		dropoffs = append(dropoffs, (start+int64(30*i))*perSecond)
		pus = append(pus, int64(1+i%265))
		dos = append(dos, int64(265-i%265))
		miles = append(miles, float64(i)/100)
		notes = append(notes, []byte(fmt.Sprint("note ", i)))
	}
	return sheet{columns: []sheetColumn{
		{"note", parquet.Optional(parquet.String()), notes},
		{"lpep_pickup_datetime", stamp(unit), pickups},
		{"lpep_dropoff_datetime", stamp(unit), dropoffs},
		{"PULocationID", optional(parquet.Int64Type), pus},
		{"DOLocationID", optional(parquet.Int64Type), dos},
		{"trip_distance", optional(parquet.DoubleType), miles},
	}}
}

// checkPlain compares what was read with what plainSheet wrote.
func checkPlain(t *testing.T, got *Trips, rows int) {
	t.Helper()
	if got.Len() != rows {
		t.Fatalf("%d rows; want %d", got.Len(), rows)
	}
	for i := range rows {
		start := int64(january+60*i) * 1e6
		if got.Pickup(i) != start || got.Dropoff(i) != start+int64(30*i)*1e6 || got.Minutes(i) != float64(i)/2 ||
			got.PickupZone.At(i) != int32(1+i%265) || got.DropoffZone.At(i) != int32(265-i%265) || got.Miles.At(i) != float64(i)/100 {
			t.Fatalf("row %d: %d %d %d %d %v", i, got.Pickup(i), got.Dropoff(i), got.PickupZone.At(i), got.DropoffZone.At(i), got.Miles.At(i))
		}
	}
}

func TestReadTripsInEveryShape(t *testing.T) {
	const rows = 500
	micro := plainSheet(rows, parquet.Microsecond, 1e6)
	retype := func(s sheet, names []string, node parquet.Node, change func(any) any) sheet {
		for _, c := range s.columns {
			if slices.Contains(names, c.name) {
				values := make([]any, len(c.values))
				for i, v := range c.values {
					values[i] = change(v)
				}
				s = s.with(sheetColumn{c.name, node, values})
			}
		}
		return s
	}
	rename := func(s sheet, from, to string) sheet {
		s.columns = slices.Clone(s.columns)
		for i := range s.columns {
			if s.columns[i].name == from {
				s.columns[i].name = to
			}
		}
		return s
	}
	zones := []string{"PULocationID", "DOLocationID"}
	same := func(v any) any { return v }
	narrow := retype(micro, zones, optional(parquet.Int32Type), func(v any) any { return int32(v.(int64)) })
	dictionary := retype(narrow, zones, parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.Int32Type), &parquet.RLEDictionary)), same)
	dictionary = retype(dictionary, []string{"trip_distance"}, parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.RLEDictionary)), same)
	dictionary = retype(dictionary, []string{"lpep_pickup_datetime"}, parquet.Optional(parquet.Encoded(parquet.TimestampAdjusted(parquet.Microsecond, false), &parquet.RLEDictionary)), same)

	small := func(s sheet) sheet { s.groupRows, s.pageBytes = 130, 256; return s }
	codec := func(s sheet, c compress.Codec) sheet { s.codec = c; return s }
	version2 := func(s sheet) sheet { s.version = 2; return s }
	yellow := rename(rename(micro, "lpep_pickup_datetime", "tpep_pickup_datetime"), "lpep_dropoff_datetime", "Tpep_dropoff_datetime")
	hired := rename(rename(rename(rename(rename(micro, "lpep_pickup_datetime", "pickup_datetime"), "lpep_dropoff_datetime", "dropOff_datetime"),
		"PULocationID", "PUlocationID"), "DOLocationID", "DOlocationID"), "trip_distance", "trip_miles")
	backwards := micro
	backwards.columns = slices.Clone(micro.columns)
	slices.Reverse(backwards.columns)

	for name, s := range map[string]sheet{
		"milliseconds":        plainSheet(rows, parquet.Millisecond, 1e3),
		"microseconds":        micro,
		"nanoseconds":         plainSheet(rows, parquet.Nanosecond, 1e9),
		"ids of 32 bits":      narrow,
		"ids as doubles":      retype(micro, zones, optional(parquet.DoubleType), func(v any) any { return float64(v.(int64)) }),
		"required columns":    retype(micro, zones, parquet.Leaf(parquet.Int64Type), same),
		"gzip":                codec(micro, &parquet.Gzip),
		"zstd":                codec(micro, &parquet.Zstd),
		"snappy":              codec(micro, &parquet.Snappy),
		"dictionaries":        dictionary,
		"zstd dictionaries":   small(codec(dictionary, &parquet.Zstd)),
		"groups and pages":    small(micro),
		"gzip in small pages": small(codec(dictionary, &parquet.Gzip)),
		"pages of version 2":  small(version2(codec(dictionary, &parquet.Zstd))),
		"yellow names":        yellow,
		"names of other cars": hired,
		"columns reversed":    backwards,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadTrips(context.Background(), s.write(t))
			if err != nil {
				t.Fatal(err)
			}
			checkPlain(t, got, rows)
		})
	}
}

func TestReadTripsSmallPagesAreSeveral(t *testing.T) {
	s := plainSheet(500, parquet.Microsecond, 1e6)
	s.groupRows, s.pageBytes = 130, 256
	content := s.bytes(t)
	file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	reader := file.RowGroups()[0].ColumnChunks()[1].Pages()
	defer reader.Close()
	for {
		page, err := reader.ReadPage()
		if err != nil {
			break
		}
		parquet.Release(page)
		pages++
	}
	if groups := len(file.RowGroups()); groups != 4 || pages < 2 {
		t.Errorf("the sheet has %d row groups, the first with %d pages: it tests nothing", groups, pages)
	}
}

func TestReadTripsMakesNullsPlain(t *testing.T) {
	const at = int64(january) * 1e6
	for name, encode := range map[string]func(parquet.Node) parquet.Node{
		"plain":      func(n parquet.Node) parquet.Node { return n },
		"dictionary": func(n parquet.Node) parquet.Node { return parquet.Encoded(n, &parquet.RLEDictionary) },
	} {
		t.Run(name, func(t *testing.T) {
			node := func(p parquet.Type) parquet.Node { return parquet.Optional(encode(parquet.Leaf(p))) }
			s := sheet{columns: []sheetColumn{
				{"lpep_pickup_datetime", stamp(parquet.Microsecond), []any{at, nil, at, at}},
				{"lpep_dropoff_datetime", stamp(parquet.Microsecond), []any{at + 60e6, at, nil, at + 120e6}},
				{"PULocationID", node(parquet.Int64Type), []any{nil, nil, int64(7), nil}},
				{"DOLocationID", node(parquet.Int32Type), []any{int32(5), nil, nil, int32(6)}},
				{"trip_distance", node(parquet.DoubleType), []any{1.5, 2.5, nil, 0.0}},
			}}
			got, err := ReadTrips(context.Background(), s.write(t))
			if err != nil {
				t.Fatal(err)
			}
			if want := []int32{NoZone, NoZone, 7, NoZone}; !slices.Equal(got.PickupZone.All(), want) {
				t.Errorf("pickup zones %v; want %v", got.PickupZone.All(), want)
			}
			if want := []int32{5, NoZone, NoZone, 6}; !slices.Equal(got.DropoffZone.All(), want) {
				t.Errorf("drop-off zones %v; want %v", got.DropoffZone.All(), want)
			}
			if got.Miles.At(0) != 1.5 || got.Miles.At(1) != 2.5 || !math.IsNaN(got.Miles.At(2)) || got.Miles.At(3) != 0 {
				t.Errorf("miles %v", got.Miles.All())
			}
			if kept, dropped := got.Kept(); dropped.NoTime != 2 || kept.Len() != 2 {
				t.Errorf("kept %d, dropped %+v", kept.Len(), dropped)
			}
		})
	}
}

func TestReadTripsOfColumnsWithoutValues(t *testing.T) {
	s := plainSheet(3, parquet.Microsecond, 1e6).with(
		sheetColumn{"trip_distance", optional(nullInt32), []any{nil, nil, nil}})
	got, err := ReadTrips(context.Background(), s.write(t))
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(got.Miles.At(0)) || !math.IsNaN(got.Miles.At(2)) || got.PickupZone.At(2) != 3 {
		t.Errorf("got %+v", got)
	}
	none, err := ReadTrips(context.Background(), plainSheet(0, parquet.Microsecond, 1e6).write(t))
	if err != nil || none.Len() != 0 {
		t.Errorf("a month without rides: %v, %v", none, err)
	}
}

func TestReadTripsRefusesOtherSchemas(t *testing.T) {
	plain := plainSheet(5, parquet.Microsecond, 1e6)
	number := func(name string, p parquet.Type, v any) sheet {
		return plain.with(sheetColumn{name, optional(p), []any{v, v, v, v, v}})
	}
	for _, test := range []struct {
		name  string
		sheet sheet
		want  SchemaError
		words []string
	}{
		{"no distance", plain.without("trip_distance"), SchemaError{Column: "trip_distance"}, []string{"trip_distance", "trip_miles", "missing", "PULocationID, DOLocationID"}},
		{"no zone", plain.without("DOLocationID"), SchemaError{Column: "DOLocationID"}, []string{"DOLocationID", "missing"}},
		{"no pickup", plain.without("lpep_pickup_datetime"), SchemaError{Column: "lpep_pickup_datetime"}, []string{"tpep_pickup_datetime"}},
		{"time as a number", number("lpep_dropoff_datetime", parquet.Int64Type, int64(1)), SchemaError{Column: "lpep_dropoff_datetime", Got: "INT(64,true)"}, []string{"timestamp"}},
		{"time as text", plain.with(sheetColumn{"lpep_pickup_datetime", parquet.Optional(parquet.String()),
			[]any{"a", "b", "c", "d", "e"}}), SchemaError{Column: "lpep_pickup_datetime", Got: "STRING"}, []string{"timestamp"}},
		{"zone as text", plain.with(sheetColumn{"PULocationID", parquet.Optional(parquet.String()),
			[]any{"a", "b", "c", "d", "e"}}), SchemaError{Column: "PULocationID", Got: "STRING"}, []string{"INT32"}},
		{"distance as a flag", number("trip_distance", parquet.BooleanType, true), SchemaError{Column: "trip_distance", Got: "BOOLEAN"}, []string{"DOUBLE"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := test.sheet.write(t)
			_, err := ReadTrips(context.Background(), f)
			var got *SchemaError
			if !errors.As(err, &got) {
				t.Fatalf("error %v; want a *SchemaError", err)
			}
			if got.Path != f.Path || got.Column != test.want.Column || got.Got != test.want.Got {
				t.Errorf("got %+v; want %+v", got, test.want)
			}
			for _, word := range append(test.words, f.Path) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q lacks %q", err, word)
				}
			}
		})
	}
}

func TestReadTripsRefusesCorruptFiles(t *testing.T) {
	s := plainSheet(400, parquet.Microsecond, 1e6)
	s.codec = &parquet.Gzip
	whole := s.bytes(t)
	flipped := bytes.Clone(whole)
	for i := 40; i < len(whole)-len(whole)/4; i += 11 {
		flipped[i] ^= 0x5a
	}
	for name, content := range map[string][]byte{
		"empty":          {},
		"short":          whole[:7],
		"truncated":      whole[:len(whole)-1000],
		"without a tail": whole[:len(whole)-1],
		"no Parquet":     bytes.Repeat([]byte("<html>"), 100),
		"only a tail":    append(bytes.Repeat([]byte{0}, 100), whole[len(whole)-8:]...),
		"middle lost":    append(bytes.Clone(whole[:200]), whole[len(whole)/2:]...),
		"flipped bits":   flipped,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "green_tripdata_2021-01.parquet")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := ReadTrips(context.Background(), File{Path: path})
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Path != path || corrupt.Size != int64(len(content)) {
				t.Fatalf("error %v; want a *CorruptError of %d bytes", err, len(content))
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), fmt.Sprint(len(content), " byte")) {
				t.Errorf("%q lacks the path or the size", err)
			}
		})
	}
}

func TestReadTripsRefusesIdsThatAreNone(t *testing.T) {
	plain := plainSheet(1, parquet.Microsecond, 1e6)
	for _, c := range []sheetColumn{
		{"PULocationID", optional(parquet.Int64Type), []any{int64(1<<32 + 43)}},
		{"PULocationID", optional(parquet.DoubleType), []any{43.5}},
	} {
		_, err := ReadTrips(context.Background(), plain.with(c).write(t))
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "PULocationID") {
			t.Errorf("zone %v: %v", c.values, err)
		}
	}
}

func TestReadTripsVerifiesContent(t *testing.T) {
	f := plainSheet(10, parquet.Microsecond, 1e6).write(t)
	if err := os.WriteFile(f.Path, plainSheet(11, parquet.Microsecond, 1e6).bytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadTrips(context.Background(), f)
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), f.SHA256) {
		t.Errorf("another content than located: %v", err)
	}
	if _, err := ReadTrips(context.Background(), File{Path: f.Path + "x"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ReadTrips(ctx, File{Path: f.Path}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestReadTripsAtOnce(t *testing.T) {
	s := plainSheet(300, parquet.Millisecond, 1e3)
	s.codec = &parquet.Zstd
	f := s.write(t)
	var wg sync.WaitGroup
	var read [8]*Trips
	for i := range read {
		wg.Go(func() {
			trips, err := ReadTrips(context.Background(), f)
			if err != nil {
				t.Error(err)
				return
			}
			read[i] = trips
		})
	}
	wg.Wait()
	for _, trips := range read {
		if trips != nil {
			checkPlain(t, trips, 300)
		}
	}
}
