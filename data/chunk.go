package data

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// readValues decodes one column of one row group into dst.
func readValues[T any](ctx context.Context, l leaf[T], group parquet.RowGroup, dst []T) error {
	if l.allNull {
		fill(dst, l.missing)
		return nil
	}
	var table []T // the dictionary, converted once
	return readChunk(ctx, group.ColumnChunks()[l.index], dst, l.missing, func(dst []T, page parquet.Page) (err error) {
		if page.Dictionary() == nil {
			return l.convert(dst, page.Data())
		}
		if table == nil {
			if table, err = l.table(page.Dictionary()); err != nil {
				return err
			}
		}
		data := page.Data()
		for i, code := range data.Int32()[:len(dst)] {
			dst[i] = table[code]
		}
		return nil
	})
}

var errNoCodes = errors.New("a page without codes")

// readCodes decodes one column of one row group into codes: those that table has
// for the codes of the group's dictionary, and 0 for null. It reports false where
// some rows have no code.
func readCodes[T any](ctx context.Context, l leaf[T], group parquet.RowGroup, table, dst []uint16) (bool, error) {
	if l.allNull {
		return true, nil
	}
	err := readChunk(ctx, group.ColumnChunks()[l.index], dst, 0, func(dst []uint16, page parquet.Page) error {
		if page.Dictionary() == nil {
			return errNoCodes
		}
		data := page.Data()
		for i, code := range data.Int32()[:len(dst)] {
			dst[i] = table[code]
		}
		return nil
	})
	if errors.Is(err, errNoCodes) {
		return false, nil
	}
	return true, err
}

// readDictionary returns the values of the dictionary of a row group's column,
// nil if there is none. A column without values has one without values.
func readDictionary[T any](l leaf[T], group parquet.RowGroup) (values []T, err error) {
	if l.allNull {
		return []T{}, nil
	}
	pages := group.ColumnChunks()[l.index].Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	file, ok := pages.(*parquet.FilePages)
	if !ok {
		return nil, nil
	}
	dictionary, err := file.ReadDictionary()
	if err != nil || dictionary == nil {
		return nil, err
	}
	return l.table(dictionary)
}

// table converts a dictionary.
func (l leaf[T]) table(d parquet.Dictionary) ([]T, error) {
	table := make([]T, d.Len())
	return table, l.convert(table, d.Page().Data())
}

// readChunk decodes one column of one row group, page by page, into dst. What
// decode gets to fill are the rows of a page that are not null.
func readChunk[T any](ctx context.Context, chunk parquet.ColumnChunk, dst []T, missing T, decode func(dst []T, page parquet.Page) error) (err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
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
		n := int(page.NumValues())
		if n > len(dst) {
			return fmt.Errorf("it has %d values too many", n-len(dst))
		}
		if nulls := int(page.NumNulls()); nulls == 0 {
			err = decode(dst[:n], page)
		} else {
			present := make([]T, n-nulls)
			if err = decode(present, page); err == nil {
				spread(dst[:n], present, page.DefinitionLevels(), missing)
			}
		}
		parquet.Release(page)
		if err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

// spread puts the values that are present where the levels say that one is.
func spread[T any](dst, present []T, levels []byte, missing T) {
	next := 0
	for i, level := range levels {
		if level == 0 {
			dst[i] = missing
			continue
		}
		dst[i] = present[next]
		next++
	}
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}
