package history

import (
	"context"
	"fmt"

	"github.com/taximeter/taximeter/engine"
)

// Retry has a run that failed, crashed or was cancelled wait for a worker again,
// which goes on from where it was: what completed is not run again. message says
// who wants that. A run that completed, or that has not ended, is refused with a
// TransitionError, and one whose process lives still with an OwnedError.
func (s *Store) Retry(ctx context.Context, id, message string) (run engine.FlowRun, err error) {
	err = s.writer.write(func(b *batch) error {
		if run, err = oneFlowRun(ctx, b.tx, `id = ?`, id); err != nil {
			return err
		}
		to := engine.After(run.State, now(), engine.TypeScheduled, waitName(run), message)
		switch {
		case run.ParentID != "":
			return fmt.Errorf("%w: a subflow is carried out with the whole: retry flow run %s", errRefused, run.RootID)
		case !run.State.Type.Final() || run.State.Type == engine.TypeCompleted:
			return &engine.TransitionError{Run: id, From: run.State, To: to}
		}
		if _, err := b.tx.ExecContext(ctx, `DELETE FROM signal WHERE root_id = ? AND kind <> ?`, id, engine.SignalResume); err != nil {
			return err
		}
		err := s.enter(ctx, b.tx, id, to.Time, to.Type, to.Name, message, func(r *engine.FlowRun) { r.NextStart, r.Recoveries = to.Time, 0 })
		if err != nil {
			return err
		}
		if _, err := b.tx.ExecContext(ctx, `UPDATE flow_run SET owner = '', owner_pid = 0, worker = '' WHERE root_id = ?`, id); err != nil {
			return err
		}
		run, err = oneFlowRun(ctx, b.tx, `id = ?`, id)
		return err
	})
	if err == nil {
		s.watch.wake()
	}
	return run, err
}
