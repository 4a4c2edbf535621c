// Package history keeps flow runs, task runs, their states, logs and results in
// a SQLite file and a directory of blobs. Any number of processes may share
// them; each run belongs to the process that started or adopted it. It does not
// run anything.
package history

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/taximeter/taximeter/data/blob"
	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an engine.History in a directory. It is safe for concurrent use.
type Store struct {
	db    *sqlite.DB
	blobs *blob.Dir
	owner *owner
}

var _ engine.History = (*Store)(nil)

// Open opens or creates the store in dir: engine.db, results/ and owners/. The
// caller closes it; until then the runs it starts are this process's.
func Open(ctx context.Context, dir string) (*Store, error) {
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, filepath.Join(dir, "engine.db"), sqlite.Config{Migrations: scripts})
	if err != nil {
		return nil, fmt.Errorf("open the engine's history: %w", err)
	}
	s := &Store{db: db, owner: &owner{id: rand.Text(), dir: filepath.Join(dir, "owners")}}
	if s.blobs, err = blob.OpenDir(filepath.Join(dir, "results")); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the store. Runs of this process that have not ended may then be
// adopted by others.
func (s *Store) Close() error {
	err := errors.Join(s.owner.release(), s.db.Close())
	if s.blobs != nil {
		err = errors.Join(err, s.blobs.Close())
	}
	return err
}

// micros is how times are stored; zero is NULL.
func micros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

func fromMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

// text stores "" as NULL where a column refers to another row.
func text(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// collect reads all rows with scan.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

// appendState adds a state to the history, unless it is there.
func appendState(ctx context.Context, tx *sql.Tx, flowRunID, taskKey string, s engine.State) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO state (flow_run_id, task_key, time, type, name, message) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		flowRunID, taskKey, s.Time.UnixMicro(), s.Type, s.Name, s.Message)
	return err
}

// States returns every state of a flow run (taskKey "") or of one of its calls,
// oldest first.
func (s *Store) States(ctx context.Context, flowRunID, taskKey string) ([]engine.State, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT type, name, message, time FROM state WHERE flow_run_id = ? AND task_key = ? ORDER BY time`, flowRunID, taskKey)
	return collect(rows, err, func(row scanner) (st engine.State, err error) {
		var at sql.NullInt64
		err = row.Scan(&st.Type, &st.Name, &st.Message, &at)
		st.Time = fromMicros(at)
		return st, err
	})
}

// AppendLogs implements engine.History.
func (s *Store) AppendLogs(ctx context.Context, lines []engine.LogLine) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, l := range lines {
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO log (flow_run_id, task_key, time, level, message) VALUES (?, ?, ?, ?, ?)`,
				l.FlowRunID, l.TaskKey, l.Time.UnixMicro(), l.Level, l.Message); err != nil {
				return fmt.Errorf("keep a log line of flow run %s: %w", l.FlowRunID, err)
			}
		}
		return nil
	})
}

// Logs returns the lines of one flow run, oldest first.
func (s *Store) Logs(ctx context.Context, flowRunID string) ([]engine.LogLine, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT flow_run_id, task_key, time, level, message FROM log WHERE flow_run_id = ? ORDER BY seq`, flowRunID)
	return collect(rows, err, func(row scanner) (l engine.LogLine, err error) {
		var at sql.NullInt64
		err = row.Scan(&l.FlowRunID, &l.TaskKey, &at, &l.Level, &l.Message)
		l.Time = fromMicros(at)
		return l, err
	})
}
