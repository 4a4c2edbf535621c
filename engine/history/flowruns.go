package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/taximeter/taximeter/engine"
)

const flowRunColumns = `id, flow, name, parent_id, parent_key, root_id, parameters, version, refresh,
	state_type, state_name, state_message, state_time, attempts, created, expected_start, start_time, end_time, result`

func scanFlowRun(row scanner) (r engine.FlowRun, err error) {
	var parentID, parentKey, result sql.NullString
	var parameters string
	var stateTime, created, expected, start, end sql.NullInt64
	err = row.Scan(&r.ID, &r.Flow, &r.Name, &parentID, &parentKey, &r.RootID, &parameters, &r.Version, &r.Refresh,
		&r.State.Type, &r.State.Name, &r.State.Message, &stateTime, &r.Attempts, &created, &expected, &start, &end, &result)
	r.ParentID, r.ParentKey = parentID.String, parentKey.String
	r.Parameters = []byte(parameters)
	r.State.Time, r.Created, r.ExpectedStart = fromMicros(stateTime), fromMicros(created), fromMicros(expected)
	r.Start, r.End = fromMicros(start), fromMicros(end)
	if result.Valid {
		r.Result = []byte(result.String)
	}
	return r, err
}

// CreateFlowRun implements engine.History.
func (s *Store) CreateFlowRun(ctx context.Context, r engine.FlowRun) error {
	if err := s.owner.hold(); err != nil {
		return fmt.Errorf("own flow run %s: %w", r.ID, err)
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if r.RootID != r.ID {
			if err := s.mayWrite(ctx, tx, r.RootID); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO flow_run (`+flowRunColumns+`, owner, owner_pid)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			r.ID, r.Flow, r.Name, text(r.ParentID), text(r.ParentKey), r.RootID, string(r.Parameters), r.Version, r.Refresh,
			r.State.Type, r.State.Name, r.State.Message, r.State.Time.UnixMicro(), r.Attempts,
			micros(r.Created), micros(r.ExpectedStart), micros(r.Start), micros(r.End), text(string(r.Result)),
			s.owner.id, os.Getpid())
		if err != nil {
			return fmt.Errorf("create flow run %s: %w", r.ID, err)
		}
		return appendState(ctx, tx, r.ID, "", r.State)
	})
}

// AdoptFlowRun implements engine.History.
func (s *Store) AdoptFlowRun(ctx context.Context, id string) (engine.FlowRun, error) {
	if err := s.owner.hold(); err != nil {
		return engine.FlowRun{}, fmt.Errorf("own flow run %s: %w", id, err)
	}
	var run engine.FlowRun
	err := s.db.Write(ctx, func(tx *sql.Tx) (err error) {
		if run, err = oneFlowRun(ctx, tx, `id = ?`, id); err != nil {
			return err
		}
		var owner string
		var pid int
		if err := tx.QueryRowContext(ctx, `SELECT owner, owner_pid FROM flow_run WHERE id = ?`, id).Scan(&owner, &pid); err != nil {
			return err
		}
		// A run that has ended is nobody's, even while its process goes on.
		if !run.State.Type.Final() {
			alive, err := s.owner.lives(owner)
			if err != nil {
				return fmt.Errorf("see whether process %d lives: %w", pid, err)
			}
			if alive {
				return &engine.OwnedError{FlowRunID: id, PID: pid}
			}
			if run, err = crash(ctx, tx, run); err != nil {
				return err
			}
		} else if run.State.Type == engine.TypeCompleted {
			return nil
		}
		// One that ended is claimed by saying that it waits to run again, so that a
		// second process that comes at the same moment finds it owned.
		run.State = after(run.State, engine.TypePending, engine.NamePending, "resumed")
		run.End = time.Time{}
		if err := putFlowRun(ctx, tx, run); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE flow_run SET owner = ?, owner_pid = ? WHERE root_id = ?`, s.owner.id, os.Getpid(), id)
		return err
	})
	return run, err
}

// crash records that the process of a run has ended without ending the run.
func crash(ctx context.Context, tx *sql.Tx, run engine.FlowRun) (engine.FlowRun, error) {
	run.State = after(run.State, engine.TypeCrashed, engine.NameCrashed, "its process ended")
	run.End = run.State.Time // when it was noticed: nobody knows more
	return run, putFlowRun(ctx, tx, run)
}

// after is a state that follows s, and is later in any case.
func after(s engine.State, t engine.StateType, name, message string) engine.State {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.Time) {
		now = s.Time.Add(time.Microsecond)
	}
	return engine.State{Type: t, Name: name, Message: message, Time: now}
}

// Reap records as Crashed every run whose process has ended without ending the
// run, and returns those that have no parent.
func (s *Store) Reap(ctx context.Context) (crashed []engine.FlowRun, err error) {
	const unfinished = `state_type NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')`
	var found bool // most often there is nothing to do, which needs no write lock
	if err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM flow_run WHERE `+unfinished+`)`).Scan(&found); err != nil || !found {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		crashed = nil
		rows, err := tx.QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run WHERE `+unfinished)
		runs, err := collect(rows, err, scanFlowRun)
		if err != nil {
			return err
		}
		for _, run := range runs {
			var owner string
			if err := tx.QueryRowContext(ctx, `SELECT owner FROM flow_run WHERE id = ?`, run.RootID).Scan(&owner); err != nil {
				return err
			}
			if alive, err := s.owner.lives(owner); alive || err != nil {
				if err != nil {
					return err
				}
				continue
			}
			if run, err = crash(ctx, tx, run); err != nil {
				return err
			}
			if run.ParentID == "" {
				crashed = append(crashed, run)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for runs whose process has ended: %w", err)
	}
	return crashed, nil
}

// FlowRun implements engine.History.
func (s *Store) FlowRun(ctx context.Context, id string) (engine.FlowRun, error) {
	return oneFlowRun(ctx, s.db.Read(), `id = ?`, id)
}

// Subflow implements engine.History.
func (s *Store) Subflow(ctx context.Context, parentID, key string) (engine.FlowRun, error) {
	return oneFlowRun(ctx, s.db.Read(), `parent_id = ? AND parent_key = ?`, parentID, key)
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func oneFlowRun(ctx context.Context, q querier, where string, args ...any) (engine.FlowRun, error) {
	run, err := scanFlowRun(q.QueryRowContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return run, fmt.Errorf("flow run %s: %w", args[0], engine.ErrNotFound)
	}
	if err != nil {
		return run, fmt.Errorf("read flow run %s: %w", args[0], err)
	}
	return run, nil
}

// PutFlowRun implements engine.History.
func (s *Store) PutFlowRun(ctx context.Context, r engine.FlowRun) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.mayWrite(ctx, tx, r.RootID); err != nil {
			return err
		}
		return putFlowRun(ctx, tx, r)
	})
}

