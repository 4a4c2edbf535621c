package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// ensureQueue makes the pool and the queue where there are none.
func ensureQueue(ctx context.Context, tx *sqlite.Tx, pool, queue string) error {
	at := micros(now())
	_, err := tx.ExecContext(ctx, `INSERT INTO work_pool (name, type, description, slots, paused, created) VALUES (?, ?, '', 0, false, ?)
		ON CONFLICT DO NOTHING`, pool, worker.Process, at)
	if err != nil {
		return fmt.Errorf("make work pool %s: %w", pool, err)
	}
	for _, name := range []string{schedule.DefaultQueue, queue} {
		_, err = tx.ExecContext(ctx, `INSERT INTO work_queue (pool, name, priority, slots, paused, created) VALUES (?, ?, ?, 0, false, ?)
			ON CONFLICT DO NOTHING`, pool, name, worker.DefaultPriority, at)
		if err != nil {
			return fmt.Errorf("make work queue %s of %s: %w", name, pool, err)
		}
	}
	return nil
}

// CreatePool makes a work pool with a default queue. One of that name is refused.
func (s *Store) CreatePool(ctx context.Context, p worker.Pool) (worker.Pool, error) {
	p.Type = orText(p.Type, worker.Process)
	switch {
	case p.Type != worker.Process:
		return p, fmt.Errorf("work pool type %q: there is only %q", p.Type, worker.Process)
	case p.Limit < 0:
		return p, fmt.Errorf("work pool limit %d: want at least 1, or none", p.Limit)
	}
	if _, err := (schedule.Deployment{Flow: "f", Name: "n", Pool: p.Name}).Normalize(now()); err != nil || p.Name == "" {
		return p, errors.Join(fmt.Errorf("work pool name %q", p.Name), err)
	}
	p.Created = now()
	err := s.change(func(tx *sqlite.Tx) error {
		if _, err := poolByName(ctx, tx, p.Name); err == nil {
			return fmt.Errorf("%w: there is a work pool %s already", errRefused, p.Name)
		} else if !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		if err := ensureQueue(ctx, tx, p.Name, schedule.DefaultQueue); err != nil {
			return err
		}
		return putPool(ctx, tx, p)
	})
	return p, err
}

func orText(text, def string) string {
	if text == "" {
		return def
	}
	return text
}

func putPool(ctx context.Context, tx *sqlite.Tx, p worker.Pool) error {
	_, err := tx.ExecContext(ctx, `UPDATE work_pool SET type = ?, description = ?, slots = ?, paused = ?, created = ? WHERE name = ?`,
		p.Type, p.Description, p.Limit, p.Paused, micros(p.Created), p.Name)
	if err != nil {
		return fmt.Errorf("record work pool %s: %w", p.Name, err)
	}
	return nil
}

const poolColumns = `name, type, description, slots, paused, created`

func scanPool(row scanner) (p worker.Pool, err error) {
	var created sql.NullInt64
	err = row.Scan(&p.Name, &p.Type, &p.Description, &p.Limit, &p.Paused, &created)
	p.Created = fromMicros(created)
	return p, err
}

func poolByName(ctx context.Context, q querier, name string) (worker.Pool, error) {
	p, err := scanPool(q.QueryRowContext(ctx, `SELECT `+poolColumns+` FROM work_pool WHERE name = ?`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("work pool %s: %w", name, engine.ErrNotFound)
	}
	return p, err
}

// Pools returns all work pools, by name. The default one is made by the first who
// uses it.
func (s *Store) Pools(ctx context.Context) ([]worker.Pool, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+poolColumns+` FROM work_pool ORDER BY name`)
	return collect(rows, err, scanPool)
}

// Pool returns one work pool, or ErrNotFound.
func (s *Store) Pool(ctx context.Context, name string) (worker.Pool, error) {
	return poolByName(ctx, s.db.Read(), name)
}

// ChangePool lets edit change a pool. Its name stays.
func (s *Store) ChangePool(ctx context.Context, name string, edit func(*worker.Pool)) (p worker.Pool, err error) {
	err = s.change(func(tx *sqlite.Tx) error {
		if p, err = poolByName(ctx, tx, name); err != nil {
			return err
		}
		edit(&p)
		p.Name = name
		return putPool(ctx, tx, p)
	})
	return p, err
}

