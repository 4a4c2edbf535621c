package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/worker"
)

const queueColumns = `pool, name, priority, slots, paused, created, polled`

func scanQueue(row scanner) (q worker.Queue, err error) {
	var created, polled sql.NullInt64
	err = row.Scan(&q.Pool, &q.Name, &q.Priority, &q.Limit, &q.Paused, &created, &polled)
	q.Created, q.Polled = fromMicros(created), fromMicros(polled)
	return q, err
}

// Queues returns the queues of a pool, of all pools where pool is empty, the most
// urgent first.
func (s *Store) Queues(ctx context.Context, pool string) ([]worker.Queue, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+queueColumns+` FROM work_queue
		WHERE ? IN ('', pool) ORDER BY pool, priority, name`, pool)
	return collect(rows, err, scanQueue)
}

// PutQueue makes a queue, with its pool where there is none, or lets edit change
// the one that is there. With create, one that is there is refused.
func (s *Store) PutQueue(ctx context.Context, pool, name string, create bool, edit func(*worker.Queue)) (q worker.Queue, err error) {
	err = s.change(func(tx *sqlite.Tx) error {
		find := func() (worker.Queue, error) {
			return scanQueue(tx.QueryRowContext(ctx, `SELECT `+queueColumns+` FROM work_queue WHERE pool = ? AND name = ?`, pool, name))
		}
		q, err = find()
		switch {
		case err == nil && create:
			return fmt.Errorf("%w: work pool %s has a queue %s already", errRefused, pool, name)
		case errors.Is(err, sql.ErrNoRows) && !create:
			return fmt.Errorf("work queue %s of pool %s: %w", name, pool, engine.ErrNotFound)
		case errors.Is(err, sql.ErrNoRows):
			if err := ensureQueue(ctx, tx, pool, name); err != nil {
				return err
			}
			if q, err = find(); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		edit(&q)
		_, err = tx.ExecContext(ctx, `UPDATE work_queue SET priority = ?, slots = ?, paused = ? WHERE pool = ? AND name = ?`, q.Priority, q.Limit, q.Paused, pool, name)
		return err
	})
	return q, err
}
