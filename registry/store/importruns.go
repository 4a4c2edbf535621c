package store

import (
	"database/sql"
	"fmt"

	"github.com/taximeter/taximeter/registry"
)

// run adds a run with its artifacts, or what of it is not here yet.
func (im *importer) run(experiment int64, location string, r registry.ArchivedRun) error {
	uri := r.Info.ArtifactURI
	if !remote(uri) {
		uri = below(location, r.Info.RunID, "artifacts")
	}
	im.places[r.Info.ArtifactURI] = uri
	if err := im.files(r.Info.ArtifactURI, uri, "run "+r.Info.RunID); err != nil { // before the row that names them
		return fmt.Errorf("copy artifacts: %w", err)
	}
	var n int64
	err := im.store.write(im.ctx, func(tx *sql.Tx) (err error) {
		if n, err = im.runRow(tx, experiment, uri, r); err != nil {
			return err
		}
		return runDetails(tx, n, r.Run)
	})
	if err != nil {
		return err
	}
	return r.Points(func(metrics []registry.Metric) error {
		return im.store.write(im.ctx, func(tx *sql.Tx) error {
			points, all := storedPoints(metrics)
			added, err := insertPoints(tx, n, points, all)
			im.done.Points += added
			return err
		})
	})
}

// runRow adds the row of a run. Of one that is here already it only says how it
// ended, if that is not known here yet.
func (im *importer) runRow(tx *sql.Tx, experiment int64, uri string, r registry.ArchivedRun) (n int64, err error) {
	var end, deleted any
	if r.Info.EndTime != 0 {
		end = r.Info.EndTime
	}
	if r.Info.Lifecycle == registry.Deleted {
		if deleted = r.DeletedTime; r.DeletedTime == 0 {
			deleted = now()
		}
	}
	name := r.Info.RunName
	if tag, ok := registry.FindTag(r.Data.Tags, registry.TagRunName); ok {
		name = tag
	}
	added, err := exec(tx, `INSERT INTO runs (id, experiment, name, user_id, status, start_time, end_time, artifact_uri, stage, deleted_time)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.Info.RunID, experiment, name, r.Info.UserID, r.Info.Status, r.Info.StartTime, end, uri, r.Info.Lifecycle, deleted)
	if err != nil {
		return 0, err
	}
	im.done.Runs += int(added)
	if added == 0 {
		_, err = exec(tx, `UPDATE runs SET status = ?, end_time = ? WHERE id = ? AND status IN ('RUNNING', 'SCHEDULED') AND end_time IS NULL`, r.Info.Status, end, r.Info.RunID)
		if err != nil {
			return 0, err
		}
	}
	if err := tx.QueryRow(`SELECT n FROM runs WHERE id = ?`, r.Info.RunID).Scan(&n); err != nil {
		return 0, err
	}
	_, err = exec(tx, `INSERT INTO tags (run, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, n, registry.TagRunName, name)
	return n, err
}

// runDetails adds params, tags, inputs and outputs that a run lacks.
func runDetails(tx *sql.Tx, n int64, r registry.Run) error {
	_, err := insertEach(tx, `INSERT INTO params (run, key, value) VALUES %s ON CONFLICT DO NOTHING`, len(r.Data.Params),
		func(args []any, i int) []any { return append(args, n, r.Data.Params[i].Key, r.Data.Params[i].Value) })
	if err != nil {
		return err
	}
	_, err = insertEach(tx, `INSERT INTO tags (run, key, value) VALUES %s ON CONFLICT DO NOTHING`, len(r.Data.Tags),
		func(args []any, i int) []any { return append(args, n, r.Data.Tags[i].Key, r.Data.Tags[i].Value) })
	if err != nil {
		return err
	}
	for _, d := range r.Inputs.Datasets {
		if err := logDataset(tx, n, d); err != nil {
			return err
		}
	}
	_, err = insertEach(tx, `INSERT INTO model_inputs (run, model) VALUES %s ON CONFLICT DO NOTHING`, len(r.Inputs.Models),
		func(args []any, i int) []any { return append(args, n, r.Inputs.Models[i].ModelID) })
	if err != nil {
		return err
	}
	_, err = insertEach(tx, `INSERT INTO model_outputs (run, model, step) VALUES %s ON CONFLICT DO NOTHING`, len(r.Outputs.Models),
		func(args []any, i int) []any {
			return append(args, n, r.Outputs.Models[i].ModelID, r.Outputs.Models[i].Step)
		})
	return err
}

// loggedModel adds a logged model with its artifacts, or what of it is not here yet.
func (im *importer) loggedModel(experiment int64, location string, m registry.ArchivedLoggedModel) error {
	i := m.Info
	uri := i.ArtifactURI
	if !remote(uri) {
		uri = below(location, "models", i.ModelID, "artifacts")
	}
	im.places[i.ArtifactURI] = uri
	if err := im.files(i.ArtifactURI, uri, "logged model "+i.ModelID); err != nil {
		return fmt.Errorf("copy artifacts: %w", err)
	}
	return im.store.write(im.ctx, func(tx *sql.Tx) error {
		added, err := exec(tx, `INSERT INTO logged_models (id, experiment, name, model_type, source_run_id, artifact_uri, status, stage, creation_time, last_updated_time)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			i.ModelID, experiment, i.Name, i.ModelType, i.SourceRunID, uri, i.Status, m.Lifecycle, i.CreationTime, i.LastUpdateTime)
		if err != nil {
			return err
		}
		im.done.LoggedModels += int(added)
		_, err = insertEach(tx, `INSERT INTO logged_model_params (model, key, value) VALUES %s ON CONFLICT DO NOTHING`, len(m.Data.Params),
			func(args []any, k int) []any {
				return append(args, i.ModelID, m.Data.Params[k].Key, m.Data.Params[k].Value)
			})
		if err != nil {
			return err
		}
		_, err = insertEach(tx, `INSERT INTO logged_model_tags (model, key, value) VALUES %s ON CONFLICT DO NOTHING`, len(i.Tags),
			func(args []any, k int) []any { return append(args, i.ModelID, i.Tags[k].Key, i.Tags[k].Value) })
		if err != nil {
			return err
		}
		rows := make([][]any, len(m.Data.Metrics))
		for k, p := range m.Data.Metrics {
			s := storedPoint(p)
			rows[k] = []any{i.ModelID, p.Key, p.Step, p.Timestamp, s.value, s.isNaN, p.RunID, p.DatasetName, p.DatasetDigest}
		}
		return logModelMetrics(tx, rows)
	})
}
