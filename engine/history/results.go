package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// inlineSize is the largest result kept in the database itself, in bytes.
const inlineSize = 64 << 10

const insertResult = `INSERT INTO result (ref, data) VALUES (?, ?) ON CONFLICT DO NOTHING`

// putResult stores the bytes of a result, or says that they are in a file.
func (b *batch) putResult(r engine.Result) error {
	inline := r.Data
	if len(inline) > inlineSize {
		inline = nil
	}
	if _, err := b.exec(insertResult, r.Ref, inline); err != nil {
		return fmt.Errorf("store result %s: %w", r.Ref, err)
	}
	return nil
}

func blobName(ref string) string { return ref[:2] + "/" + ref }

func (s *Store) putBlob(ctx context.Context, r engine.Result) error {
	if info, err := s.blobs.Stat(blobName(r.Ref)); err == nil && time.Since(info.ModTime) < freshBlob/2 {
		if _, err := s.readBlob(r.Ref); err == nil {
			return nil // named by its content: it is there, and Prune leaves it
		}
	}
	if _, err := s.blobs.Put(ctx, blobName(r.Ref), bytes.NewReader(r.Data)); err != nil {
		return fmt.Errorf("store a result: %w", err)
	}
	return nil
}

// KeepResult keeps the bytes of a result, of which ref is the SHA-256, before the
// holder of a lease writes what names it.
func (s *Store) KeepResult(ctx context.Context, ref string, data []byte) error {
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != ref {
		return fmt.Errorf("%w: the SHA-256 of the result is not %s", errRefused, ref)
	}
	return s.putBlob(ctx, engine.Result{Ref: ref, Size: int64(len(data)), Data: data})
}

// ReadResult implements engine.History.
func (s *Store) ReadResult(ctx context.Context, r engine.Result) ([]byte, error) {
	if data, ok := r.Inline(); ok {
		return data, nil
	}
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

func (b *batch) putCache(e engine.CacheEntry) error {
	_, err := b.exec(`INSERT INTO cache (key, flow_run_id, codec, digest, size, ref, expires) VALUES (?,?,?,?,?,?,?)
		ON CONFLICT (key) DO UPDATE SET flow_run_id = excluded.flow_run_id, codec = excluded.codec, digest = excluded.digest,
			size = excluded.size, ref = excluded.ref, expires = excluded.expires`,
		e.Key, e.FlowRunID, e.Result.Codec, e.Result.Digest, e.Result.Size, e.Result.Ref, micros(e.Expires))
	if err != nil {
		return fmt.Errorf("keep a result of flow run %s for later runs: %w", e.FlowRunID, err)
	}
	return nil
}

// Cached implements engine.History. An entry whose file is gone, or has another
// size, is no entry; that its bytes are what they were, ReadResult sees.
func (s *Store) Cached(ctx context.Context, key string) (engine.CacheEntry, error) {
	e := engine.CacheEntry{Key: key}
	var expires sql.NullInt64
	var there, inFile bool
	err := s.db.Read().QueryRowContext(ctx, `
		SELECT flow_run_id, codec, digest, size, cache.ref, expires, result.ref IS NOT NULL, data IS NULL AND size > 0
		FROM cache LEFT JOIN result ON result.ref = cache.ref WHERE key = ? AND coalesce(expires > ?, true)`, key, time.Now().UnixMicro()).
		Scan(&e.FlowRunID, &e.Result.Codec, &e.Result.Digest, &e.Result.Size, &e.Result.Ref, &expires, &there, &inFile)
	if errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("cache entry: %w", engine.ErrNotFound)
	}
	if err != nil {
		return e, fmt.Errorf("read the cache: %w", err)
	}
	e.Expires = fromMicros(expires)
	if _, inline := e.Result.Inline(); inline {
		return e, nil
	}
	if there && inFile {
		info, err := s.blobs.Stat(blobName(e.Result.Ref))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return e, fmt.Errorf("look for cached result %s: %w", e.Result.Ref, err)
		}
		there = err == nil && info.Size == e.Result.Size
	}
	if !there {
		return e, fmt.Errorf("cached result %s: %w", e.Result.Ref, engine.ErrNotFound)
	}
	return e, nil
}
