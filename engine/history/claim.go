package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

var _ worker.Source = (*Store)(nil)

// Beat implements worker.Source.
func (s *Store) Beat(ctx context.Context, w worker.Info, running []string) (end []string, err error) {
	if err := s.owner.hold(); err != nil {
		return nil, fmt.Errorf("say that worker %s lives: %w", w.Name, err)
	}
	return s.BeatFor(ctx, w, s.owner.id, running)
}

// BeatFor is Beat for a worker of another process: one whose lock is called owner,
// or, where that is empty, one that lives as long as it says so often enough.
func (s *Store) BeatFor(ctx context.Context, w worker.Info, owner string, running []string) (end []string, err error) {
	info, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	err = s.writer.write(func(b *batch) error {
		end = nil
		at := now()
		if err := ensureQueue(ctx, b.tx, w.Pool, schedule.DefaultQueue); err != nil {
			return err
		}
		_, err := b.tx.ExecContext(ctx, `INSERT INTO worker (id, pool, info, seen, owner) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (id) DO UPDATE SET pool = ?2, info = ?3, seen = ?4, owner = ?5`, w.ID, w.Pool, string(info), micros(at), owner)
		if err != nil {
			return fmt.Errorf("record worker %s: %w", w.Name, err)
		}
		_, err = b.tx.ExecContext(ctx, `UPDATE work_queue SET polled = ?1 WHERE pool = ?2 AND (?3 = '[]' OR name IN (SELECT value FROM json_each(?3)))`,
			micros(at), w.Pool, list(w.Queues))
		if err != nil {
			return fmt.Errorf("record the queues of worker %s: %w", w.Name, err)
		}
		rows, err := b.tx.QueryContext(ctx, `SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM flow_run
			WHERE id = value AND worker = ? AND state_type <> 'CANCELLING' AND `+unfinished+`)`, list(running), w.ID)
		end, err = collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
		return err
	})
	return end, err
}

