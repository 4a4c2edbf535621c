// Package store keeps a registry on disk: its rows in one SQLite file, its
// artifacts in a directory beside it. Any number of processes may use one store
// at once. It does not know HTTP, nor what runs and models are about.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"time"

	"github.com/taximeter/taximeter/data/blob"
	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
)

// Store is a registry on disk. It is safe for concurrent use.
type Store struct {
	db    *sqlite.DB
	files *blob.Dir
	root  string      // URI below which new experiments keep their artifacts
	local []localRoot // directories that artifacts may be in as well
}

var _ registry.Service = (*Store)(nil)

//go:embed migrations/*.sql
var migrations embed.FS

// write runs do in one transaction that holds the file's write lock. A client
// that goes away does not stop it, and its statements take no context: to listen
// for that costs a goroutine a statement, more than most statements take.
func (s *Store) write(ctx context.Context, do func(tx *sql.Tx) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return s.db.Write(context.WithoutCancel(ctx), do)
}

// read runs do on one snapshot of the file; like write, it finishes once begun.
func (s *Store) read(ctx context.Context, do func(tx *sql.Tx) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	tx, err := s.db.Read().BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written; the error would say that the snapshot is gone
	return do(tx)
}

// reading is read with a result.
func reading[T any](ctx context.Context, s *Store, do func(tx *sql.Tx) (T, error)) (result T, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		result, err = do(tx)
		return err
	})
	return result, err
}

// viewing is reading for what reads many rows.
func viewing[T any](ctx context.Context, s *Store, do func(view *sqlite.Snapshot) (T, error)) (result T, err error) {
	if err := context.Cause(ctx); err != nil {
		return result, err
	}
	err = s.db.Snapshot(context.WithoutCancel(ctx), func(view *sqlite.Snapshot) error {
		result, err = do(view)
		return err
	})
	return result, err
}

// writing is write with a result.
func writing[T any](ctx context.Context, s *Store, do func(tx *sql.Tx) (T, error)) (result T, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		result, err = do(tx)
		return err
	})
	return result, err
}

// now returns the time in the unit of all times here.
func now() int64 { return time.Now().UnixMilli() }

// newID returns 32 random hex digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