// DeletePool deletes a pool and its queues, unless a deployment or a run that has
// not ended is in it.
func (s *Store) DeletePool(ctx context.Context, name string) error {
	return s.change(func(tx *sqlite.Tx) error {
		if _, err := poolByName(ctx, tx, name); err != nil {
			return err
		}
		var deployments, runs int
		err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM deployment WHERE json_extract(spec, '$.work_pool') = ?1),
			(SELECT count(*) FROM flow_run WHERE pool = ?1 AND parent_id IS NULL AND `+unfinished+`)`, name).Scan(&deployments, &runs)
		if err != nil {
			return err
		}
		if deployments+runs > 0 {
			return fmt.Errorf("%w: work pool %s has %d deployments and %d runs that have not ended", errRefused, name, deployments, runs)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM work_pool WHERE name = ?`, name)
		return err
	})
}

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

// Workers returns the workers of a pool, of all pools where pool is empty, with
// whether they live.
func (s *Store) Workers(ctx context.Context, pool string) (list []worker.Status, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, info, seen, owner, (SELECT count(*) FROM flow_run WHERE worker = worker.id)
		FROM worker WHERE ? IN ('', pool) ORDER BY pool, seen DESC`, pool)
	return collect(rows, err, s.scanWorker(now()))
}

func (s *Store) scanWorker(at time.Time) func(scanner) (worker.Status, error) {
	return func(row scanner) (w worker.Status, err error) {
		var info, id, owner string
		var seen sql.NullInt64
		if err := row.Scan(&id, &info, &seen, &owner, &w.Running); err != nil {
			return w, err
		}
		if err := json.Unmarshal([]byte(info), &w.Info); err != nil {
			return w, err
		}
		w.ID, w.Seen = id, fromMicros(seen)
		// A process of this machine has a lock that shows whether it lives, whatever
		// the clocks say.
		if owner == "" {
			w.Online = w.Info.Online(at)
			return w, nil
		}
		w.Online, err = s.owner.lives(owner)
		return w, err
	}
}

// Preview returns the runs that a worker of the pool would take, in the order in
// which it would, those that are not due yet last. Queues, where given, are those
// that the worker takes runs of.
func (s *Store) Preview(ctx context.Context, pool string, queues []string, limit int) (due []worker.Due, err error) {
	at := now()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT flow_run.queue, `+prefixed(flowRunColumns)+` FROM flow_run
		LEFT JOIN work_queue q ON q.pool = flow_run.pool AND q.name = flow_run.queue
		WHERE flow_run.pool = ?1 AND `+waitingWork+` AND (?2 = '[]' OR flow_run.queue IN (SELECT value FROM json_each(?2)))
		ORDER BY coalesce(next_start, 0) > ?3, CASE WHEN coalesce(next_start, 0) > ?3 THEN 0 ELSE coalesce(q.priority, 100) END,
			coalesce(next_start, 0), expected_start, flow_run.id LIMIT ?4`, pool, list(queues), micros(at), limit)
	due, err = collect(rows, err, func(row scanner) (d worker.Due, err error) {
		d.FlowRun, err = scanFlowRun(leading{row, &d.Queue})
		return d, err
	})
	for i := range due {
		if err == nil {
			due[i].Why, err = s.why(ctx, s.db.Read(), due[i].ID, at)
		}
	}
	return due, err
}

// leading is a row with one more column before those that are scanned.
type leading struct {
	scanner
	first any
}

func (l leading) Scan(to ...any) error { return l.scanner.Scan(append([]any{l.first}, to...)...) }

// prefixed names the columns as flow_run's.
func prefixed(columns string) string {
	names := strings.Split(columns, ",")
	for i := range names {
		names[i] = "flow_run." + strings.TrimSpace(names[i])
	}
	return strings.Join(names, ", ")
}

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

// activeWork are runs that a worker has claimed or a process carries out.
const activeWork = `parent_id IS NULL AND ` + unfinished + ` AND (owner <> '' OR worker <> '')`
