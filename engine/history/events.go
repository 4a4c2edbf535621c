package history

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/taximeter/taximeter/engine"
)

// Events returns what was committed after the event number after, oldest first,
// most at most, and the number to go on from. With root, only what is about that
// run at the top, its subflows and their calls. gap says that some of what came
// after after is not kept any more, or that after is none of this history's: what
// the caller knows is to be read again, and last is where to follow from.
func (s *Store) Events(ctx context.Context, after int64, root string, most int) (list []engine.Event, last int64, gap bool, err error) {
	var oldest, newest sql.NullInt64
	err = s.db.Read().QueryRowContext(ctx, `SELECT (SELECT min(seq) FROM event), (SELECT max(seq) FROM event)`).Scan(&oldest, &newest)
	if err != nil {
		return nil, after, false, fmt.Errorf("read events: %w", err)
	}
	if after > newest.Int64 || oldest.Valid && after < oldest.Int64-1 {
		return nil, newest.Int64, true, nil
	}
	if after == newest.Int64 {
		return nil, after, false, nil
	}
	// A stretch of events is read whatever it is about, so that a run of which
	// nothing is heard costs no more than one that has them all.
	last = min(newest.Int64, after+int64(most))
	rows, err := s.db.Read().QueryContext(ctx, `
		SELECT event.seq, coalesce(topic, iif(event.task_key = '', 'flow-run', 'task-run')), coalesce(what, 'state'), subject, event.task_key, event.time, coalesce(run.flow, ''), coalesce(run.root_id, ''), coalesce(run.name, ''),
			coalesce(event.type, ''), coalesce(event.name, ''), coalesce(event.message, '')
		FROM event
		LEFT JOIN artifact ON topic = 'artifact' AND artifact.id = subject
		LEFT JOIN flow_run run ON (topic IS NULL OR topic IN ('flow-run', 'artifact')) AND run.id = coalesce(artifact.flow_run_id, subject)
		WHERE seq > ?1 AND seq <= ?2 AND (?3 = '' OR coalesce(run.root_id, subject) = ?3) AND NOT (topic IS NULL AND run.id IS NULL)
		ORDER BY seq`, after, last, root)
	list, err = collect(rows, err, func(row scanner) (e engine.Event, err error) {
		var at sql.NullInt64
		var st engine.State
		err = row.Scan(&e.Seq, &e.Topic, &e.What, &e.Subject, &e.TaskKey, &at, &e.Flow, &e.RootID, &e.RunName, &st.Type, &st.Name, &st.Message)
		e.Time = fromMicros(at)
		if st.Type != "" {
			st.Time = e.Time
			e.State = &st
		}
		return e, err
	})
	if err != nil {
		return nil, after, false, fmt.Errorf("read events: %w", err)
	}
	return list, last, false, nil
}

// LastEvent is the number of the newest event; 0: there is none.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	var newest sql.NullInt64
	if err := s.db.Read().QueryRowContext(ctx, `SELECT max(seq) FROM event`).Scan(&newest); err != nil {
		return 0, fmt.Errorf("read the newest event: %w", err)
	}
	return newest.Int64, nil
}

// keepEvents is how many events are kept for those who follow.
const keepEvents = 100_000

// dropEvents drops the oldest events, some at a time.
func (s *Store) dropEvents(ctx context.Context) error {
	var many bool
	err := s.db.Read().QueryRowContext(ctx, `SELECT coalesce((SELECT max(seq) FROM event) - (SELECT min(seq) FROM event) > ?, false)`,
		keepEvents+keepEvents/10).Scan(&many)
	if err == nil && many {
		err = s.writer.write(func(b *batch) error {
			_, err := b.tx.ExecContext(ctx, `DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?`, keepEvents)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("drop old events: %w", err)
	}
	return nil
}
