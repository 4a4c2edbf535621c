package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// reader is a *sqlite.Tx or the reading *sql.DB.
type reader interface {
	querier
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// Why says why a run that waits for a worker has not been begun.
func (s *Store) Why(ctx context.Context, runID string) (string, error) {
	return s.why(ctx, s.db.Read(), runID, now())
}

func (s *Store) why(ctx context.Context, q reader, runID string, at time.Time) (string, error) {
	var pool, queue, flow, deployment, stateType, stateName string
	var next sql.NullInt64
	err := q.QueryRowContext(ctx, `SELECT pool, queue, flow, deployment, next_start, state_type, state_name FROM flow_run WHERE id = ?`, runID).
		Scan(&pool, &queue, &flow, &deployment, &next, &stateType, &stateName)
	if err != nil {
		return "", fmt.Errorf("see why flow run %s waits: %w", runID, err)
	}
	if stateType != string(engine.TypeScheduled) {
		return "", nil
	}
	if due := fromMicros(next); due.After(at) {
		return "it is not due before " + due.Format(time.RFC3339), nil
	}
	p, err := poolByName(ctx, q, pool)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return "", err
	}
	var queuePaused bool
	var queueLimit int
	err = q.QueryRowContext(ctx, `SELECT paused, slots FROM work_queue WHERE pool = ? AND name = ?`, pool, queue).Scan(&queuePaused, &queueLimit)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	switch {
	case p.Paused:
		return fmt.Sprintf("work pool %s is paused", pool), nil
	case queuePaused:
		return fmt.Sprintf("work queue %s of pool %s is paused", queue, pool), nil
	}
	rows, err := q.QueryContext(ctx, `SELECT id, info, seen, owner, (SELECT count(*) FROM flow_run WHERE worker = worker.id) FROM worker WHERE pool = ?`, pool)
	workers, err := collect(rows, err, s.scanWorker(at))
	if err != nil {
		return "", err
	}
	online, here, able, room := 0, 0, 0, false
	for _, w := range workers {
		if !w.Online {
			continue
		}
		online++
		if len(w.Queues) > 0 && !slices.Contains(w.Queues, queue) {
			continue
		}
		here++
		if len(w.Flows) > 0 && !slices.Contains(w.Flows, flow) {
			continue
		}
		able++
		room = room || w.Limit == 0 || w.Running < w.Limit
	}
	switch {
	case online == 0:
		return fmt.Sprintf("no worker of pool %s is running", pool), nil
	case here == 0:
		return fmt.Sprintf("no worker of pool %s takes runs of queue %s", pool, queue), nil
	case able == 0:
		return fmt.Sprintf("no worker of pool %s has flow %s", pool, flow), nil
	}
	for _, limit := range []struct {
		what  string
		slots int
		where string
		args  []any
	}{
		{"deployment " + flow + "/" + deployment, 0, `flow = ? AND deployment = ?`, []any{flow, deployment}},
		{"work queue " + queue, queueLimit, `pool = ? AND queue = ?`, []any{pool, queue}},
		{"work pool " + pool, p.Limit, `pool = ?`, []any{pool}},
	} {
		if strings.HasPrefix(limit.what, "deployment ") && deployment != "" {
			err := q.QueryRowContext(ctx, `SELECT slots FROM deployment WHERE flow = ? AND name = ?`, flow, deployment).Scan(&limit.slots)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return "", err
			}
		}
		var active int
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM flow_run WHERE `+limit.where+` AND `+activeWork, limit.args...).Scan(&active); err != nil {
			return "", err
		}
		if limit.slots > 0 && active >= limit.slots {
			return fmt.Sprintf("%s has %d of %d runs at once", limit.what, active, limit.slots), nil
		}
	}
	if !room {
		return fmt.Sprintf("the workers of pool %s have as many runs as they may", pool), nil
	}
	return "a worker takes it next, or more urgent runs go first", nil
}
