package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

// GiveBack implements worker.Source.
func (s *Store) GiveBack(ctx context.Context, workerID, runID string) error {
	return s.change(func(tx *sqlite.Tx) error {
		if err := s.claimed(ctx, tx, workerID, runID); err != nil {
			return err
		}
		return s.settle(ctx, tx, runID, settling{back: true, message: "given back by its worker"}, now())
	})
}

// Done implements worker.Source.
func (s *Store) Done(ctx context.Context, workerID, runID, message string) error {
	return s.change(func(tx *sqlite.Tx) error {
		if err := s.claimed(ctx, tx, workerID, runID); err != nil {
			return err
		}
		return s.settle(ctx, tx, runID, settling{ended: true, message: message}, now())
	})
}

// claimed returns ErrNotFound unless the worker has claimed the run.
func (s *Store) claimed(ctx context.Context, tx *sqlite.Tx, workerID, runID string) error {
	var owner string
	err := tx.QueryRowContext(ctx, `SELECT worker FROM flow_run WHERE id = ?`, runID).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) || err == nil && owner != workerID {
		return fmt.Errorf("flow run %s of worker %s: %w", runID, workerID, engine.ErrNotFound)
	}
	return err
}

// sweep settles what workers that are gone have claimed, and forgets those
// workers.
func (s *Store) sweep(ctx context.Context, at time.Time) error {
	workers, err := s.Workers(ctx, "")
	if err != nil {
		return fmt.Errorf("look after workers: %w", err)
	}
	for _, w := range workers {
		if w.Online {
			continue
		}
		err := s.change(func(tx *sqlite.Tx) error {
			if err := s.returnClaims(ctx, tx, w.ID, "worker "+w.Name+" is gone", at); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `DELETE FROM worker WHERE id = ? AND seen < ? AND NOT EXISTS (SELECT 1 FROM flow_run WHERE worker = worker.id)`,
				w.ID, micros(at.Add(-keepWorkers)))
			return err
		})
		if err != nil {
			return fmt.Errorf("look after worker %s: %w", w.Name, err)
		}
	}
	return nil
}

// keepWorkers is how long a worker that is gone is still listed.
const keepWorkers = time.Hour

// returnClaims settles all that a worker has claimed.
func (s *Store) returnClaims(ctx context.Context, tx *sqlite.Tx, workerID, message string, at time.Time) error {
	rows, err := tx.QueryContext(ctx, `SELECT id FROM flow_run WHERE worker = ?`, workerID)
	ids, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.settle(ctx, tx, id, settling{back: true, message: message}, at); err != nil {
			return err
		}
	}
	return nil
}

// settling is how a worker comes to have done with a run.
type settling struct {
	back    bool // it gives back what has not begun
	ended   bool // whatever it began has ended
	message string
}

