package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

func makeMonth(t testing.TB, s Synth) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := s.Write(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readSynth(t testing.TB, s Synth) *Trips {
	t.Helper()
	trips, err := readBytes(context.Background(), makeMonth(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return trips
}

func TestSynthIsDeterministic(t *testing.T) {
	base := Synth{Month: Month{2021, 1}, Rows: 2000, Seed: 1}
	want := sha256.Sum256(makeMonth(t, base))
	if got := sha256.Sum256(makeMonth(t, base)); got != want {
		t.Error("the same fields gave other bytes")
	}
	named := base
	named.Taxi = Green
	if got := sha256.Sum256(makeMonth(t, named)); got != want {
		t.Error("green is not what no taxi means")
	}
	for _, other := range []Synth{
		{Month: Month{2021, 2}, Rows: 2000, Seed: 1},
		{Month: Month{2021, 1}, Rows: 2001, Seed: 1},
		{Month: Month{2021, 1}, Rows: 2000, Seed: 2},
		{Month: Month{2021, 1}, Rows: 2000},
		{Taxi: Yellow, Month: Month{2021, 1}, Rows: 2000, Seed: 1},
	} {
		if got := sha256.Sum256(makeMonth(t, other)); got == want {
			t.Errorf("%+v gave the bytes of %+v", other, base)
		}
	}
}

func TestSynthHasTheColumnsOfItsEra(t *testing.T) {
	green := strings.Fields(`VendorID lpep_pickup_datetime lpep_dropoff_datetime store_and_fwd_flag RatecodeID PULocationID DOLocationID
		passenger_count trip_distance fare_amount extra mta_tax tip_amount tolls_amount ehail_fee improvement_surcharge total_amount
		payment_type trip_type congestion_surcharge`)
	yellow := strings.Fields(`VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance RatecodeID store_and_fwd_flag
		PULocationID DOLocationID payment_type fare_amount extra mta_tax tip_amount tolls_amount improvement_surcharge total_amount
		congestion_surcharge airport_fee`)
	newYellow := append(slices.Clone(yellow[:18]), "Airport_fee")
	for _, test := range []struct {
		taxi          Taxi
		month         string
		columns       []string
		ids           parquet.Kind
		count         parquet.Kind // of passenger_count
		codec         format.CompressionCodec
		nullEhailType bool
	}{
		{Green, "2021-01", green, parquet.Int64, parquet.Double, format.Gzip, true},
		{Green, "2023-01", green, parquet.Int64, parquet.Double, format.Gzip, true},
		{Green, "2023-02", green, parquet.Int32, parquet.Int64, format.Zstd, false},
		{Yellow, "2021-01", yellow, parquet.Int64, parquet.Double, format.Gzip, false},
		{Yellow, "2024-01", newYellow, parquet.Int32, parquet.Int64, format.Zstd, false},
	} {
		content := makeMonth(t, Synth{Taxi: test.taxi, Month: month(t, test.month), Rows: 100})
		file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range file.Root().Columns() {
			names = append(names, c.Name())
			if !c.Optional() || c.Compression().CompressionCodec() != test.codec {
				t.Errorf("%s %s: %s is %s", test.taxi, test.month, c.Name(), c)
			}
		}
		if !slices.Equal(names, test.columns) {
			t.Errorf("%s %s: columns %v; want %v", test.taxi, test.month, names, test.columns)
		}
		column := file.Root().Column
		if got := column("DOLocationID").Type().Kind(); got != test.ids {
			t.Errorf("%s %s: ids of %v", test.taxi, test.month, got)
		}
		if got := column("passenger_count").Type().Kind(); got != test.count {
			t.Errorf("%s %s: counts of %v", test.taxi, test.month, got)
		}
		if ehail := column("ehail_fee"); ehail != nil && isNull(ehail) != test.nullEhailType {
			t.Errorf("%s %s: ehail_fee is %s", test.taxi, test.month, ehail)
		}
		trips, err := readBytes(t.Context(), content)
		if err != nil || trips.Len() != 100 {
			t.Errorf("%s %s: %v", test.taxi, test.month, err)
		}
	}
}

func TestSynthIsAsDirtyAsTLC(t *testing.T) {
	trips := readSynth(t, Synth{Month: Month{2021, 1}, Seed: 1})
	rows := trips.Len()
	_, dropped := trips.Kept()
	zero, wrapped, outside, noMiles, far, veryFar, odd := 0, 0, 0, 0, 0, 0, 0
	start, end := Month{2021, 1}.Start().UnixMicro(), Month{2021, 2}.Start().UnixMicro()
	for i := range rows {
		minutes := trips.Minutes(i)
		add := func(n *int, yes bool) {
			if yes {
				*n++
			}
		}
		add(&zero, minutes == 0)
		add(&wrapped, minutes > 1300 && minutes < 1440)
		add(&outside, trips.Pickup(i) < start || trips.Pickup(i) >= end)
		add(&noMiles, trips.Miles.At(i) == 0)
		add(&far, trips.Miles.At(i) > 100)
		add(&veryFar, trips.Miles.At(i) > 100_000)
		add(&odd, trips.PickupZone.At(i) >= 264 || trips.DropoffZone.At(i) >= 264)
		for _, zone := range []int32{trips.PickupZone.At(i), trips.DropoffZone.At(i)} {
			if zone < 1 || zone > 265 {
				t.Fatalf("row %d: zone %d", i, zone)
			}
		}
		if minutes < 0 || minutes >= 1440 {
			t.Fatalf("row %d: %v minutes", i, minutes)
		}
	}
	for _, test := range []struct {
		what           string
		got            int
		least, most    float64 // of the rows
		seenIn2021And3 string
	}{
		{"under a minute", dropped.TooShort, 0.015, 0.028, "1.7-2.5 %"},
		{"over an hour", dropped.TooLong, 0.008, 0.025, "0.9-2.4 %"},
		{"of no time", zero, 0.0005, 0.002, "0.09-0.13 %"},
		{"of nearly a day", wrapped, 0.0008, 0.004, "0.12-0.25 %"},
		{"picked up outside the month", outside, 0.00001, 0.0005, "3-26 rows"},
		{"of no distance", noMiles, 0.025, 0.05, "3.2-4.9 %"},
		{"of more than 100 miles", far, 0.0004, 0.0012, "29-63 rows"},
		{"of more than 100,000 miles", veryFar, 0.00001, 0.0003, "some"},
		{"in unknown zones or outside", odd, 0.005, 0.013, "0.9-1.1 %"},
	} {
		if share := float64(test.got) / float64(rows); share < test.least || share > test.most {
			t.Errorf("%d of %d rows are %s; TLC has %s", test.got, rows, test.what, test.seenIn2021And3)
		}
	}
}

func TestSynthNullsWhatDispatchersLeaveOut(t *testing.T) {
	content := makeMonth(t, Synth{Month: Month{2021, 1}, Rows: 5000, Seed: 1})
	file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	group := file.RowGroups()[0]
	share := func(name string) float64 {
		nulls := int64(0)
		pages := group.ColumnChunks()[file.Root().Column(name).Index()].Pages()
		defer pages.Close()
		for {
			page, err := pages.ReadPage()
			if err == io.EOF {
				return float64(nulls) / float64(group.NumRows())
			}
			if err != nil {
				t.Fatal(err)
			}
			nulls += page.NumNulls()
			parquet.Release(page)
		}
	}
	for _, name := range []string{"store_and_fwd_flag", "RatecodeID", "passenger_count", "payment_type", "trip_type", "congestion_surcharge"} {
		if got := share(name); got < 0.43 || got > 0.51 {
			t.Errorf("%s: %.3f null; want about 0.47", name, got)
		}
	}
	if got := share("PULocationID"); got != 0 {
		t.Errorf("PULocationID: %.3f null", got)
	}
	if got := share("ehail_fee"); got != 1 {
		t.Errorf("ehail_fee: %.3f null", got)
	}
}

func TestSynthMonthsShareTheCity(t *testing.T) {
	train, _ := readSynth(t, Synth{Month: Month{2021, 1}, Seed: 1}).Kept()
	valid, _ := readSynth(t, Synth{Month: Month{2021, 2}, Seed: 1}).Kept()
	type pair struct{ from, to int32 }
	type sum struct{ miles, n float64 }
	seen, far := map[pair]sum{}, 0
	for i := range train.Len() {
		p := pair{train.PickupZone.At(i), train.DropoffZone.At(i)}
		s := seen[p]
		if m := train.Miles.At(i); m > 0 && m < 100 {
			s.miles, s.n = s.miles+m, s.n+1
		}
		seen[p] = s
	}
	if len(seen) < 11_000 || len(seen) > 15_000 {
		t.Errorf("%d pairs of zones; green 2021-01 has 13,220", len(seen))
	}
	unseen := 0
	again := map[pair]sum{}
	for i := range valid.Len() {
		p := pair{valid.PickupZone.At(i), valid.DropoffZone.At(i)}
		if _, ok := seen[p]; !ok {
			unseen++
		}
		s := again[p]
		if m := valid.Miles.At(i); m > 0 && m < 100 {
			s.miles, s.n = s.miles+m, s.n+1
		}
		again[p] = s
	}
	if share := float64(unseen) / float64(valid.Len()); share < 0.03 || share > 0.12 {
		t.Errorf("%.2f %% of the rides are of pairs the month before has not; want 3-12 %%", 100*share)
	}
	compared := 0
	for p, s := range seen {
		a := again[p]
		if s.n < 100 || a.n < 100 || p.to >= 264 {
			continue
		}
		compared++
		if ratio := (s.miles / s.n) / (a.miles / a.n); ratio < 0.85 || ratio > 1/0.85 {
			far++
		}
	}
	if compared < 30 || far > compared/20 {
		t.Errorf("%d of %d well-travelled pairs have another length in the next month", far, compared)
	}
}

func TestSynthOfFewRows(t *testing.T) {
	for _, rows := range []int{1, 2, 100, 3000} {
		trips := readSynth(t, Synth{Month: Month{2021, 1}, Rows: rows, Seed: 1})
		kept, _ := trips.Kept()
		if trips.Len() != rows || kept.Len() < rows*9/10 {
			t.Errorf("%d rows: %d read, %d kept", rows, trips.Len(), kept.Len())
		}
	}
}

func TestSynthRefusesNonsense(t *testing.T) {
	for _, s := range []Synth{{}, {Month: Month{2021, 1}, Rows: -1}, {Month: Month{2021, 1}, Taxi: "fhv"}} {
		if err := s.Write(t.Context(), io.Discard); err == nil {
			t.Errorf("%+v was written", s)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Synth{Month: Month{2021, 1}, Rows: 10}).Write(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	full := errors.New("disk full")
	if err := (Synth{Month: Month{2021, 1}, Rows: 3000}).Write(t.Context(), brokenWriter{full}); !errors.Is(err, full) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func BenchmarkReadTrips(b *testing.B) {
	for _, era := range []string{"2021-01", "2023-02"} {
		b.Run(era, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "month.parquet")
			if err := os.WriteFile(path, makeMonth(b, Synth{Month: month(b, era), Seed: 1}), 0o600); err != nil {
				b.Fatal(err)
			}
			f, err := OpenFile(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadTrips(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSynth(b *testing.B) {
	for b.Loop() {
		makeMonth(b, Synth{Month: Month{2021, 1}, Seed: 1})
	}
}
