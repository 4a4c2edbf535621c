package history

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"time"
)

// Pruned is what Prune has removed.
type Pruned struct {
	Runs    int   // at the top, each with all below it
	Entries int   // of the cache
	Results int   // that nobody refers to any more
	Bytes   int64 // of files
}

const (
	pruneAtOnce = 200 // runs a transaction: others write in between
	// freshBlob is how old a file must be to be removed: a younger one may belong to
	// a result whose row is about to be written. One that is to be used again is
	// written anew before it gets that old.
	freshBlob = 24 * time.Hour
)

// Prune removes the runs that ended longer than keep ago, cached results that have
// expired, and the results that nothing refers to any more.
func (s *Store) Prune(ctx context.Context, keep time.Duration) (p Pruned, err error) {
	before := now().Add(-keep).UnixMicro()
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		var n int64
		err := s.writer.write(func(b *batch) (err error) {
			n, err = removed(b.tx.ExecContext(ctx, `DELETE FROM flow_run WHERE id IN (
				SELECT id FROM flow_run WHERE parent_id IS NULL AND NOT (`+unfinished+`) AND coalesce(end_time, state_time) < ? LIMIT ?)`, before, pruneAtOnce))
			return err
		})
		if err != nil {
			return p, fmt.Errorf("remove old flow runs: %w", err)
		}
		p.Runs += int(n)
		more = n > 0
	}
	err = s.writer.write(func(b *batch) error {
		entries, err := removed(b.tx.ExecContext(ctx, `DELETE FROM cache WHERE expires < ?`, now().UnixMicro()))
		if err != nil {
			return err
		}
		results, err := removed(b.tx.ExecContext(ctx, `DELETE FROM result WHERE ref NOT IN (SELECT ref FROM cache)
			AND ref NOT IN (SELECT ref FROM task_run WHERE ref IS NOT NULL)`))
		p.Entries, p.Results = int(entries), int(results)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("remove results that are not used: %w", err)
	}
	if err := s.dropEvents(ctx); err != nil {
		return p, err
	}
	p.Bytes, err = s.pruneFiles(ctx)
	return p, err
}

func removed(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// pruneFiles removes files of results that no row names: of those that were removed,
// and of processes that ended before they wrote the row.
func (s *Store) pruneFiles(ctx context.Context) (bytes int64, err error) {
	folders, err := s.blobs.List("")
	if err != nil {
		return 0, err
	}
	for _, folder := range folders {
		files, err := s.blobs.List(folder.Name)
		if err != nil {
			return bytes, err
		}
		for _, f := range files {
			if f.IsDir || time.Since(f.ModTime) < freshBlob {
				continue
			}
			var used bool
			if err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM result WHERE ref = ?)`, path.Base(f.Name)).Scan(&used); err != nil {
				return bytes, fmt.Errorf("look for the use of %s: %w", f.Name, err)
			}
			if used {
				continue
			}
			if err := s.blobs.Delete(f.Name); err != nil {
				return bytes, err
			}
			bytes += f.Size
		}
	}
	return bytes, nil
}
