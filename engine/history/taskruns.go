package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// inlineSize is the largest result kept in the database itself, in bytes.
const inlineSize = 64 << 10

const taskRunColumns = `flow_run_id, key, name, call_order, state_type, state_name, state_message, state_time, attempts, input_digest,
	codec, digest, size, ref, cached_from, subflow_id, depends_on, start_time, end_time`

func scanTaskRun(row scanner) (t engine.TaskRun, err error) {
	var codec, digest, ref sql.NullString
	var size, stateTime, start, end sql.NullInt64
	var dependsOn string
	err = row.Scan(&t.FlowRunID, &t.Key, &t.Name, &t.Order, &t.State.Type, &t.State.Name, &t.State.Message, &stateTime, &t.Attempts, &t.InputDigest,
		&codec, &digest, &size, &ref, &t.CachedFrom, &t.SubflowID, &dependsOn, &start, &end)
	if err != nil {
		return t, err
	}
	t.State.Time, t.Start, t.End = fromMicros(stateTime), fromMicros(start), fromMicros(end)
	if ref.Valid {
		t.Result = &engine.Result{Codec: codec.String, Digest: digest.String, Size: size.Int64, Ref: ref.String}
	}
	return t, json.Unmarshal([]byte(dependsOn), &t.DependsOn)
}

// TaskRuns implements engine.History.
func (s *Store) TaskRuns(ctx context.Context, flowRunID string) ([]engine.TaskRun, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+taskRunColumns+` FROM task_run WHERE flow_run_id = ? ORDER BY call_order, seq`, flowRunID)
	return collect(rows, err, scanTaskRun)
}

