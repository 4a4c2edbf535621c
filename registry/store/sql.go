package store

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/registry"
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

// insert runs a statement "INSERT … VALUES %s …" for rows of equal length, many
// rows at a time: one statement a row costs more than the row.
func insert(tx *sql.Tx, text string, rows [][]any) error {
	const perStatement = 100
	for len(rows) > 0 {
		some := rows[:min(perStatement, len(rows))]
		rows = rows[len(some):]
		one := "(?" + strings.Repeat(",?", len(some[0])-1) + ")"
		var args []any
		for _, row := range some {
			args = append(args, row...)
		}
		if _, err := tx.Exec(fmt.Sprintf(text, one+strings.Repeat(","+one, len(some)-1)), args...); err != nil {
			return err
		}
	}
	return nil
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

// pageToken says where the next page begins.
type pageToken struct {
	Offset int `json:"offset"`
}

func encodeToken(offset int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"offset": %d}`, offset))
}

func decodeToken(token string) (offset int, err error) {
	if token == "" {
		return 0, nil
	}
	bad := registry.Errorf(registry.InvalidParameterValue, "Invalid page token, could not base64-decode")
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return 0, bad
	}
	var t pageToken
	if err := json.Unmarshal(b, &t); err != nil || t.Offset < 0 {
		return 0, bad
	}
	return t.Offset, nil
}

// page cuts items, of which limit+1 were asked from offset on, to a page.
func page[T any](items []T, offset, limit int) registry.Page[T] {
	if len(items) <= limit {
		return registry.Page[T]{Items: items}
	}
	return registry.Page[T]{Items: items[:limit], NextPageToken: encodeToken(offset + limit)}
}
