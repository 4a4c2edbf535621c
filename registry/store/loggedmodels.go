package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/search"
)

var loggedModelSource = source{
	language: search.LoggedModels,
	table:    "logged_models m",
	one:      "m.id = ?",
	attributes: map[string]string{"name": "m.name", "model_id": "m.id", "model_type": "m.model_type", "status": "m.status",
		"source_run_id": "m.source_run_id", "creation_time": "m.creation_time", "last_updated_time": "m.last_updated_time"},
	details: map[search.Kind]details{
		search.Metric: {`(SELECT model, key, value, is_nan, max(step) FROM logged_model_metrics GROUP BY model, key)`, "x.model = m.id"},
		search.Param:  {"logged_model_params", "x.model = m.id"},
		search.Tag:    {"logged_model_tags", "x.model = m.id"},
	},
}

// CreateLoggedModel implements registry.LoggedModels.
func (s *Store) CreateLoggedModel(ctx context.Context, m registry.NewLoggedModel) (registry.LoggedModel, error) {
	experiment, err := experimentNumber(m.ExperimentID)
	if err == nil {
		err = registry.CheckLoggedModelName(m.Name)
	}
	if err != nil {
		return registry.LoggedModel{}, err
	}
	id := "m-" + newID()
	if m.Name == "" {
		m.Name = randomName()
	}
	return writing(ctx, s, func(tx *sql.Tx) (registry.LoggedModel, error) {
		location, err := activeLocation(tx, experiment)
		if err != nil {
			return registry.LoggedModel{}, err
		}
		_, err = exec(tx, `INSERT INTO logged_models
			(id, experiment, name, model_type, source_run_id, artifact_uri, status, creation_time, last_updated_time)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?8, ?8)`, id, experiment, m.Name, m.ModelType, m.SourceRunID,
			below(location, "models", id, "artifacts"), registry.ModelPending, now())
		if err != nil {
			return registry.LoggedModel{}, fmt.Errorf("create logged model: %w", err)
		}
		if err := setModelDetails(tx, id, m.Params, m.Tags); err != nil {
			return registry.LoggedModel{}, err
		}
		return oneLoggedModel(tx, id, false)
	})
}

func setModelDetails(tx *sql.Tx, id string, params []registry.Param, tags []registry.Tag) error {
	var rows [][]any
	for _, p := range params {
		if err := registry.CheckParam("", p); err != nil {
			return err
		}
		rows = append(rows, []any{id, p.Key, registry.Cut(p.Value, registry.MaxParamValue)})
	}
	err := insert(tx, `INSERT INTO logged_model_params (model, key, value) VALUES %s ON CONFLICT DO UPDATE SET value = excluded.value`, rows)
	if err != nil {
		return fmt.Errorf("set params of %s: %w", id, err)
	}
	rows = nil
	for _, t := range tags {
		if err := registry.CheckTag("", t); err != nil {
			return err
		}
		rows = append(rows, []any{id, t.Key, registry.Cut(t.Value, registry.MaxTagValue)})
	}
	err = insert(tx, `INSERT INTO logged_model_tags (model, key, value) VALUES %s ON CONFLICT DO UPDATE SET value = excluded.value`, rows)
	if err != nil {
		return fmt.Errorf("set tags of %s: %w", id, err)
	}
	return nil
}

// logModelMetrics adds points to models; a later point with the same place wins.
func logModelMetrics(tx *sql.Tx, rows [][]any) error {
	for _, row := range rows {
		if _, err := oneLoggedModel(tx, row[0].(string), true); err != nil {
			return err
		}
	}
	err := insert(tx, `INSERT INTO logged_model_metrics
		(model, key, step, timestamp, value, is_nan, run_id, dataset_name, dataset_digest) VALUES %s
		ON CONFLICT DO UPDATE SET value = excluded.value, is_nan = excluded.is_nan,
			dataset_name = excluded.dataset_name, dataset_digest = excluded.dataset_digest`, rows)
	if err != nil {
		return fmt.Errorf("log metrics of models: %w", err)
	}
	return nil
}

// GetLoggedModel implements registry.LoggedModels.
func (s *Store) GetLoggedModel(ctx context.Context, modelID string) (registry.LoggedModel, error) {
	return reading(ctx, s, func(tx *sql.Tx) (registry.LoggedModel, error) { return oneLoggedModel(tx, modelID, false) })
}

