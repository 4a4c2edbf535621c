package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// AdoptFlowRun implements engine.History.
func (s *Store) AdoptFlowRun(ctx context.Context, id string) (engine.FlowRun, error) {
	if err := s.owner.hold(); err != nil {
		return engine.FlowRun{}, fmt.Errorf("own flow run %s: %w", id, err)
	}
	var run engine.FlowRun
	err := s.writer.write(func(b *batch) (err error) {
		if run, err = oneFlowRun(ctx, b.tx, `id = ?`, id); err != nil {
			return err
		}
		alive, pid, err := s.carried(ctx, b.tx, run)
		if err != nil {
			return err
		}
		if alive {
			return &engine.OwnedError{FlowRunID: id, PID: pid}
		}
		dead := pid != 0 && !run.State.Type.Final()
		before := run
		next, states, more := engine.Adopt(run, dead, now())
		if dead {
			if err := s.crashBelow(ctx, b.tx, run.ID); err != nil {
				return err
			}
		}
		if run, err = s.record(ctx, b.tx, before, next, states); err != nil || !more {
			return err
		}
		if _, err := b.tx.ExecContext(ctx, `UPDATE flow_run SET owner = ?, owner_pid = ? WHERE root_id = ?`, s.owner.id, s.owner.pid, id); err != nil {
			return fmt.Errorf("own flow run %s: %w", id, err)
		}
		_, err = b.tx.ExecContext(ctx, `DELETE FROM signal WHERE root_id = ? AND kind <> ?`, id, engine.SignalResume)
		return err
	})
	return run, err
}

// now has no more than the microseconds that are stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// carried reports whether a living process carries out the run, and that process;
// 0 if it is nobody's. A run that has ended is nobody's even while its process
// goes on.
func (s *Store) carried(ctx context.Context, tx *sqlite.Tx, run engine.FlowRun) (alive bool, pid int, err error) {
	var owner string
	if err := tx.QueryRowContext(ctx, `SELECT owner, owner_pid FROM flow_run WHERE id = ?`, run.RootID).Scan(&owner, &pid); err != nil {
		return false, 0, fmt.Errorf("read the owner of flow run %s: %w", run.RootID, err)
	}
	if owner == "" {
		return false, 0, nil
	}
	if run.ID == run.RootID && run.State.Type.Final() {
		return false, pid, nil
	}
	if alive, err = s.owner.lives(owner); err != nil {
		return false, pid, fmt.Errorf("see whether process %d lives: %w", pid, err)
	}
	return alive, pid, nil
}

// record replaces a run by next, which it became by the given states.
func (s *Store) record(ctx context.Context, tx *sqlite.Tx, run, next engine.FlowRun, states []engine.State) (engine.FlowRun, error) {
	done, err := putFlowRun(ctx, func(q string, args ...any) (sql.Result, error) { return tx.ExecContext(ctx, q, args...) }, next, run.State)
	if err != nil {
		return run, err
	}
	if !done {
		return run, fmt.Errorf("flow run %s: its state was changed within the transaction", run.ID)
	}
	for _, state := range states {
		if err := appendState(ctx, tx, run.ID, "", state); err != nil {
			return run, err
		}
	}
	return next, nil
}

const unfinished = `state_type NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')`

