package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// query returns what scan makes of each row.
func query[T any](tx *sql.Tx, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := tx.Query(text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, item)
	}
	return found, rows.Err()
}

// exec runs one statement and returns how many rows it changed.
func exec(tx *sql.Tx, text string, args ...any) (int64, error) {
	result, err := tx.Exec(text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// insert runs a statement "INSERT … VALUES %s …" for rows of equal length.
func insert(tx *sql.Tx, text string, rows [][]any) error {
	_, err := insertEach(tx, text, len(rows), func(args []any, i int) []any { return append(args, rows[i]...) })
	return err
}

// insertEach runs a statement "INSERT … VALUES %s …" for n rows, of which row
// appends the values of number i to args. One statement a row costs more than
// the row, so it is one for 128 rows, 64, and so on: few different ones, which
// the connection keeps prepared. It returns how many rows it changed.
func insertEach(tx *sql.Tx, text string, n int, row func(args []any, i int) []any) (changed int64, err error) {
	var args []any
	for done, size := 0, 128; done < n; done += size {
		for size > n-done {
			size /= 2
		}
		args = args[:0]
		for i := range size {
			args = row(args, done+i)
		}
		one := "(?" + strings.Repeat(",?", len(args)/size-1) + ")"
		rows, err := exec(tx, fmt.Sprintf(text, one+strings.Repeat(","+one, size-1)), args...)
		if err != nil {
			return changed, err
		}
		changed += rows
	}
	return changed, nil
}

// jsonList returns items for "IN (SELECT value FROM json_each(?))", which takes
// a list of any length in one parameter.
func jsonList[T any](items []T) string {
	b, err := json.Marshal(items)
	if err != nil {
		panic(err) // numbers and strings always marshal
	}
	return string(b)
}
