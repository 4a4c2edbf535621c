package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// TryAcquire implements engine.History. Names that have no limit cost one look
// and no write.
func (s *Store) TryAcquire(ctx context.Context, h engine.Holder, names []string) (full engine.Limit, err error) {
	set := map[string]int{}
	for _, name := range names {
		if strings.HasPrefix(name, engine.ExclusivePrefix) {
			set[name] = 1
			continue
		}
		var slots int
		err := s.db.Read().QueryRowContext(ctx, `SELECT slots FROM concurrency_limit WHERE name = ?`, name).Scan(&slots)
		if err == nil {
			set[name] = slots
		} else if !errors.Is(err, sql.ErrNoRows) {
			return full, fmt.Errorf("read the limit of %s: %w", name, err)
		}
	}
	if len(set) == 0 {
		return full, nil
	}
	if err := s.owner.hold(); err != nil {
		return full, fmt.Errorf("hold a slot: %w", err)
	}
	err = s.writer.write(func(b *batch) (err error) {
		full, err = s.tryAcquire(ctx, b.tx, h, names, set)
		return err
	})
	return full, err
}

func (s *Store) tryAcquire(ctx context.Context, tx *sqlite.Tx, h engine.Holder, names []string, set map[string]int) (engine.Limit, error) {
	for cleaned := false; ; cleaned = true {
		full := engine.Limit{}
		for _, name := range names {
			slots, limited := set[name]
			if !limited {
				continue
			}
			holders, err := s.holders(ctx, tx, name)
			if err != nil {
				return full, err
			}
			if !has(holders, h) && len(holders) >= slots {
				full = engine.Limit{Name: name, Slots: slots, Holders: holders}
				break
			}
		}
		switch {
		case full.Name != "" && (cleaned || full.Slots == 0):
			return full, nil
		case full.Name != "": // perhaps its holders are gone
			if err := s.freeSlots(ctx, tx); err != nil {
				return full, err
			}
			continue
		}
		for name := range set {
			if _, err := tx.ExecContext(ctx, `INSERT INTO limit_holder (name, flow_run_id, task_key, owner) VALUES (?, ?, ?, ?)
				ON CONFLICT DO NOTHING`, name, h.FlowRunID, h.TaskKey, s.owner.id); err != nil {
				return full, fmt.Errorf("take a slot of %s: %w", name, err)
			}
		}
		return full, nil
	}
}

func has(holders []engine.Holder, h engine.Holder) bool {
	for _, other := range holders {
		if other == h {
			return true
		}
	}
	return false
}

type rowsQuerier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func (s *Store) holders(ctx context.Context, q rowsQuerier, name string) ([]engine.Holder, error) {
	rows, err := q.QueryContext(ctx, `SELECT flow_run_id, task_key FROM limit_holder WHERE name = ? ORDER BY flow_run_id, task_key`, name)
	return collect(rows, err, func(row scanner) (h engine.Holder, err error) {
		return h, row.Scan(&h.FlowRunID, &h.TaskKey)
	})
}

// freeSlots removes the holders whose process is gone.
func (s *Store) freeSlots(ctx context.Context, tx *sqlite.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT owner FROM limit_holder`)
	owners, err := collect(rows, err, func(row scanner) (owner string, err error) { return owner, row.Scan(&owner) })
	if err != nil {
		return fmt.Errorf("read who holds slots: %w", err)
	}
	for _, owner := range owners {
		alive, err := s.owner.lives(owner)
		if err != nil {
			return err
		}
		if !alive {
			if _, err := tx.ExecContext(ctx, `DELETE FROM limit_holder WHERE owner = ?`, owner); err != nil {
				return fmt.Errorf("free the slots of a process that is gone: %w", err)
			}
		}
	}
	return nil
}

// Release implements engine.History.
func (s *Store) Release(ctx context.Context, h engine.Holder) error {
	var holds bool // most calls hold nothing, which needs no write
	err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM limit_holder WHERE flow_run_id = ? AND task_key = ?)`,
		h.FlowRunID, h.TaskKey).Scan(&holds)
	if err == nil && holds {
		err = s.writer.write(func(b *batch) error {
			_, err := b.tx.ExecContext(ctx, `DELETE FROM limit_holder WHERE flow_run_id = ? AND task_key = ?`, h.FlowRunID, h.TaskKey)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("give back the slots of %s in flow run %s: %w", h.TaskKey, h.FlowRunID, err)
	}
	return nil
}

// SetLimit implements engine.History.
func (s *Store) SetLimit(ctx context.Context, name string, slots int) error {
	err := s.writer.write(func(b *batch) (err error) {
		if slots < 0 {
			_, err = b.tx.ExecContext(ctx, `DELETE FROM concurrency_limit WHERE name = ?`, name)
		} else {
			_, err = b.tx.ExecContext(ctx, `INSERT INTO concurrency_limit (name, slots) VALUES (?, ?)
				ON CONFLICT (name) DO UPDATE SET slots = excluded.slots`, name, slots)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("set the limit of %s: %w", name, err)
	}
	return nil
}

// Limits implements engine.History.
func (s *Store) Limits(ctx context.Context) ([]engine.Limit, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT name, slots FROM concurrency_limit ORDER BY name`)
	limits, err := collect(rows, err, func(row scanner) (l engine.Limit, err error) { return l, row.Scan(&l.Name, &l.Slots) })
	if err != nil {
		return nil, fmt.Errorf("read the limits: %w", err)
	}
	for i := range limits {
		if limits[i].Holders, err = s.holders(ctx, s.db.Read(), limits[i].Name); err != nil {
			return nil, fmt.Errorf("read who holds %s: %w", limits[i].Name, err)
		}
	}
	return limits, nil
}
