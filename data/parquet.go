package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// ReadTrips reads the five columns we need of a month, by name: whatever taxi
// and year the file is of, whichever of TLC's integer widths, timestamp units,
// codecs and encodings it is in. Rows keep the file's order.
//
// When f.SHA256 is set the bytes must hash to it. The error is a *CorruptError
// when they do not, or when they are no whole Parquet file; a *SchemaError when
// a column is missing or of the wrong type; it wraps fs.ErrNotExist when there
// is no file. Reads are independent: any number may run at once.
func ReadTrips(ctx context.Context, f File) (*Trips, error) {
	content, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, fmt.Errorf("read trips: %w", err)
	}
	if f.SHA256 != "" {
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != f.SHA256 {
			return nil, fmt.Errorf("read trips: %w", &CorruptError{Path: f.Path, Size: int64(len(content)),
				Detail: fmt.Sprintf("its sha256 is %s and was %s when the month was located", got, f.SHA256)})
		}
	}
	trips, err := readParquet(ctx, f.Path, content)
	if err != nil {
		return nil, fmt.Errorf("read trips: %w", err)
	}
	return trips, nil
}

// readParquet reads the whole of a file held in memory; path is for errors.
func readParquet(ctx context.Context, path string, content []byte) (*Trips, error) {
	var (
		groups  []parquet.RowGroup
		columns schema
		rows    int
	)
	err := guard(path, content, "its footer cannot be read", func() error {
		if err := checkFrame(path, bytes.NewReader(content), int64(len(content))); err != nil {
			return err
		}
		file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)),
			parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err != nil {
			return err
		}
		if columns, err = readSchema(path, file.Root()); err != nil {
			return err
		}
		groups = file.RowGroups()
		rows, err = countRows(groups, len(content))
		return err
	})
	if err != nil {
		return nil, err
	}
	trips := &Trips{
		PickupMicros:  make([]int64, rows),
		DropoffMicros: make([]int64, rows),
		PickupZone:    make([]int32, rows),
		DropoffZone:   make([]int32, rows),
		Miles:         make([]float64, rows),
	}
	row := 0
	for i, group := range groups {
		n := int(group.NumRows())
		err := readRowGroup(ctx, columns, group, trips.rows(row, row+n), func(name string, read func() error) error {
			return guard(path, content, fmt.Sprintf("column %s of row group %d cannot be read", name, i), read)
		})
		if err != nil {
			return nil, err
		}
		row += n
	}
	return trips, nil
}

// rows returns the rides from i to before j, sharing t's columns.
func (t *Trips) rows(i, j int) *Trips {
	return &Trips{
		PickupMicros:  t.PickupMicros[i:j],
		DropoffMicros: t.DropoffMicros[i:j],
		PickupZone:    t.PickupZone[i:j],
		DropoffZone:   t.DropoffZone[i:j],
		Miles:         t.Miles[i:j],
	}
}

// readRowGroup turns a row group into columns of trips, all at once, each under
// the guard.
func readRowGroup(ctx context.Context, s schema, group parquet.RowGroup, into *Trips, guard func(name string, read func() error) error) error {
	chunks := group.ColumnChunks()
	var wg sync.WaitGroup
	var errs [5]error
	read := func(i int, name string, column func() error) {
		wg.Go(func() { errs[i] = guard(name, column) })
	}
	read(0, s.pickup.name, func() error { return readChunk(ctx, s.pickup, chunks, into.PickupMicros) })
	read(1, s.dropoff.name, func() error { return readChunk(ctx, s.dropoff, chunks, into.DropoffMicros) })
	read(2, s.pickupZone.name, func() error { return readChunk(ctx, s.pickupZone, chunks, into.PickupZone) })
	read(3, s.dropoffZone.name, func() error { return readChunk(ctx, s.dropoffZone, chunks, into.DropoffZone) })
	read(4, s.miles.name, func() error { return readChunk(ctx, s.miles, chunks, into.Miles) })
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// readChunk decodes one column of one row group, page by page, into dst.
func readChunk[T any](ctx context.Context, l leaf[T], chunks []parquet.ColumnChunk, dst []T) (err error) {
	if l.allNull {
		fill(dst, l.missing)
		return nil
	}
	pages := chunks[l.index].Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var table []T // the dictionary, converted once
	for len(dst) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if err == io.EOF {
			return fmt.Errorf("%d values are missing at its end", len(dst))
		}
		if err != nil {
			return err
		}
		if page.Dictionary() != nil && table == nil {
			dictionary := page.Dictionary()
			table = make([]T, dictionary.Len())
			if err := l.convert(table, dictionary.Page().Data()); err != nil {
				return err
			}
		}
		n := int(page.NumValues())
		if n > len(dst) {
			return fmt.Errorf("it has %d values too many", n-len(dst))
		}
		err = readPage(l, page, table, dst[:n])
		parquet.Release(page)
		if err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

// readPage decodes one page into dst, which is as long as the page has rows.
func readPage[T any](l leaf[T], page parquet.Page, table, dst []T) error {
	nulls := int(page.NumNulls())
	present := dst
	if nulls > 0 {
		present = make([]T, len(dst)-nulls)
	}
	values := page.Data()
	if page.Dictionary() != nil {
		for i, code := range values.Int32()[:len(present)] {
			present[i] = table[code]
		}
	} else if err := l.convert(present, values); err != nil {
		return err
	}
	if nulls == 0 {
		return nil
	}
	next := 0
	for i, level := range page.DefinitionLevels() {
		if level == 0 {
			dst[i] = l.missing
			continue
		}
		dst[i] = present[next]
		next++
	}
	return nil
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// countRows adds up what the footer declares, and refuses what a file of size
// bytes cannot hold, so that a corrupt count does not become an allocation.
func countRows(groups []parquet.RowGroup, size int) (int, error) {
	most := min(1<<20+16*int64(size), math.MaxInt32) // a byte of five columns for 16 rows: far below any real file
	rows := int64(0)
	for _, group := range groups {
		n := group.NumRows()
		if n < 0 || n > most-rows {
			return 0, fmt.Errorf("it declares a row group of %d rows", n)
		}
		rows += n
	}
	return int(rows), nil
}
