package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
)

func noRun(id string) error {
	return registry.Errorf(registry.ResourceDoesNotExist, "Run with id=%s not found", id)
}

// activeRun returns the number of a run that may be written to.
func activeRun(tx *sql.Tx, id string) (n int64, err error) {
	n, _, stage, err := runStage(tx, id)
	if err == nil && stage != registry.Active {
		err = registry.Errorf(registry.InvalidParameterValue, "The run %s must be in the 'active' state. Current state is %s.", id, stage)
	}
	return n, err
}

func runStage(tx *sql.Tx, id string) (n, experiment int64, stage registry.Lifecycle, err error) {
	err = tx.QueryRow(`SELECT n, experiment, stage FROM runs WHERE id = ?`, id).Scan(&n, &experiment, &stage)
	if errors.Is(err, sql.ErrNoRows) {
		err = noRun(id)
	}
	return n, experiment, stage, err
}

// changeRun runs do in a transaction with the number of an active run.
func (s *Store) changeRun(ctx context.Context, id string, do func(tx *sql.Tx, n int64) error) error {
	if err := registry.CheckRunID(id); err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		n, err := activeRun(tx, id)
		if err != nil {
			return err
		}
		return do(tx, n)
	})
}

// CreateRun implements registry.Runs.
func (s *Store) CreateRun(ctx context.Context, r registry.NewRun) (registry.Run, error) {
	if r.ExperimentID == "" {
		r.ExperimentID = registry.DefaultExperiment
	}
	experiment, err := experimentNumber(r.ExperimentID)
	if err != nil {
		return registry.Run{}, err
	}
	name, err := runName(r)
	if err != nil {
		return registry.Run{}, err
	}
	id := newID()
	return writing(ctx, s, func(tx *sql.Tx) (registry.Run, error) {
		location, err := activeLocation(tx, experiment)
		if err != nil {
			return registry.Run{}, err
		}
		made := registry.Run{Info: registry.RunInfo{RunID: id, RunUUID: id, ExperimentID: strconv.FormatInt(experiment, 10), RunName: name, UserID: r.UserID,
			Status: registry.Running, StartTime: r.StartTime, ArtifactURI: below(location, id, "artifacts"), Lifecycle: registry.Active}}
		result, err := tx.Exec(`INSERT INTO runs (id, experiment, name, user_id, status, start_time, artifact_uri) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			id, experiment, name, r.UserID, registry.Running, r.StartTime, made.Info.ArtifactURI)
		if err != nil {
			return registry.Run{}, fmt.Errorf("create run: %w", err)
		}
		n, err := result.LastInsertId()
		if err == nil {
			err = setTags(tx, n, append(r.Tags[:len(r.Tags):len(r.Tags)], registry.Tag{Key: registry.TagRunName, Value: name}))
		}
		if err != nil {
			return registry.Run{}, err
		}
		tags, err := tagsOf[int64](tx, `SELECT run, key, value FROM tags WHERE run = ?`, n)
		made.Data.Tags = tags[n]
		return made, err
	})
}

func runName(r registry.NewRun) (string, error) {
	tag, ok := registry.FindTag(r.Tags, registry.TagRunName)
	switch {
	case ok && r.RunName != "" && tag != r.RunName:
		return "", registry.Errorf(registry.InvalidParameterValue, "Both 'run_name' argument and 'mlflow.runName' tag are specified, "+
			"but with different values (run_name='%s', mlflow.runName='%s').", r.RunName, tag)
	case r.RunName != "":
		return r.RunName, nil
	case tag != "":
		return tag, nil
	}
	return randomName(), nil
}

// below returns the URI of names below an artifact location, which may have a query.
func below(location string, names ...string) string {
	base, query, has := strings.Cut(location, "?")
	if has {
		query = "?" + query
	}
	return strings.TrimRight(base, "/") + "/" + strings.Join(names, "/") + query
}

// GetRun implements registry.Runs.
func (s *Store) GetRun(ctx context.Context, runID string) (registry.Run, error) {
	return viewing(ctx, s, func(view *sqlite.Snapshot) (registry.Run, error) { return oneRun(view, runID) })
}

func oneRun(view *sqlite.Snapshot, id string) (registry.Run, error) {
	found, err := runs(view, " WHERE r.id = ?", id)
	if err != nil {
		return registry.Run{}, err
	}
	if len(found) == 0 {
		return registry.Run{}, noRun(id)
	}
	return found[0], nil
}

// runs returns the runs that the clauses select, with their data.
func runs(view *sqlite.Snapshot, clauses string, args ...any) ([]registry.Run, error) {
	found, numbers, err := bareRuns(view.Tx, clauses, args...)
	if err != nil {
		return nil, err
	}
	return found, readData(view, numbers, found)
}

// bareRuns returns the runs that the clauses select, without their data, and
// their numbers.
func bareRuns(tx *sql.Tx, clauses string, args ...any) (found []registry.Run, numbers []int64, err error) {
	found, err = query(tx, func(rows *sql.Rows) (r registry.Run, err error) {
		var n, experiment int64
		var end sql.NullInt64
		i := &r.Info
		err = rows.Scan(&n, &i.RunID, &experiment, &i.RunName, &i.UserID, &i.Status, &i.StartTime, &end, &i.ArtifactURI, &i.Lifecycle)
		i.RunUUID, i.ExperimentID, i.EndTime = i.RunID, strconv.FormatInt(experiment, 10), end.Int64
		numbers = append(numbers, n)
		return r, err
	}, `SELECT r.n, r.id, r.experiment, r.name, r.user_id, r.status, r.start_time, r.end_time, r.artifact_uri, r.stage FROM runs r`+clauses, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("read runs: %w", err)
	}
	return found, numbers, nil
}

// UpdateRun implements registry.Runs.
func (s *Store) UpdateRun(ctx context.Context, u registry.RunUpdate) (registry.RunInfo, error) {
	if err := registry.CheckStatus(u.Status); err != nil {
		return registry.RunInfo{}, err
	}
	var info registry.RunInfo
	err := s.changeRun(ctx, u.RunID, func(tx *sql.Tx, n int64) error {
		_, err := exec(tx, `UPDATE runs SET status = coalesce(nullif(?, ''), status), end_time = coalesce(nullif(?, 0), end_time)
			WHERE n = ?`, u.Status, u.EndTime, n)
		if err == nil && u.RunName != "" {
			err = setTags(tx, n, []registry.Tag{{Key: registry.TagRunName, Value: u.RunName}})
		}
		if err != nil {
			return fmt.Errorf("update run %s: %w", u.RunID, err)
		}
		found, _, err := bareRuns(tx, " WHERE r.n = ?", n)
		if err == nil {
			info = found[0].Info
		}
		return err
	})
	return info, err
}

// DeleteRun implements registry.Runs.
func (s *Store) DeleteRun(ctx context.Context, runID string) error {
	return s.moveRun(ctx, runID, registry.Deleted, now())
}

// RestoreRun implements registry.Runs.
func (s *Store) RestoreRun(ctx context.Context, runID string) error {
	return s.moveRun(ctx, runID, registry.Active, nil)
}

func (s *Store) moveRun(ctx context.Context, id string, to registry.Lifecycle, deleted any) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		n, _, _, err := runStage(tx, id)
		if err == nil {
			_, err = exec(tx, `UPDATE runs SET stage = ?, deleted_time = ? WHERE n = ?`, to, deleted, n)
		}
		return err
	})
}
