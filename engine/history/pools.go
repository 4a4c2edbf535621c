package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
