package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
)

// UpdateExperiment implements registry.Experiments.
func (s *Store) UpdateExperiment(ctx context.Context, id, newName string) error {
	if err := registry.CheckExperimentName("new_name", newName); err != nil {
		return err
	}
	return s.changeExperiment(ctx, id, func(tx *sql.Tx, n int64, stage registry.Lifecycle) error {
		if stage != registry.Active {
			return registry.Errorf(registry.InvalidParameterValue, "Cannot rename a non-active experiment.")
		}
		_, err := exec(tx, `UPDATE experiments SET name = ?, last_update_time = ? WHERE id = ?`, newName, now(), n)
		if sqlite.IsUnique(err) {
			return nameTaken(newName)
		}
		return err
	})
}

// changeExperiment runs do in a transaction with the experiment's stage.
func (s *Store) changeExperiment(ctx context.Context, id string, do func(tx *sql.Tx, n int64, stage registry.Lifecycle) error) error {
	n, err := experimentNumber(id)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		stage, err := experimentStage(tx, n)
		if err != nil {
			return err
		}
		return do(tx, n, stage)
	})
}

func experimentStage(tx *sql.Tx, n int64) (stage registry.Lifecycle, err error) {
	err = tx.QueryRow(`SELECT stage FROM experiments WHERE id = ?`, n).Scan(&stage)
	if errors.Is(err, sql.ErrNoRows) {
		return "", noExperiment(strconv.FormatInt(n, 10))
	}
	return stage, err
}

// activeLocation returns the artifact location of an active experiment.
func activeLocation(tx *sql.Tx, n int64) (location string, err error) {
	var stage registry.Lifecycle
	err = tx.QueryRow(`SELECT stage, artifact_location FROM experiments WHERE id = ?`, n).Scan(&stage, &location)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = noExperiment(strconv.FormatInt(n, 10))
	case err == nil && stage != registry.Active:
		err = experimentNotActive(n, stage)
	}
	return location, err
}

func experimentNotActive(n int64, stage registry.Lifecycle) error {
	return registry.Errorf(registry.InvalidParameterValue, "The experiment %d must be in the 'active' state. Current state is %s.", n, stage)
}

// DeleteExperiment implements registry.Experiments.
func (s *Store) DeleteExperiment(ctx context.Context, id string) error {
	return s.moveExperiment(ctx, id, registry.Active, registry.Deleted)
}

// RestoreExperiment implements registry.Experiments.
func (s *Store) RestoreExperiment(ctx context.Context, id string) error {
	return s.moveExperiment(ctx, id, registry.Deleted, registry.Active)
}

func (s *Store) moveExperiment(ctx context.Context, id string, from, to registry.Lifecycle) error {
	return s.changeExperiment(ctx, id, func(tx *sql.Tx, n int64, stage registry.Lifecycle) error {
		if stage != from {
			return noExperiment(id)
		}
		var deleted any
		if to == registry.Deleted {
			deleted = now()
		}
		if _, err := exec(tx, `UPDATE experiments SET stage = ?, last_update_time = ? WHERE id = ?`, to, now(), n); err != nil {
			return err
		}
		_, err := exec(tx, `UPDATE runs SET stage = ?, deleted_time = ? WHERE experiment = ?`, to, deleted, n)
		return err
	})
}

// SetExperimentTag implements registry.Experiments.
func (s *Store) SetExperimentTag(ctx context.Context, id string, tag registry.Tag) error {
	if err := registry.CheckExperimentTag(tag); err != nil {
		return err
	}
	return s.changeExperiment(ctx, id, func(tx *sql.Tx, n int64, stage registry.Lifecycle) error {
		if stage != registry.Active {
			return experimentNotActive(n, stage)
		}
		return setExperimentTag(tx, n, tag)
	})
}

func setExperimentTag(tx *sql.Tx, n int64, t registry.Tag) error {
	_, err := exec(tx, `INSERT INTO experiment_tags (experiment, key, value) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value`, n, t.Key, t.Value)
	return err
}

// DeleteExperimentTag implements registry.Experiments.
func (s *Store) DeleteExperimentTag(ctx context.Context, id, key string) error {
	return s.changeExperiment(ctx, id, func(tx *sql.Tx, n int64, stage registry.Lifecycle) error {
		if stage != registry.Active {
			return experimentNotActive(n, stage)
		}
		deleted, err := exec(tx, `DELETE FROM experiment_tags WHERE experiment = ? AND key = ?`, n, key)
		if err == nil && deleted == 0 {
			return registry.Errorf(registry.ResourceDoesNotExist, "No tag with name: %s in experiment with id %s", key, id)
		}
		return err
	})
}
