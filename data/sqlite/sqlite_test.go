package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/mattn/go-sqlite3"
)

func migrations(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i, sql := range files {
		name := "0000" + string(rune('1'+i)) + "_step.sql"
		m[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql + "\n")}
	}
	return m
}

// transaction is what both kinds have.
type transaction interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

const counter = `CREATE TABLE counter (n INTEGER NOT NULL); INSERT INTO counter VALUES (0);`

func TestManyOpenersOfOneFreshFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a dir?#%", "x.db")
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			db, err := Open(t.Context(), path, Config{Migrations: migrations(counter)})
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			add := func(tx transaction) error {
				var n int // read, then write: a deferred transaction would fail here
				if err := tx.QueryRowContext(t.Context(), `SELECT n FROM counter`).Scan(&n); err != nil {
					return err
				}
				_, err := tx.ExecContext(t.Context(), `UPDATE counter SET n = ?`, n+1)
				return err
			}
			for range 10 {
				err := db.Write(t.Context(), func(tx *sql.Tx) error { return add(tx) })
				if err := errors.Join(err, db.Transact(t.Context(), func(tx *Tx) error { return add(tx) })); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	db, err := Open(t.Context(), path, Config{Migrations: migrations(counter)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.Read().QueryRow(`SELECT n FROM counter`).Scan(&n); err != nil || n != 240 {
		t.Errorf("counter = %d, %v; want 240", n, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is elsewhere: %v", err)
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), Config{Migrations: migrations(counter)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sorry := errors.New("sorry")
	fail := func(tx transaction) error {
		if _, err := tx.ExecContext(t.Context(), `UPDATE counter SET n = 7`); err != nil {
			return err
		}
		return sorry
	}
	if err := db.Write(t.Context(), func(tx *sql.Tx) error { return fail(tx) }); !errors.Is(err, sorry) {
		t.Fatalf("Write = %v", err)
	}
	if err := db.Transact(t.Context(), func(tx *Tx) error { return fail(tx) }); !errors.Is(err, sorry) {
		t.Fatalf("Transact = %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Transact(t.Context(), func(tx *Tx) error { panic(fail(tx)) })
	}()
	var n int
	if err := db.Read().QueryRow(`SELECT n FROM counter`).Scan(&n); err != nil || n != 0 {
		t.Errorf("counter = %d, %v; want 0", n, err)
	}
	if _, err := db.Read().Exec(`UPDATE counter SET n = 1`); err == nil {
		t.Error("a reader wrote")
	}
}

func TestMigratesForwardOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	more := `ALTER TABLE counter ADD COLUMN name TEXT;`
	for _, m := range []fstest.MapFS{migrations(counter), migrations(counter, more)} {
		db, err := Open(t.Context(), path, Config{Migrations: m})
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	if _, err := Open(t.Context(), path, Config{Migrations: migrations(counter)}); !errors.Is(err, ErrNewer) {
		t.Errorf("Open of a newer file = %v, want ErrNewer", err)
	}
}

func TestRefusesForeignFiles(t *testing.T) {
	dir := t.TempDir()
	for name, schema := range map[string]string{
		"mlflow.db": `CREATE TABLE alembic_version (version_num TEXT)`,
		"other.db":  `CREATE TABLE customers (id INTEGER)`,
	} {
		path := filepath.Join(dir, name)
		raw, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Exec(schema); err != nil {
			t.Fatal(err)
		}
		raw.Close()
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("%s was touched, %v", name, err)
			}
		}()
		if _, err := Open(context.Background(), path, Config{Migrations: migrations(counter)}); !errors.Is(err, ErrForeign) {
			t.Errorf("Open(%s) = %v, want ErrForeign", name, err)
		}
	}
	path := filepath.Join(dir, "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	var e sqlite3.Error
	if _, err := Open(context.Background(), path, Config{Migrations: migrations(counter)}); !errors.As(err, &e) || e.Code != sqlite3.ErrNotADB {
		t.Errorf("Open of a text file = %v, want ErrNotADB", err)
	}
}

// A file is opened whose writer was killed in the midst of a transaction that had
// begun to reach the file.
func TestOpensWhatAKilledWriterLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(t.Context(), path, Config{Migrations: migrations(counter)})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	raw, err := sql.Open("sqlite3", path+"?_journal_mode=DELETE")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	for _, query := range []string{
		`PRAGMA cache_size = 1`, `BEGIN`, `UPDATE counter SET n = 7`, `CREATE TABLE big (b BLOB)`,
		`WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 500) INSERT INTO big SELECT randomblob(4000) FROM i`,
	} {
		if _, err := raw.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	left := filepath.Join(t.TempDir(), "x.db")
	for _, suffix := range []string{"", "-journal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	db, err = Open(t.Context(), left, Config{Migrations: migrations(counter)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.Read().QueryRow(`SELECT n FROM counter`).Scan(&n); err != nil || n != 0 {
		t.Errorf("counter = %d, %v; want 0", n, err)
	}
}

// What a lost file has left beside it does not get into the new one.
func TestNewFileIsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	count := func(do func(tx *sql.Tx) error) (n int) {
		t.Helper()
		db, err := Open(t.Context(), path, Config{Migrations: migrations(counter)})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Write(t.Context(), do); err != nil {
			t.Fatal(err)
		}
		if err := db.Read().QueryRow(`SELECT n FROM counter`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		left := map[string][]byte{}
		for _, suffix := range []string{"-wal", "-shm"} {
			if left[suffix], err = os.ReadFile(path + suffix); err != nil {
				t.Fatal(err)
			}
		}
		defer func() { // after Close
			for suffix, b := range left {
				if err := os.WriteFile(path+suffix, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}()
		return n
	}
	nothing := func(*sql.Tx) error { return nil }
	if n := count(func(tx *sql.Tx) error { _, err := tx.Exec(`UPDATE counter SET n = 7`); return err }); n != 7 {
		t.Fatalf("counter = %d, want 7", n)
	}
	if err := os.WriteFile(path+".new", []byte("half of a file that a killed process was making"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n := count(nothing); n != 7 {
		t.Errorf("counter = %d, want 7 as it was", n)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if n := count(nothing); n != 0 {
		t.Errorf("counter of a new file = %d, want 0", n)
	}
	var mode string
	db, err := Open(t.Context(), path, Config{Migrations: migrations(counter)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Read().QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode = %s, %v", mode, err)
	}
}

func TestFailedMigrationLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(t.Context(), filepath.Join(dir, "x.db"), Config{Migrations: migrations(counter, "nonsense;")}); err == nil {
		t.Fatal("Open carried out nonsense")
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "x.db.lock" {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