// FindLoggedModel implements registry.LoggedModels.
func (s *Store) FindLoggedModel(ctx context.Context, modelID string) (registry.LoggedModel, error) {
	return reading(ctx, s, func(tx *sql.Tx) (registry.LoggedModel, error) { return oneLoggedModel(tx, modelID, true) })
}

func oneLoggedModel(tx *sql.Tx, id string, deletedToo bool) (registry.LoggedModel, error) {
	found, err := loggedModels(tx, " WHERE m.id = ? AND (m.stage = 'active' OR ?)", id, deletedToo)
	if err != nil {
		return registry.LoggedModel{}, err
	}
	if len(found) == 0 {
		return registry.LoggedModel{}, registry.Errorf(registry.ResourceDoesNotExist, "Logged model with ID '%s' not found.", id)
	}
	return found[0], nil
}

// loggedModels returns the models that the clauses select, with their data.
func loggedModels(tx *sql.Tx, clauses string, args ...any) ([]registry.LoggedModel, error) {
	at := map[string]int{}
	var ids []string
	found, err := query(tx, func(r *sql.Rows) (m registry.LoggedModel, err error) {
		var experiment int64
		i := &m.Info
		err = r.Scan(&i.ModelID, &experiment, &i.Name, &i.ModelType, &i.SourceRunID, &i.ArtifactURI, &i.Status, &i.CreationTime, &i.LastUpdateTime)
		i.ExperimentID = strconv.FormatInt(experiment, 10)
		at[i.ModelID] = len(ids)
		ids = append(ids, i.ModelID)
		return m, err
	}, `SELECT m.id, m.experiment, m.name, m.model_type, m.source_run_id, m.artifact_uri, m.status, m.creation_time, m.last_updated_time
		FROM logged_models m`+clauses, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	list := jsonList(ids)
	params, err := tagsOf[string](tx, `SELECT model, key, value FROM logged_model_params WHERE model IN (SELECT value FROM json_each(?))`, list)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOf[string](tx, `SELECT model, key, value FROM logged_model_tags WHERE model IN (SELECT value FROM json_each(?))`, list)
	if err != nil {
		return nil, err
	}
	for id, i := range at {
		found[i].Info.Tags = tags[id]
		for _, p := range params[id] {
			found[i].Data.Params = append(found[i].Data.Params, registry.Param(p))
		}
	}
	_, err = query(tx, func(r *sql.Rows) (struct{}, error) {
		m, isNaN := registry.Metric{}, false
		err := r.Scan(&m.ModelID, &m.Key, &m.Value, &isNaN, &m.Timestamp, &m.Step, &m.RunID, &m.DatasetName, &m.DatasetDigest)
		if isNaN {
			m.Value = math.NaN()
		}
		d := &found[at[m.ModelID]].Data
		d.Metrics = append(d.Metrics, m)
		return struct{}{}, err
	}, `SELECT model, key, value, is_nan, timestamp, step, run_id, dataset_name, dataset_digest
		FROM logged_model_metrics WHERE model IN (SELECT value FROM json_each(?))`, list)
	return found, err
}

// SearchLoggedModels implements registry.LoggedModels.
func (s *Store) SearchLoggedModels(ctx context.Context, q registry.LoggedModelQuery) (registry.Page[registry.LoggedModel], error) {
	var none registry.Page[registry.LoggedModel]
	limit, err := registry.CheckMaxResults(q.MaxResults, 50, registry.MaxLoggedModels)
	if err != nil {
		return none, err
	}
	var orderBy []string
	for _, o := range q.OrderBy {
		clause := o.FieldName
		if !o.Ascending {
			clause += " DESC"
		}
		orderBy = append(orderBy, clause)
	}
	sel, conditions, err := compile(loggedModelSource, q.Filter, orderBy, q.PageToken, limit, term{"m.creation_time", true}, term{"m.id", false})
	if err != nil {
		return none, err
	}
	if err := sel.inExperiments(q.ExperimentIDs, "m.experiment"); err != nil {
		return none, err
	}
	sel.and("m.stage = 'active'")
	sel.filter(loggedModelSource, conditions)
	clauses, args := sel.clauses()
	return reading(ctx, s, func(tx *sql.Tx) (registry.Page[registry.LoggedModel], error) {
		found, err := loggedModels(tx, clauses, args...)
		if err != nil {
			return none, err
		}
		return nextPage(tx, sel, loggedModelSource, found, func(m registry.LoggedModel) []any { return []any{m.Info.ModelID} })
	})
}
