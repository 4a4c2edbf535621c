package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

const artifactColumns = `id, key, version, type, description, data, flow_run_id, task_key, created, updated`

func scanArtifact(row scanner) (a engine.Artifact, err error) {
	var data string
	var created, updated sql.NullInt64
	err = row.Scan(&a.ID, &a.Key, &a.Version, &a.Type, &a.Description, &data, &a.FlowRunID, &a.TaskKey, &created, &updated)
	a.Data, a.Created, a.Updated = []byte(data), fromMicros(created), fromMicros(updated)
	return a, err
}

// PutArtifact implements engine.History.
func (s *Store) PutArtifact(ctx context.Context, a engine.Artifact) (engine.Artifact, error) {
	err := s.writer.write(func(b *batch) error {
		if err := b.mayWrite(s, a.FlowRunID); err != nil {
			return err
		}
		old, err := scanArtifact(b.tx.QueryRowContext(ctx, `SELECT `+artifactColumns+` FROM artifact WHERE id = ?`, a.ID))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return insertArtifact(ctx, b.tx, &a)
		case err != nil:
			return fmt.Errorf("read artifact %s: %w", a.ID, err)
		case old.Key != a.Key || old.FlowRunID != a.FlowRunID:
			return fmt.Errorf("artifact %s is %s of flow run %s: %w", a.ID, old, old.FlowRunID, errRefused)
		}
		a.Version, a.Created = old.Version, old.Created
		_, err = b.exec(`UPDATE artifact SET type = ?, description = ?, data = ?, updated = ? WHERE id = ?`,
			a.Type, a.Description, string(a.Data), a.Updated.UnixMicro(), a.ID)
		return err
	})
	if err == nil {
		s.watch.wake()
	}
	return a, err
}

func insertArtifact(ctx context.Context, tx *sqlite.Tx, a *engine.Artifact) error {
	a.Version = 0
	if a.Key != "" {
		err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) + 1 FROM artifact WHERE key = ? AND key <> ''`, a.Key).Scan(&a.Version)
		if err != nil {
			return fmt.Errorf("count the versions of artifact %s: %w", a.Key, err)
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO artifact (`+artifactColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?)`,
		a.ID, a.Key, a.Version, a.Type, a.Description, string(a.Data), a.FlowRunID, a.TaskKey, a.Created.UnixMicro(), a.Updated.UnixMicro())
	return err
}

// Artifacts implements engine.History.
func (s *Store) Artifacts(ctx context.Context, q engine.ArtifactQuery) ([]engine.Artifact, error) {
	limit := q.Limit
	if limit == 0 {
		limit = -1
	}
	where, args := []string{`true`}, []any{}
	add := func(condition string, value any) {
		where = append(where, condition)
		args = append(args, value)
	}
	if q.Key != "" {
		add(`key = ? AND key <> ''`, q.Key)
	}
	if q.Type != "" {
		add(`type = ?`, q.Type)
	}
	if q.FlowRunID != "" {
		add(`flow_run_id = ?`, q.FlowRunID)
	}
	if q.TaskKey != "" {
		add(`task_key = ?`, q.TaskKey)
	}
	if q.Latest {
		where = append(where, `NOT EXISTS (SELECT 1 FROM artifact later WHERE later.key = artifact.key AND later.key <> '' AND later.version > artifact.version)`)
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+artifactColumns+` FROM artifact WHERE `+strings.Join(where, ` AND `)+
		` ORDER BY created DESC, version DESC, id LIMIT ?`, append(args, limit)...)
	list, err := collect(rows, err, scanArtifact)
	if err != nil {
		return nil, fmt.Errorf("list artifacts: %w", err)
	}
	return list, nil
}

// Artifact returns the artifact that ref names: a key, for its newest version, or
// key@version, or an ID or a prefix of one (4 characters at least) that only one has.
func (s *Store) Artifact(ctx context.Context, ref string) (engine.Artifact, error) {
	condition, args := `key = ?1 AND key <> '' ORDER BY version DESC LIMIT 1`, []any{ref}
	if key, version, ok := strings.Cut(ref, "@"); ok {
		n, err := strconv.Atoi(strings.TrimPrefix(version, "v"))
		if err != nil {
			return engine.Artifact{}, fmt.Errorf("artifact %q: want key@version, such as %s@1: %w", ref, key, engine.ErrNotFound)
		}
		condition, args = `key = ?1 AND key <> '' AND version = ?2`, []any{key, n}
	}
	a, err := scanArtifact(s.db.Read().QueryRowContext(ctx, `SELECT `+artifactColumns+` FROM artifact WHERE `+condition, args...))
	if err == nil {
		return a, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("read artifact %s: %w", ref, err)
	}
	if len(ref) < 4 {
		return a, fmt.Errorf("artifact %q: %w", ref, engine.ErrNotFound)
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+artifactColumns+` FROM artifact WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 3`, ref)
	list, err := collect(rows, err, scanArtifact)
	switch {
	case err != nil:
		return a, fmt.Errorf("read artifact %s: %w", ref, err)
	case len(list) == 0:
		return a, fmt.Errorf("artifact %q: %w", ref, engine.ErrNotFound)
	case len(list) > 1:
		return a, fmt.Errorf("artifact %q is %w: %s, %s, …", ref, engine.ErrAmbiguous, list[0].ID, list[1].ID)
	}
	return list[0], nil
}

// DeleteArtifact removes one artifact by its ID, or says ErrNotFound.
func (s *Store) DeleteArtifact(ctx context.Context, id string) error {
	return s.writer.write(func(b *batch) error {
		n, err := removed(b.tx.ExecContext(ctx, `DELETE FROM artifact WHERE id = ?`, id))
		if err == nil && n == 0 {
			err = fmt.Errorf("artifact %s: %w", id, engine.ErrNotFound)
		}
		return err
	})
}
