package history

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// Signal implements engine.History.
func (s *Store) Signal(ctx context.Context, sig engine.Signal) (engine.FlowRun, error) {
	var run engine.FlowRun
	err := s.writer.write(func(b *batch) (err error) {
		if run, err = oneFlowRun(ctx, b.tx, `id = ?`, sig.FlowRunID); err != nil {
			return err
		}
		carried, _, err := s.carried(ctx, b.tx, run)
		if err != nil {
			return err
		}
		if sig.Kind == engine.SignalResume && !carried && run.ID != run.RootID { // a subflow goes on with the whole
			if run, err = oneFlowRun(ctx, b.tx, `id = ?`, run.RootID); err != nil {
				return err
			}
		}
		next, states, sig, err := engine.Ask(run, sig, carried, now())
		if err != nil {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
		if run, err = s.record(ctx, b.tx, run, next, states); err != nil {
			return err
		}
		if !carried {
			// Nobody writes it any more until it is adopted.
			if _, err := b.tx.ExecContext(ctx, `UPDATE flow_run SET owner = '', owner_pid = 0 WHERE id = ?`, run.RootID); err != nil {
				return err
			}
			if run.State.Type == engine.TypeCancelled {
				if err := s.cancelBelow(ctx, b.tx, run); err != nil {
					return err
				}
			}
		}
		_, err = b.tx.ExecContext(ctx, `INSERT INTO signal (flow_run_id, root_id, kind, key, input, message, time) VALUES (?,?,?,?,?,?,?)`,
			sig.FlowRunID, run.RootID, sig.Kind, sig.Key, text(string(sig.Input)), sig.Message, sig.Time.UnixMicro())
		if err != nil {
			return fmt.Errorf("signal flow run %s: %w", sig.FlowRunID, err)
		}
		return nil
	})
	if err == nil {
		s.watch.wake()
	}
	return run, err
}

// cancelBelow cancels what is not finished below a run that nobody carries out.
func (s *Store) cancelBelow(ctx context.Context, tx *sqlite.Tx, top engine.FlowRun) error {
	state := engine.State{Type: engine.TypeCancelled, Name: engine.NameCancelled, Message: top.State.Message}
	if err := s.endTasks(ctx, tx, `flow_run_id = ?`, top.ID, state); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run WHERE parent_id = ? AND `+unfinished, top.ID)
	runs, err := collect(rows, err, scanFlowRun)
	if err != nil {
		return err
	}
	for _, run := range runs {
		next, states, _, err := engine.Ask(run, engine.Signal{Kind: engine.SignalCancel, Message: top.State.Message}, false, now())
		if err != nil {
			return err
		}
		if run, err = s.record(ctx, tx, run, next, states); err != nil {
			return err
		}
		if err := s.cancelBelow(ctx, tx, run); err != nil {
			return err
		}
	}
	return nil
}

// Signals implements engine.History. Of what other processes write it learns
// within a tenth of a second.
func (s *Store) Signals(ctx context.Context, rootID string, after int64) ([]engine.Signal, error) {
	for {
		changed := s.watch.next()
		list, err := s.signals(ctx, rootID, after)
		if err != nil || len(list) > 0 || after < 0 {
			s.watch.leave()
			return list, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.watch.leave()
			return nil, context.Cause(ctx)
		}
		s.watch.leave()
	}
}

func (s *Store) signals(ctx context.Context, rootID string, after int64) ([]engine.Signal, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT seq, flow_run_id, kind, key, input, message, time
		FROM signal WHERE root_id = ? AND seq > ? ORDER BY seq`, rootID, after)
	return collect(rows, err, func(row scanner) (sig engine.Signal, err error) {
		var input sql.NullString
		var at int64
		err = row.Scan(&sig.Seq, &sig.FlowRunID, &sig.Kind, &sig.Key, &input, &sig.Message, &at)
		if input.Valid {
			sig.Input = []byte(input.String)
		}
		sig.Time = time.UnixMicro(at).UTC()
		return sig, err
	})
}