func putFlowRun(ctx context.Context, tx *sql.Tx, r engine.FlowRun) error {
	_, err := tx.ExecContext(ctx, `UPDATE flow_run SET state_type = ?, state_name = ?, state_message = ?, state_time = ?,
			attempts = ?, start_time = ?, end_time = ?, result = ? WHERE id = ?`,
		r.State.Type, r.State.Name, r.State.Message, r.State.Time.UnixMicro(),
		r.Attempts, micros(r.Start), micros(r.End), text(string(r.Result)), r.ID)
	if err != nil {
		return fmt.Errorf("record flow run %s: %w", r.ID, err)
	}
	return appendState(ctx, tx, r.ID, "", r.State)
}

// mayWrite returns ErrSuperseded unless the run at the top is this process's.
func (s *Store) mayWrite(ctx context.Context, tx *sql.Tx, rootID string) error {
	var owner string
	err := tx.QueryRowContext(ctx, `SELECT owner FROM flow_run WHERE id = ?`, rootID).Scan(&owner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("flow run %s: %w", rootID, engine.ErrNotFound)
	case err != nil:
		return fmt.Errorf("read the owner of flow run %s: %w", rootID, err)
	case owner != s.owner.id:
		return fmt.Errorf("flow run %s: %w", rootID, engine.ErrSuperseded)
	}
	return nil
}

// List returns the newest flow runs that have no parent, newest first. A flow
// "" means every flow.
func (s *Store) List(ctx context.Context, flow string, limit int) ([]engine.FlowRun, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run
		WHERE parent_id IS NULL AND (? = '' OR flow = ?) ORDER BY created DESC, id LIMIT ?`, flow, flow, limit)
	return collect(rows, err, scanFlowRun)
}

// Subflows returns the runs that calls of run parentID made, oldest first.
func (s *Store) Subflows(ctx context.Context, parentID string) ([]engine.FlowRun, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run
		WHERE parent_id = ? ORDER BY created, id`, parentID)
	return collect(rows, err, scanFlowRun)
}

// Find returns the one flow run that ref names: an ID, a unique prefix of one
// (4 characters at least), a name, or "latest" for the newest that has no parent.
func (s *Store) Find(ctx context.Context, ref string) (engine.FlowRun, error) {
	if ref == "latest" {
		runs, err := s.List(ctx, "", 1)
		if err != nil {
			return engine.FlowRun{}, err
		}
		if len(runs) == 0 {
			return engine.FlowRun{}, fmt.Errorf("there is no flow run yet: %w", engine.ErrNotFound)
		}
		return runs[0], nil
	}
	prefix := ref
	if len(ref) < 4 {
		prefix = "-" // no ID begins like this
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run
		WHERE substr(id, 1, length(?1)) = ?1 OR name = ?2 ORDER BY created DESC, id LIMIT 6`, prefix, ref)
	runs, err := collect(rows, err, scanFlowRun)
	if err != nil {
		return engine.FlowRun{}, err
	}
	switch len(runs) {
	case 0:
		return engine.FlowRun{}, fmt.Errorf("flow run %q: %w", ref, engine.ErrNotFound)
	case 1:
		return runs[0], nil
	}
	var ids []string
	for _, r := range runs {
		if r.ID == ref {
			return r, nil
		}
		ids = append(ids, r.ID)
	}
	return engine.FlowRun{}, fmt.Errorf("flow run %q is %w: %s", ref, engine.ErrAmbiguous, strings.Join(ids, ", "))
}