// PutTaskRun implements engine.History. A large result becomes a file before
// the transaction that names it begins.
func (s *Store) PutTaskRun(ctx context.Context, t engine.TaskRun, entry *engine.CacheEntry) error {
	dependsOn, err := json.Marshal(t.DependsOn)
	if err != nil {
		return err
	}
	var r engine.Result
	if t.Result != nil {
		r = *t.Result
	}
	if len(r.Data) > inlineSize {
		if err := s.putBlob(ctx, r); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.mayWriteTask(ctx, tx, t.FlowRunID); err != nil {
			return err
		}
		if r.Data != nil {
			inline := r.Data
			if len(inline) > inlineSize {
				inline = nil
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO result (ref, data) VALUES (?, ?) ON CONFLICT DO NOTHING`, r.Ref, inline); err != nil {
				return fmt.Errorf("store the result of %s: %w", t.Key, err)
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO task_run (`+taskRunColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (flow_run_id, key) DO UPDATE SET name = excluded.name, call_order = excluded.call_order, state_type = excluded.state_type,
				state_name = excluded.state_name, state_message = excluded.state_message, state_time = excluded.state_time,
				attempts = excluded.attempts, input_digest = excluded.input_digest, codec = excluded.codec, digest = excluded.digest,
				size = excluded.size, ref = excluded.ref, cached_from = excluded.cached_from, subflow_id = excluded.subflow_id,
				depends_on = excluded.depends_on, start_time = excluded.start_time, end_time = excluded.end_time`,
			t.FlowRunID, t.Key, t.Name, t.Order, t.State.Type, t.State.Name, t.State.Message, t.State.Time.UnixMicro(), t.Attempts, t.InputDigest,
			text(r.Codec), text(r.Digest), sql.NullInt64{Int64: r.Size, Valid: t.Result != nil}, text(r.Ref),
			t.CachedFrom, t.SubflowID, string(dependsOn), micros(t.Start), micros(t.End))
		if err != nil {
			return fmt.Errorf("record task %s of flow run %s: %w", t.Key, t.FlowRunID, err)
		}
		if entry != nil {
			if err := putCache(ctx, tx, *entry); err != nil {
				return err
			}
		}
		return appendState(ctx, tx, t.FlowRunID, t.Key, t.State)
	})
}

// mayWriteTask is mayWrite for a run that may be a subflow's.
func (s *Store) mayWriteTask(ctx context.Context, tx *sql.Tx, flowRunID string) error {
	var rootID string
	err := tx.QueryRowContext(ctx, `SELECT root_id FROM flow_run WHERE id = ?`, flowRunID).Scan(&rootID)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("flow run %s: %w", flowRunID, engine.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("read flow run %s: %w", flowRunID, err)
	}
	return s.mayWrite(ctx, tx, rootID)
}

func blobName(ref string) string { return ref[:2] + "/" + ref }

func (s *Store) putBlob(ctx context.Context, r engine.Result) error {
	if _, err := s.readBlob(r.Ref); err == nil {
		return nil // named by its content: it is there
	}
	if _, err := s.blobs.Put(ctx, blobName(r.Ref), bytes.NewReader(r.Data)); err != nil {
		return fmt.Errorf("store a result: %w", err)
	}
	return nil
}

// ReadResult implements engine.History.
func (s *Store) ReadResult(ctx context.Context, r engine.Result) ([]byte, error) {
	var data []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT data FROM result WHERE ref = ?`, r.Ref).Scan(&data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("result %s: %w", r.Ref, engine.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read result %s: %w", r.Ref, err)
	case data != nil || r.Size == 0:
		return data, nil
	}
	return s.readBlob(r.Ref)
}

// readBlob returns the bytes of a large result, if they are still what they were.
func (s *Store) readBlob(ref string) ([]byte, error) {
	data, err := s.blobs.ReadFile(blobName(ref))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("result %s: %w", ref, engine.ErrNotFound)
	}
	if sum := sha256.Sum256(data); err == nil && hex.EncodeToString(sum[:]) != ref {
		err = errors.New("its file has been changed")
	}
	if err != nil {
		return nil, fmt.Errorf("read result %s: %w", ref, err)
	}
	return data, nil
}

func putCache(ctx context.Context, tx *sql.Tx, e engine.CacheEntry) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO cache (key, flow_run_id, codec, digest, size, ref, expires) VALUES (?,?,?,?,?,?,?)
		ON CONFLICT (key) DO UPDATE SET flow_run_id = excluded.flow_run_id, codec = excluded.codec, digest = excluded.digest,
			size = excluded.size, ref = excluded.ref, expires = excluded.expires`,
		e.Key, e.FlowRunID, e.Result.Codec, e.Result.Digest, e.Result.Size, e.Result.Ref, micros(e.Expires))
	if err != nil {
		return fmt.Errorf("keep a result of flow run %s for later runs: %w", e.FlowRunID, err)
	}
	return nil
}

// Cached implements engine.History. An entry whose file is gone, or has been
// changed, is no entry.
func (s *Store) Cached(ctx context.Context, key string) (engine.CacheEntry, error) {
	e := engine.CacheEntry{Key: key}
	var expires sql.NullInt64
	var inline bool
	err := s.db.Read().QueryRowContext(ctx, `
		SELECT flow_run_id, codec, digest, size, cache.ref, expires, data IS NOT NULL OR size = 0
		FROM cache JOIN result ON result.ref = cache.ref WHERE key = ? AND coalesce(expires > ?, true)`, key, time.Now().UnixMicro()).
		Scan(&e.FlowRunID, &e.Result.Codec, &e.Result.Digest, &e.Result.Size, &e.Result.Ref, &expires, &inline)
	if errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("cache entry: %w", engine.ErrNotFound)
	}
	if err != nil {
		return e, fmt.Errorf("read the cache: %w", err)
	}
	e.Expires = fromMicros(expires)
	if !inline {
		if _, err := s.readBlob(e.Result.Ref); err != nil {
			return e, fmt.Errorf("cached result %s: %w: %w", e.Result.Ref, engine.ErrNotFound, err)
		}
	}
	return e, nil
}