// crashBelow records what a process that is gone has left unfinished in a run: the
// subflows, and the calls of all of them.
func (s *Store) crashBelow(ctx context.Context, tx *sqlite.Tx, rootID string) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run WHERE root_id = ? AND parent_id IS NOT NULL AND `+unfinished, rootID)
	runs, err := collect(rows, err, scanFlowRun)
	if err != nil {
		return err
	}
	for _, run := range runs {
		next, states := engine.Crash(run, now())
		if _, err := s.record(ctx, tx, run, next, states); err != nil {
			return err
		}
	}
	return s.endTasks(ctx, tx, `flow_run_id IN (SELECT id FROM flow_run WHERE root_id = ?)`, rootID,
		engine.State{Type: engine.TypeCrashed, Name: engine.NameCrashed, Message: "its process ended"})
}

// endTasks takes unfinished calls to a final state.
func (s *Store) endTasks(ctx context.Context, tx *sqlite.Tx, where, id string, state engine.State) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+taskRunColumns+` FROM task_run WHERE `+where+` AND `+unfinished, id)
	tasks, err := collect(rows, err, scanTaskRun)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		end := engine.After(t.State, now(), state.Type, state.Name, state.Message)
		// Nobody knows when it ended, so the time until it was noticed does not count.
		if _, err := tx.ExecContext(ctx, `UPDATE task_run SET state_type = ?, state_name = ?, state_message = ?, state_time = ?, end_time = ?
			WHERE flow_run_id = ? AND key = ?`, end.Type, end.Name, end.Message, end.Time.UnixMicro(), end.Time.UnixMicro(), t.FlowRunID, t.Key); err != nil {
			return fmt.Errorf("record task %s of flow run %s: %w", t.Key, t.FlowRunID, err)
		}
		if err := appendState(ctx, tx, t.FlowRunID, t.Key, end); err != nil {
			return err
		}
	}
	return nil
}

// Reap records as Crashed every run whose process has ended without ending the
// run, and returns those that have no parent. One that was being cancelled is
// Cancelled, one that waits for input goes on waiting; the slots of limits that
// dead processes held are free.
func (s *Store) Reap(ctx context.Context) (crashed []engine.FlowRun, err error) {
	var found bool // most often there is nothing to do, which needs no write lock
	if err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM flow_run WHERE owner <> '' AND `+unfinished+`)
		OR EXISTS (SELECT 1 FROM limit_holder)`).Scan(&found); err != nil || !found {
		return nil, err
	}
	err = s.writer.write(func(b *batch) error {
		crashed = nil
		rows, err := b.tx.QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run WHERE parent_id IS NULL AND owner <> '' AND `+unfinished)
		runs, err := collect(rows, err, scanFlowRun)
		if err != nil {
			return err
		}
		for _, run := range runs {
			if alive, _, err := s.carried(ctx, b.tx, run); alive || err != nil {
				if err != nil {
					return err
				}
				continue
			}
			next, states := engine.Crash(run, now())
			if err := s.crashBelow(ctx, b.tx, run.ID); err != nil {
				return err
			}
			if next, err = s.record(ctx, b.tx, run, next, states); err != nil {
				return err
			}
			// A write of its that is under way yet finds the run to be nobody's.
			if _, err := b.tx.ExecContext(ctx, `UPDATE flow_run SET owner = '', owner_pid = 0 WHERE root_id = ?`, run.ID); err != nil {
				return fmt.Errorf("release flow run %s: %w", run.ID, err)
			}
			if next.State.Type == engine.TypeCrashed {
				crashed = append(crashed, next)
			}
		}
		return s.freeSlots(ctx, b.tx)
	})
	if err != nil {
		return nil, fmt.Errorf("look for runs whose process has ended: %w", err)
	}
	return crashed, nil
}

// DeleteFlowRun implements engine.History.
func (s *Store) DeleteFlowRun(ctx context.Context, id string) error {
	return s.writer.write(func(b *batch) error {
		run, err := oneFlowRun(ctx, b.tx, `id = ?`, id)
		if err != nil {
			return err
		}
		if run.RootID != id {
			return fmt.Errorf("%w: flow run %s is part of run %s: delete that one", errRefused, id, run.RootID)
		}
		if alive, pid, err := s.carried(ctx, b.tx, run); err != nil || alive {
			return errors.Join(err, &engine.OwnedError{FlowRunID: id, PID: pid})
		}
		for _, query := range []string{
			`DELETE FROM limit_holder WHERE flow_run_id IN (SELECT id FROM flow_run WHERE root_id = ?)`,
			`DELETE FROM flow_run WHERE root_id = ?`, // the rest goes with it
		} {
			if _, err := b.tx.ExecContext(ctx, query, id); err != nil {
				return fmt.Errorf("delete flow run %s: %w", id, err)
			}
		}
		return nil
	})
}
