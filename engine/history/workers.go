package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/taximeter/taximeter/engine/worker"
)

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