// Leave implements worker.Source.
func (s *Store) Leave(ctx context.Context, workerID string) error {
	return s.change(func(tx *sqlite.Tx) error {
		if err := s.returnClaims(ctx, tx, workerID, "its worker has ended", now()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM worker WHERE id = ?`, workerID)
		return err
	})
}

// Wait implements worker.Source. Of what other processes write it learns within a
// tenth of a second.
func (s *Store) Wait(ctx context.Context) error {
	changed := s.watch.next()
	defer s.watch.leave()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Claim implements worker.Source.
func (s *Store) Claim(ctx context.Context, w worker.Info, most int, before time.Time) (runs []engine.FlowRun, next time.Time, err error) {
	const waiting = `SELECT min(coalesce(next_start, 0)) FROM flow_run WHERE pool = ? AND ` + waitingWork + ` AND coalesce(next_start, 0) > ?`
	first := func(after int64) (sql.NullInt64, error) {
		var at sql.NullInt64
		err := s.db.Read().QueryRowContext(ctx, waiting, w.Pool, after).Scan(&at)
		return at, err
	}
	// Most often there is nothing to do, which needs no write lock.
	due, err := first(-1)
	if err != nil {
		return nil, next, fmt.Errorf("look for work in pool %s: %w", w.Pool, err)
	}
	if due.Valid && due.Int64 <= before.UnixMicro() {
		err = s.writer.write(func(b *batch) (err error) {
			runs, err = s.claim(ctx, b.tx, w, most, before)
			return err
		})
		if err != nil {
			return nil, next, fmt.Errorf("take work of pool %s: %w", w.Pool, err)
		}
		if due, err = first(before.UnixMicro()); err != nil {
			return runs, next, fmt.Errorf("look for work in pool %s: %w", w.Pool, err)
		}
	}
	return runs, fromMicros(due), nil
}

// activeWork are runs that a worker has claimed or a process carries out.
const activeWork = `parent_id IS NULL AND ` + unfinished + ` AND (owner <> '' OR worker <> '')`

// room counts down what limits leave free; a limit of 0 is none.
type room struct{ limit, active, priority int }

func (r room) full() bool { return r.limit > 0 && r.active >= r.limit }

func (s *Store) claim(ctx context.Context, tx *sqlite.Tx, w worker.Info, most int, before time.Time) ([]engine.FlowRun, error) {
	p, err := poolByName(ctx, tx, w.Pool)
	if err != nil || p.Paused {
		return nil, err
	}
	pool := room{limit: p.Limit}
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM flow_run WHERE pool = ? AND `+activeWork, w.Pool).Scan(&pool.active); err != nil {
		return nil, err
	}
	deployments, err := s.deploymentRoom(ctx, tx)
	if err != nil {
		return nil, err
	}
	queues, err := s.queueRoom(ctx, tx, w)
	if err != nil {
		return nil, err
	}
	var runs []engine.FlowRun
	for !pool.full() && len(runs) < most {
		c, err := s.candidate(ctx, tx, w, before, queues, full(deployments))
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, err
		}
		err = s.enter(ctx, tx, c.id, now(), engine.TypePending, engine.NamePending, "claimed by worker "+w.Name, nil)
		if err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE flow_run SET worker = ? WHERE id = ?`, w.ID, c.id); err != nil {
			return nil, err
		}
		run, err := oneFlowRun(ctx, tx, `id = ?`, c.id)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
		pool.active++
		for rooms, name := range map[*map[string]room]string{&queues: c.queue, &deployments: c.deployment} {
			if r, ok := (*rooms)[name]; ok {
				r.active++
				(*rooms)[name] = r
			}
		}
	}
	return runs, nil
}

type candidate struct{ id, queue, deployment string }

// candidate is the most urgent run that is due and may be begun.
func (s *Store) candidate(ctx context.Context, tx *sqlite.Tx, w worker.Info, before time.Time, queues map[string]room, fullDeployments []string) (c candidate, err error) {
	levels := map[int][]string{}
	for name, q := range queues {
		if !q.full() {
			levels[q.priority] = append(levels[q.priority], name)
		}
	}
	err = sql.ErrNoRows
	for _, level := range slices.Sorted(maps.Keys(levels)) {
		err = tx.QueryRowContext(ctx, `SELECT id, queue, flow || '/' || deployment FROM flow_run INDEXED BY flow_run_due
			WHERE pool = ?1 AND `+waitingWork+` AND coalesce(next_start, 0) <= ?2 AND queue IN (SELECT value FROM json_each(?3))
				AND (?4 = '[]' OR flow || '/' || deployment NOT IN (SELECT value FROM json_each(?4)))
				AND (?5 = '[]' OR flow IN (SELECT value FROM json_each(?5)))
			ORDER BY coalesce(next_start, 0), expected_start, id LIMIT 1`,
			w.Pool, before.UnixMicro(), list(levels[level]), list(fullDeployments), list(w.Flows)).Scan(&c.id, &c.queue, &c.deployment)
		if !errors.Is(err, sql.ErrNoRows) {
			break
		}
	}
	return c, err
}

func full(rooms map[string]room) (names []string) {
	for name, r := range rooms {
		if r.full() {
			names = append(names, name)
		}
	}
	return names
}

// queueRoom is what is free in the queues that the worker takes runs of.
func (s *Store) queueRoom(ctx context.Context, tx *sqlite.Tx, w worker.Info) (map[string]room, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, slots, priority,
			CASE WHEN slots = 0 THEN 0 ELSE (SELECT count(*) FROM flow_run WHERE flow_run.pool = work_queue.pool AND queue = work_queue.name AND `+activeWork+`) END
		FROM work_queue WHERE pool = ?1 AND NOT paused AND (?2 = '[]' OR name IN (SELECT value FROM json_each(?2)))`, w.Pool, list(w.Queues))
	rooms := map[string]room{}
	_, err = collect(rows, err, func(row scanner) (name string, err error) {
		var r room
		err = row.Scan(&name, &r.limit, &r.priority, &r.active)
		rooms[name] = r
		return name, err
	})
	return rooms, err
}

// deploymentRoom is what the limits of deployments leave free. Where one has none
// left and asks for it, the runs that are due by now are cancelled.
func (s *Store) deploymentRoom(ctx context.Context, tx *sqlite.Tx) (map[string]room, error) {
	cancel := map[string]bool{}
	rows, err := tx.QueryContext(ctx, `SELECT flow || '/' || name, slots,
			(SELECT count(*) FROM flow_run WHERE flow_run.flow = deployment.flow AND deployment = deployment.name AND deployment <> '' AND `+activeWork+`), collision
		FROM deployment WHERE slots > 0`)
	rooms := map[string]room{}
	_, err = collect(rows, err, func(row scanner) (name string, err error) {
		var r room
		var collision schedule.Collision
		err = row.Scan(&name, &r.limit, &r.active, &collision)
		rooms[name], cancel[name] = r, collision == schedule.CancelNew
		return name, err
	})
	if err != nil {
		return nil, err
	}
	at := now()
	for name, r := range rooms {
		if !cancel[name] || !r.full() {
			continue
		}
		rows, err := tx.QueryContext(ctx, `SELECT id FROM flow_run WHERE flow || '/' || deployment = ? AND `+waitingWork+` AND coalesce(next_start, 0) <= ?`, name, micros(at))
		ids, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			message := fmt.Sprintf("deployment %s has %d of %d runs at once, and cancels new ones", name, r.active, r.limit)
			if err := s.enter(ctx, tx, id, at, engine.TypeCancelled, engine.NameCancelled, message, nil); err != nil {
				return nil, err
			}
		}
	}
	return rooms, nil
}
