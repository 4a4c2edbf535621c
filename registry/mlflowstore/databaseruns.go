package mlflowstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/taximeter/taximeter/registry"
)

// Runs implements registry.Archive.
func (d *database) Runs(ctx context.Context, experimentID string, do func(registry.ArchivedRun) error) error {
	var found []registry.ArchivedRun
	err := d.each(ctx, func(scan scanner) error {
		var r registry.ArchivedRun
		var end, deleted sql.NullInt64
		i := &r.Info
		err := scan(&i.RunID, &i.RunName, &i.UserID, &i.Status, &i.StartTime, &end, &i.ArtifactURI, &i.Lifecycle, &deleted)
		i.RunUUID, i.ExperimentID, i.EndTime, r.DeletedTime = i.RunID, experimentID, end.Int64, deleted.Int64
		found = append(found, r)
		return err
	}, fmt.Sprintf(`SELECT run_uuid, coalesce(name, ''), coalesce(user_id, ''), status, coalesce(start_time, 0), end_time, coalesce(artifact_uri, ''),
		lifecycle_stage, %s FROM runs WHERE experiment_id = ? ORDER BY start_time, run_uuid`, d.pick("runs", "deleted_time", "NULL")), experimentID)
	if err != nil {
		return fmt.Errorf("read runs of experiment %s: %w", experimentID, err)
	}
	for _, r := range found {
		if err := d.fillRun(ctx, &r); err != nil {
			return fmt.Errorf("read run %s: %w", r.Info.RunID, err)
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

func (d *database) fillRun(ctx context.Context, r *registry.ArchivedRun) (err error) {
	id := r.Info.RunID
	if r.Data.Params, err = d.params(ctx, `SELECT key, coalesce(value, '') FROM params WHERE run_uuid = ?`, id); err != nil {
		return err
	}
	if r.Data.Tags, err = d.tags(ctx, `SELECT key, coalesce(value, '') FROM tags WHERE run_uuid = ?`, id); err != nil {
		return err
	}
	r.Points = func(do func([]registry.Metric) error) error { return d.points(ctx, id, do) }
	if !d.columns["inputs."] {
		return nil
	}
	if err := d.datasets(ctx, r); err != nil {
		return err
	}
	err = d.each(ctx, func(scan scanner) error {
		var kind string
		var o registry.ModelOutput
		err := scan(&kind, &o.ModelID, &o.Step)
		if kind == "RUN_OUTPUT" {
			r.Outputs.Models = append(r.Outputs.Models, o)
		} else {
			r.Inputs.Models = append(r.Inputs.Models, registry.ModelInput{ModelID: o.ModelID})
		}
		return err
	}, fmt.Sprintf(`SELECT source_type, destination_id, coalesce(%s, 0) FROM inputs WHERE source_id = ? AND source_type IN ('RUN_OUTPUT', 'RUN_INPUT')`,
		d.pick("inputs", "step", "0")), id)
	return err
}

func (d *database) datasets(ctx context.Context, r *registry.ArchivedRun) error {
	var inputs []string
	err := d.each(ctx, func(scan scanner) error {
		var in registry.DatasetInput
		var input string
		s := &in.Dataset
		err := scan(&input, &s.Name, &s.Digest, &s.SourceType, &s.Source, &s.Schema, &s.Profile)
		inputs = append(inputs, input)
		r.Inputs.Datasets = append(r.Inputs.Datasets, in)
		return err
	}, `SELECT i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, coalesce(d.dataset_schema, ''), coalesce(d.dataset_profile, '')
		FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
		WHERE i.destination_id = ? AND i.source_type = 'DATASET' AND i.destination_type = 'RUN'`, r.Info.RunID)
	for i, input := range inputs {
		if err == nil {
			r.Inputs.Datasets[i].Tags, err = d.tags(ctx, `SELECT name, value FROM input_tags WHERE input_uuid = ?`, input)
		}
	}
	return err
}

// points gives the points of a run to do, some thousands at a time.
func (d *database) points(ctx context.Context, runID string, do func([]registry.Metric) error) error {
	var some []registry.Metric
	err := d.each(ctx, func(scan scanner) error {
		var m registry.Metric
		var isNaN bool
		if err := scan(&m.Key, &m.Value, &m.Timestamp, &m.Step, &isNaN); err != nil {
			return err
		}
		if isNaN {
			m.Value = math.NaN()
		}
		if some = append(some, m); len(some) < 5000 {
			return nil
		}
		err := do(some)
		some = some[:0]
		return err
	}, `SELECT key, value, timestamp, step, coalesce(is_nan, 0) FROM metrics WHERE run_uuid = ?`, runID)
	if err == nil && len(some) > 0 {
		err = do(some)
	}
	return err
}

// LoggedModels implements registry.Archive. MLflow 2 has none.
func (d *database) LoggedModels(ctx context.Context, experimentID string) ([]registry.ArchivedLoggedModel, error) {
	if !d.columns["logged_models."] {
		return nil, nil
	}
	var found []registry.ArchivedLoggedModel
	err := d.each(ctx, func(scan scanner) (err error) {
		var m registry.ArchivedLoggedModel
		var status int
		i := &m.Info
		i.ExperimentID = experimentID
		if err := scan(&i.ModelID, &i.Name, &i.ArtifactURI, &i.CreationTime, &i.LastUpdateTime, &status, &m.Lifecycle, &i.ModelType, &i.SourceRunID); err != nil {
			return err
		}
		i.Status, err = numbered(modelStatuses, status, "status")
		found = append(found, m)
		return err
	}, `SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage,
		coalesce(model_type, ''), coalesce(source_run_id, '') FROM logged_models WHERE experiment_id = ?`, experimentID)
	for i := range found {
		if err == nil {
			err = d.fillLoggedModel(ctx, &found[i])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read logged models of experiment %s: %w", experimentID, err)
	}
	return found, nil
}

func (d *database) fillLoggedModel(ctx context.Context, m *registry.ArchivedLoggedModel) (err error) {
	id := m.Info.ModelID
	if m.Data.Params, err = d.params(ctx, `SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?`, id); err != nil {
		return err
	}
	if m.Info.Tags, err = d.tags(ctx, `SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?`, id); err != nil {
		return err
	}
	return d.each(ctx, func(scan scanner) error {
		var p registry.Metric
		var value sql.NullFloat64
		err := scan(&p.Key, &value, &p.Timestamp, &p.Step, &p.RunID, &p.DatasetName, &p.DatasetDigest)
		if p.Value = value.Float64; !value.Valid {
			p.Value = math.NaN()
		}
		m.Data.Metrics = append(m.Data.Metrics, p)
		return err
	}, `SELECT metric_name, metric_value, metric_timestamp_ms, metric_step, run_id, coalesce(dataset_name, ''), coalesce(dataset_digest, '')
		FROM logged_model_metrics WHERE model_id = ?`, id)
}
