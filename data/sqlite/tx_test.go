package sqlite

import (
	"database/sql"
	"path/filepath"
	"testing"
)

type word string

// What database/sql takes for an argument, a transaction of ours does; what is wrong
// with one statement leaves the transaction as it is.
func TestTransact(t *testing.T) {
	db := tables(t, filepath.Join(t.TempDir(), "x.db"))
	err := db.Transact(t.Context(), func(tx *Tx) error {
		for i, args := range [][]any{{1, word("a"), true}, {int64(2), nil, 2.5}, {3, sql.NullString{String: "c", Valid: true}, []byte("d")}} {
			done, err := tx.ExecContext(t.Context(), `INSERT INTO many VALUES (?, ?, ?)`, args...)
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n != 1 {
				t.Errorf("%d: %d rows, %v", i, n, err)
			}
		}
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO many VALUES (?, 'b', 0)`, 2); !IsUnique(err) {
			t.Errorf("twice: %v", err)
		}
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO many VALUES (?, 'b', 0)`, struct{}{}); err == nil {
			t.Error("a struct is no argument")
		}
		var n int
		if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM many`).Scan(&n); err != nil || n != 3 {
			t.Errorf("%d rows, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got string
	query := `SELECT group_concat(a || coalesce(b, '-') || c, ' ') FROM many`
	if err := db.Read().QueryRow(query).Scan(&got); err != nil || got != "1a1 2-2.5 3cd" {
		t.Errorf("%q, %v", got, err)
	}
}

func tables(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, Config{Migrations: migrations(`CREATE TABLE many (a INTEGER PRIMARY KEY, b TEXT, c ANY);`)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// The version of the data changes when others have committed, and by nothing of our own.
func TestDataVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	ours, theirs := tables(t, path), tables(t, path)
	write := func(db *DB) (version int64) {
		t.Helper()
		err := db.Transact(t.Context(), func(tx *Tx) (err error) {
			if version, err = tx.DataVersion(); err == nil {
				_, err = tx.ExecContext(t.Context(), `INSERT INTO many (b) VALUES ('x')`)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return version
	}
	first, second := write(ours), write(ours)
	write(theirs)
	third, fourth := write(ours), write(ours)
	if first != second || second == third || third != fourth {
		t.Errorf("versions %d %d, others, %d %d", first, second, third, fourth)
	}
}
