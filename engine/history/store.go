// Package history keeps flow runs, task runs, their states, logs and results in
// a SQLite file and a directory of blobs. Any number of processes may share
// them; each run belongs to the process that started or adopted it. It does not
// run anything.
//
// What is written at the same time is committed together: a write returns when its
// group is on the disk, by the [Durability] the store was opened with. A task's
// start need not be there before its body begins, so that one which starts and ends
// within a moment is one write; its end is there before anybody sees its result.
// That the owner of a run lives shows a lock on a file, which the system takes
// back from a process that ends, however it ends; that of an owner elsewhere shows
// a lease, which it renews.
//
//	CreateFlowRun ──► owned: PENDING, RUNNING, … ──────────► nobody's, in a terminal state
//	   │ SCHEDULED        ▲    │ the owner's lock is free,      │
//	   ▼                  │    ▼ or its lease has run out       │ resume, retry
//	nobody's ─────────────┤   Reap: CRASHED, nobody's           │
//	                      │    │                                │
//	                      └────┴────── AdoptFlowRun ◄───────────┘
//
// Once another has adopted a run, what its former owner still writes of it is
// refused with [engine.ErrSuperseded].
package history

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	db     *sqlite.DB
	blobs  *blob.Dir
	owner  *owner
	writer *writer
	watch  *watch
}

// Durability says what a commit survives.
type Durability string

// Durabilities.
const (
	// Process survives the process, however it ends; a power cut may take the last
	// commits, and nothing else.
	Process Durability = "process"
	// Power survives a power cut too: each group of commits is synced to the disk.
	Power Durability = "power"
)

// Config is how to open a store.
type Config struct {
	Dir        string
	Durability Durability // zero: Process
}

var _ engine.History = (*Store)(nil)

// Open opens the store in dir with the default durability. See Config.Open.
func Open(ctx context.Context, dir string) (*Store, error) { return Config{Dir: dir}.Open(ctx) }

// Open opens or creates the store in c.Dir: engine.db, results/ and owners/. The
// caller closes it; until then the runs it starts are this process's.
func (c Config) Open(ctx context.Context) (*Store, error) {
	switch c.Durability {
	case "", Process, Power:
	default:
		return nil, fmt.Errorf("durability %q: want %s or %s", c.Durability, Process, Power)
	}
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, filepath.Join(c.Dir, "engine.db"), sqlite.Config{Migrations: scripts, Full: c.Durability == Power})
	if err != nil {
		return nil, fmt.Errorf("open the engine's history: %w", err)
	}
	s := &Store{
		db: db, writer: &writer{db: db}, watch: newWatch(db),
		owner: &owner{id: rand.Text(), dir: filepath.Join(c.Dir, "owners"), pid: os.Getpid()},
	}
	if s.blobs, err = blob.OpenDir(filepath.Join(c.Dir, "results")); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the store. Runs of this process that have not ended may then be
// adopted by others.
func (s *Store) Close() error {
	s.watch.close()
	err := errors.Join(s.writer.settle(), s.owner.release(), s.db.Close())
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

const insertLog = `INSERT INTO log (flow_run_id, task_key, time, level, message) VALUES (?, ?, ?, ?, ?)`

// AppendLogs implements engine.History.
func (s *Store) AppendLogs(_ context.Context, lines []engine.LogLine) error {
	return s.writer.add(&op{lazy: true, logs: true, do: func(b *batch) error {
		for _, l := range lines {
			if _, err := b.exec(insertLog, l.FlowRunID, l.TaskKey, l.Time.UnixMicro(), l.Level, l.Message); err != nil {
				return fmt.Errorf("keep a log line of flow run %s: %w", l.FlowRunID, err)
			}
		}
		return nil
	}})
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
