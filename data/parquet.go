package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/parquet-go/parquet-go"
)

// ReadTrips reads the five columns we need of a month, by name: whatever taxi
// and year the file is of, whichever of TLC's integer widths, timestamp units,
// codecs and encodings it is in. Rows keep the file's order. It uses all cores;
// the result does not depend on how many.
//
// When f.SHA256 is set the bytes must hash to it. The error is a *CorruptError
// when they do not, or when they are no whole Parquet file; a *SchemaError when
// a column is missing or of the wrong type; it wraps fs.ErrNotExist when there
// is no file. Reads are independent: any number may run at once.
func ReadTrips(ctx context.Context, f File) (*Trips, error) {
	read := readFile
	if f.SHA256 != "" {
		read = readVerified
	}
	trips, err := read(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("read trips: %w", err)
	}
	return trips, nil
}

// readFile reads what it needs of a file.
func readFile(ctx context.Context, f File) (*Trips, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	return readParquet(ctx, f.Path, r, info.Size())
}

// readVerified reads a whole file, and hashes it while it is decoded.
func readVerified(ctx context.Context, f File) (*Trips, error) {
	content, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	hashed := make(chan string, 1)
	go func() {
		sum := sha256.Sum256(content)
		hashed <- hex.EncodeToString(sum[:])
	}()
	trips, err := readParquet(ctx, f.Path, bytes.NewReader(content), int64(len(content)))
	if got := <-hashed; got != f.SHA256 {
		return nil, &CorruptError{Path: f.Path, Size: int64(len(content)),
			Detail: fmt.Sprintf("its sha256 is %s and was %s when the month was located", got, f.SHA256)}
	}
	return trips, err
}

// readParquet reads a file of size bytes; path is for errors.
func readParquet(ctx context.Context, path string, r io.ReaderAt, size int64) (*Trips, error) {
	var (
		groups  []parquet.RowGroup
		columns schema
		rows    int
	)
	err := guard(path, size, "its footer cannot be read", func() error {
		if err := checkFrame(path, r, size); err != nil {
			return err
		}
		file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
			parquet.ReadBufferSize(64<<10))
		if err != nil {
			return err
		}
		if columns, err = readSchema(path, file.Root()); err != nil {
			return err
		}
		groups = file.RowGroups()
		rows, err = countRows(groups, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	return readColumns(ctx, table{path: path, size: size, groups: groups, rows: rows}, columns)
}

// countRows adds up what the footer declares, and refuses what a file of size
// bytes cannot hold, so that a corrupt count does not become an allocation.
func countRows(groups []parquet.RowGroup, size int64) (int, error) {
	most := min(1<<20+16*size, math.MaxInt32) // a byte of five columns for 16 rows: far below any real file
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