// settle takes a run from its worker. One that has not begun waits again, or is
// CRASHED if its process ended first; one whose process is gone is CRASHED; and
// what is CRASHED goes on, if its deployment says so. A run whose process lives,
// though its worker does not, is left to it.
func (s *Store) settle(ctx context.Context, tx *sqlite.Tx, runID string, how settling, at time.Time) error {
	run, err := oneFlowRun(ctx, tx, `id = ?`, runID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE flow_run SET worker = '' WHERE id = ?`, runID); err != nil {
		return err
	}
	if run.State.Type.Final() && run.State.Type != engine.TypeCrashed {
		return nil
	}
	var owner string
	if err := tx.QueryRowContext(ctx, `SELECT owner FROM flow_run WHERE id = ?`, runID).Scan(&owner); err != nil {
		return err
	}
	if !run.State.Type.Final() {
		alive, _, err := s.carried(ctx, tx, run)
		switch {
		case err != nil:
			return err
		case owner == "" && run.State.Type == engine.TypePending && how.back:
			return s.enter(ctx, tx, runID, at, engine.TypeScheduled, waitName(run), how.message, nil)
		case owner == "" && run.State.Type != engine.TypePending:
			return nil // it waits, for a time or for somebody
		case alive && (!how.ended || owner != s.owner.id):
			return nil
		}
		if run, err = s.crash(ctx, tx, run, how.message, at); err != nil {
			return err
		}
	}
	return s.recover(ctx, tx, run, at)
}

// waitName is the name of the state in which a run waits for a worker.
func waitName(run engine.FlowRun) string {
	if run.Attempts > 0 {
		return engine.NameResuming
	}
	return engine.NameScheduled
}

// crash records that the process of a run is gone.
func (s *Store) crash(ctx context.Context, tx *sqlite.Tx, run engine.FlowRun, message string, at time.Time) (engine.FlowRun, error) {
	if err := s.crashBelow(ctx, tx, run.ID); err != nil {
		return run, err
	}
	next, states := engine.Crash(run, at)
	if n := len(states); n > 0 && message != "" && next.State.Type == engine.TypeCrashed {
		next.State.Message, states[n-1].Message = message, message
	}
	return s.record(ctx, tx, run, next, states)
}

// recover has a run that crashed go on, if its deployment says so and it has not
// crashed too often.
func (s *Store) recover(ctx context.Context, tx *sqlite.Tx, run engine.FlowRun, at time.Time) error {
	if run.State.Type != engine.TypeCrashed || run.Deployment == "" || run.Recoveries >= schedule.MaxCrashes {
		return nil
	}
	d, err := scanDeployment(tx.QueryRowContext(ctx, `SELECT `+deploymentColumns+` FROM deployment WHERE flow = ? AND name = ?`, run.Flow, run.Deployment))
	if errors.Is(err, sql.ErrNoRows) || err == nil && d.Spec.OnCrash != schedule.Resume {
		return nil
	}
	if err != nil {
		return err
	}
	return s.goOn(ctx, tx, run, at)
}

// Crashed returns the runs at the top that were found to have crashed since.
func (s *Store) Crashed(ctx context.Context, since time.Time) ([]engine.FlowRun, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run INDEXED BY flow_run_state
		WHERE parent_id IS NULL AND `+begun+` AND state_type = 'CRASHED' AND end_time >= ? ORDER BY listed`, micros(since))
	runs, err := collect(rows, err, scanFlowRun)
	if err != nil {
		return nil, fmt.Errorf("look for runs that crashed: %w", err)
	}
	return runs, nil
}

// Recover has a run that is CRASHED go on, and reports whether it does: one
// of a deployment as that says, another as anyway says, and neither more often than
// schedule.MaxCrashes times in a row. A run that a worker has claimed is left to it.
func (s *Store) Recover(ctx context.Context, id string, anyway bool) (goesOn bool, err error) {
	err = s.change(func(tx *sqlite.Tx) error {
		goesOn = false
		var claimed string
		run, err := oneFlowRun(ctx, tx, `id = ?`, id)
		if err == nil {
			err = tx.QueryRowContext(ctx, `SELECT worker FROM flow_run WHERE id = ?`, id).Scan(&claimed)
		}
		switch {
		case err != nil:
			return err
		case claimed != "" || run.State.Type != engine.TypeCrashed:
			return nil
		case run.Deployment != "":
			err = s.recover(ctx, tx, run, now())
		case anyway && run.Recoveries < schedule.MaxCrashes:
			err = s.goOn(ctx, tx, run, now())
		}
		if err == nil {
			run, err = oneFlowRun(ctx, tx, `id = ?`, id)
			goesOn = run.State.Type == engine.TypeScheduled
		}
		return err
	})
	return goesOn, err
}

// goOn has a run that crashed wait for a worker.
func (s *Store) goOn(ctx context.Context, tx *sqlite.Tx, run engine.FlowRun, at time.Time) error {
	message := fmt.Sprintf("goes on after crash %d of at most %d: %s", run.Recoveries+1, schedule.MaxCrashes, run.State.Message)
	err := s.enter(ctx, tx, run.ID, at, engine.TypeScheduled, waitName(run), message, func(r *engine.FlowRun) {
		r.Recoveries++
		r.NextStart = at.Add(crashDelay << (r.Recoveries - 1))
	})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE flow_run SET owner = '', owner_pid = 0 WHERE root_id = ?`, run.ID)
	return err
}

// crashDelay is how long after its first crash a run goes on; after each further
// one it is twice as long.
const crashDelay = time.Second
