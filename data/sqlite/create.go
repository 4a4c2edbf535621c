package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// create makes the file with the newest schema, where there is none, and reports
// whether it did. It is made aside, without the journal and the many syncs that
// protect what somebody has already, and appears whole.
func (db *DB) create(ctx context.Context) (made bool, err error) {
	if _, err := os.Stat(db.path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	// A log that was left without its file must not become that of another.
	aside := &DB{path: db.path + ".new", config: db.config}
	for _, left := range []string{db.path + "-wal", db.path + "-shm", db.path + "-journal", aside.path, aside.path + "-wal", aside.path + "-shm"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("create: %w", err), os.RemoveAll(aside.path))
		}
	}()
	if err := aside.fill(ctx); err != nil {
		return false, err
	}
	if err := os.Rename(aside.path, db.path); err != nil {
		return false, err
	}
	return true, syncFile(filepath.Dir(db.path))
}

// fill makes the file with the newest schema, on the disk.
func (db *DB) fill(ctx context.Context) error {
	pool, err := sql.Open("sqlite3", db.uri()+"?_journal_mode=MEMORY&_synchronous=OFF")
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	err = migrate(ctx, pool, db.config.Migrations)
	if err == nil {
		_, err = pool.ExecContext(ctx, `PRAGMA journal_mode = WAL`) // which the file remembers
	}
	if err = errors.Join(err, pool.Close()); err != nil {
		return err
	}
	return syncFile(db.path)
}

// syncFile makes the file, or the names in a directory, durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
