// Package sqlite opens a SQLite file the one way we use it: write-ahead log,
// one writer and many readers in a process, any number of processes on one
// file, numbered migrations. It does not know any table.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Config is how to open a file. The zero value is right but for Migrations.
type Config struct {
	// Migrations holds files such as 00001_runs.sql in goose's format.
	// Without it the file is opened as it is.
	Migrations fs.FS
	// Full syncs each commit to the disk (PRAGMA synchronous=FULL). The default
	// NORMAL survives a killed process, but a power cut may take the last commits.
	Full bool
	// BusyTimeout is how long a write waits for another process: 30 s if zero.
	BusyTimeout time.Duration
}

// DB is one open file. It is safe for concurrent use.
type DB struct {
	path   string
	write  *sql.DB
	read   *sql.DB
	config Config
}

// Open opens or creates the file and brings its schema up to date, under a lock
// that other processes opening it wait for. A file whose schema is newer than
// this program's, or that is not ours, is refused and not touched.
func Open(ctx context.Context, path string, config Config) (*DB, error) {
	if config.BusyTimeout == 0 {
		config.BusyTimeout = 30 * time.Second
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db := &DB{path: path, config: config}
	unlock, err := lock(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer unlock()
	if err := db.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return db, nil
}

func (db *DB) open(ctx context.Context) (err error) {
	current := db.config.Migrations == nil
	if !current {
		if current, err = db.create(ctx); err != nil {
			return err
		}
	}
	if !current {
		if err := db.refuseForeign(ctx); err != nil {
			return err
		}
	}
	if db.write, err = sql.Open("sqlite3", db.dsn("_txlock=immediate&_cache_size=-4000")); err != nil {
		return err
	}
	db.write.SetMaxOpenConns(1)
	if !current {
		if err := migrate(ctx, db.write, db.config.Migrations); err != nil {
			return err
		}
	}
	if db.read, err = sql.Open("sqlite3", db.dsn("_query_only=true&_cache_size=-8000")); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	return db.read.PingContext(ctx)
}

// preparedStatements is how many statements a connection keeps prepared: more
// than any of our stores has, and parsing one costs more than running it.
const preparedStatements = 128

func (db *DB) dsn(extra string) string {
	sync := "NORMAL"
	if db.config.Full {
		sync = "FULL"
	}
	return fmt.Sprintf("%s?_journal_mode=WAL&_foreign_keys=true&_synchronous=%s&_busy_timeout=%d&_stmt_cache_size=%d&%s",
		db.uri(), sync, db.config.BusyTimeout.Milliseconds(), preparedStatements, extra)
}

// uri is the path as SQLite reads it in a URI.
func (db *DB) uri() string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: db.path}).EscapedPath()}
	return u.String()
}

// lock takes the file lock at path, waiting for other processes, and returns
// what releases it. The lock ends with the process, however that ends.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// Write runs do in one transaction that holds the write lock from its first
// statement (BEGIN IMMEDIATE), and commits it unless do returns an error. It
// waits for other writers up to Config.BusyTimeout. When Write returns nil, the
// transaction is committed; when the disk is full, its error is syscall.ENOSPC. do
// may run more than once, so it must not touch anything outside tx that a second
// run would spoil.
func (db *DB) Write(ctx context.Context, do func(tx *sql.Tx) error) error {
	return db.patiently(ctx, func() error { return db.once(ctx, do) })
}

// patiently runs a transaction again for as long as another process holds the lock.
func (db *DB) patiently(ctx context.Context, once func() error) error {
	for deadline := time.Now().Add(db.config.BusyTimeout); ; {
		err := once()
		if !busy(err) || time.Now().After(deadline) {
			return withCause(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Duration(5+rand.IntN(20)) * time.Millisecond):
		}
	}
}

func (db *DB) once(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // an error after a commit says only that it is done
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// busy reports whether err is SQLite's word that another process holds the
// lock, which waiting cures.
func busy(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked)
}

// withCause says of SQLite's word for a full disk what the system's is.
func withCause(err error) error {
	if e, ok := errors.AsType[sqlite3.Error](err); ok && e.Code == sqlite3.ErrFull {
		return fmt.Errorf("%w: %w", err, syscall.ENOSPC)
	}
	return err
}

// IsUnique reports whether err is a violated uniqueness or primary key.
func IsUnique(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) &&
		(e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}

// Read returns the pool of read-only connections.
func (db *DB) Read() *sql.DB { return db.read }

// Path returns the file's path.
func (db *DB) Path() string { return db.path }

// Close closes the file. It is safe on a DB that did not open.
func (db *DB) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{db.read, db.write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}
