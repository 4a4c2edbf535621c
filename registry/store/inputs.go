package store

import (
	"context"
	"database/sql"
	"fmt"
	"unicode/utf8"

	"github.com/taximeter/taximeter/registry"
)

// LogInputs implements registry.Runs.
func (s *Store) LogInputs(ctx context.Context, runID string, datasets []registry.DatasetInput, models []registry.ModelInput) error {
	if err := checkDatasets(datasets); err != nil {
		return err
	}
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		for _, d := range datasets {
			if err := logDataset(tx, n, d); err != nil {
				return fmt.Errorf("log dataset %s: %w", d.Dataset.Name, err)
			}
		}
		rows := make([][]any, len(models))
		for i, m := range models {
			rows[i] = []any{n, m.ModelID}
		}
		return insert(tx, `INSERT INTO model_inputs (run, model) VALUES %s ON CONFLICT DO NOTHING`, rows)
	})
}

func checkDatasets(datasets []registry.DatasetInput) error {
	if len(datasets) > registry.MaxDatasets {
		return registry.Errorf(registry.InvalidParameterValue, "At most %d datasets can be logged at once, got %d", registry.MaxDatasets, len(datasets))
	}
	for i, in := range datasets {
		d := in.Dataset
		for _, f := range []struct {
			name, value string
			limit       int
		}{
			{"name", d.Name, 500}, {"digest", d.Digest, 36}, {"source_type", d.SourceType, 36},
			{"source", d.Source, 65535}, {"schema", d.Schema, 1048575}, {"profile", d.Profile, 16777215},
		} {
			if utf8.RuneCountInString(f.value) > f.limit {
				return registry.Errorf(registry.InvalidParameterValue, "'datasets[%d].dataset.%s' exceeds the maximum length of %d characters", i, f.name, f.limit)
			}
		}
		for j, t := range in.Tags {
			if t.Key == "" || utf8.RuneCountInString(t.Key) > 255 || utf8.RuneCountInString(t.Value) > 500 {
				return registry.Errorf(registry.InvalidParameterValue, "'datasets[%d].tags[%d]' must have a key of 1 to 255 and a value of at most 500 characters", i, j)
			}
		}
	}
	return nil
}

func logDataset(tx *sql.Tx, run int64, in registry.DatasetInput) error {
	d := in.Dataset
	var n int64
	// The update that changes nothing makes RETURNING give the row that is there.
	err := tx.QueryRow(`INSERT INTO datasets (experiment, name, digest, source_type, source, schema, profile)
		VALUES ((SELECT experiment FROM runs WHERE n = ?), ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET name = excluded.name RETURNING n`,
		run, d.Name, d.Digest, d.SourceType, d.Source, d.Schema, d.Profile).Scan(&n)
	if err != nil {
		return err
	}
	// As in MLflow, what the run has read already keeps the tags it has.
	fresh, err := exec(tx, `INSERT INTO dataset_inputs (run, dataset) VALUES (?, ?) ON CONFLICT DO NOTHING`, run, n)
	if err != nil || fresh == 0 {
		return err
	}
	rows := make([][]any, len(in.Tags))
	for i, t := range in.Tags {
		rows[i] = []any{run, n, t.Key, t.Value}
	}
	return insert(tx, `INSERT INTO dataset_input_tags (run, dataset, key, value) VALUES %s
		ON CONFLICT DO UPDATE SET value = excluded.value`, rows)
}

// LogOutputs implements registry.Runs.
func (s *Store) LogOutputs(ctx context.Context, runID string, models []registry.ModelOutput) error {
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		rows := make([][]any, len(models))
		for i, m := range models {
			rows[i] = []any{n, m.ModelID, m.Step}
		}
		return insert(tx, `INSERT INTO model_outputs (run, model, step) VALUES %s
			ON CONFLICT DO UPDATE SET step = excluded.step`, rows)
	})
}
