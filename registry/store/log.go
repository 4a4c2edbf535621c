package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// LogBatch implements registry.Runs.
func (s *Store) LogBatch(ctx context.Context, runID string, b registry.Batch) error {
	if err := registry.CheckBatch(b); err != nil {
		return err
	}
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		changed, err := logParams(tx, n, b.Params)
		if err != nil {
			return err
		}
		if len(changed) > 0 {
			var list []string
			for _, c := range changed {
				list = append(list, fmt.Sprintf("{'key': '%s', 'old_value': '%s', 'new_value': '%s'}", c.key, c.old, c.new))
			}
			return registry.Errorf(registry.InvalidParameterValue, "Changing param values is not allowed. "+
				"Params were already logged='[%s]' for run ID='%s'.", strings.Join(list, ", "), runID)
		}
		if err := logMetrics(tx, n, runID, b.Metrics); err != nil {
			return err
		}
		return setTags(tx, n, b.Tags)
	})
}

// LogMetric implements registry.Runs.
func (s *Store) LogMetric(ctx context.Context, runID string, m registry.Metric) error {
	if err := registry.CheckMetric("", m); err != nil {
		return err
	}
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		return logMetrics(tx, n, runID, []registry.Metric{m})
	})
}

// LogParam implements registry.Runs.
func (s *Store) LogParam(ctx context.Context, runID string, p registry.Param) error {
	if err := registry.CheckParam("", p); err != nil {
		return err
	}
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		changed, err := logParams(tx, n, []registry.Param{p})
		if err == nil && len(changed) > 0 {
			return registry.Errorf(registry.InvalidParameterValue, "Changing param values is not allowed. Param with key='%s' was already "+
				"logged with value='%s' for run ID='%s'. Attempted logging new value '%s'.", p.Key, changed[0].old, runID, changed[0].new)
		}
		return err
	})
}

// change is a param that was logged with another value before.
type change struct{ key, old, new string }

// logParams adds params. The transaction must not be committed if it returns changes.
func logParams(tx *sql.Tx, n int64, params []registry.Param) ([]change, error) {
	if len(params) == 0 {
		return nil, nil
	}
	rows := make([][]any, len(params))
	for i, p := range params {
		rows[i] = []any{n, p.Key, registry.Cut(p.Value, registry.MaxParamValue)}
	}
	if err := insert(tx, `INSERT INTO params (run, key, value) VALUES %s ON CONFLICT DO NOTHING`, rows); err != nil {
		return nil, fmt.Errorf("log params: %w", err)
	}
	keys := make([]string, len(params))
	for i, p := range params {
		keys[i] = p.Key
	}
	has := map[string]string{}
	_, err := query(tx, func(r *sql.Rows) (struct{}, error) {
		var key, value string
		err := r.Scan(&key, &value)
		has[key] = value
		return struct{}{}, err
	}, `SELECT key, value FROM params WHERE run = ? AND key IN (SELECT value FROM json_each(?))`, n, jsonList(keys))
	var changed []change
	for _, row := range rows {
		if key, value := row[1].(string), row[2].(string); has[key] != value {
			changed = append(changed, change{key, has[key], value})
		}
	}
	return changed, err
}

// SetTag implements registry.Runs.
func (s *Store) SetTag(ctx context.Context, runID string, tag registry.Tag) error {
	if err := registry.CheckTag("", tag); err != nil {
		return err
	}
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		return setTags(tx, n, []registry.Tag{tag})
	})
}

// setTags sets tags, the last of equal keys; the tag of a run's name renames it.
func setTags(tx *sql.Tx, n int64, tags []registry.Tag) error {
	rows := make([][]any, len(tags))
	for i, t := range tags {
		rows[i] = []any{n, t.Key, registry.Cut(t.Value, registry.MaxTagValue)}
		if t.Key == registry.TagRunName {
			if _, err := exec(tx, `UPDATE runs SET name = ? WHERE n = ?`, rows[i][2], n); err != nil {
				return fmt.Errorf("rename run: %w", err)
			}
		}
	}
	err := insert(tx, `INSERT INTO tags (run, key, value) VALUES %s ON CONFLICT DO UPDATE SET value = excluded.value`, rows)
	if err != nil {
		return fmt.Errorf("set tags: %w", err)
	}
	return nil
}

// DeleteTag implements registry.Runs.
func (s *Store) DeleteTag(ctx context.Context, runID, key string) error {
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		deleted, err := exec(tx, `DELETE FROM tags WHERE run = ? AND key = ?`, n, key)
		if err == nil && deleted == 0 {
			return registry.Errorf(registry.ResourceDoesNotExist, "No tag with name: %s in run with id %s", key, runID)
		}
		return err
	})
}

const tagLogModel = "mlflow.log-model.history"

// LogModel implements registry.Runs.
func (s *Store) LogModel(ctx context.Context, runID, modelJSON string) error {
	var model map[string]any
	if err := json.Unmarshal([]byte(modelJSON), &model); err != nil {
		return registry.Errorf(registry.InvalidParameterValue, "Malformed model info. \n %.200s \n is not a valid JSON.", modelJSON)
	}
	var missing []string
	for _, field := range []string{"artifact_path", "flavors", "run_id", "utc_time_created"} {
		if model[field] == nil {
			missing = append(missing, "'"+field+"'")
		}
	}
	if len(missing) > 0 {
		return registry.Errorf(registry.InvalidParameterValue, "Model json is missing mandatory fields: {%s}", strings.Join(missing, ", "))
	}
	return s.changeRun(ctx, runID, func(tx *sql.Tx, n int64) error {
		var has string
		err := tx.QueryRow(`SELECT value FROM tags WHERE run = ? AND key = ?`, n, tagLogModel).Scan(&has)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("log model: %w", err)
		}
		var history []json.RawMessage
		if has != "" {
			if err := json.Unmarshal([]byte(has), &history); err != nil {
				return registry.Errorf(registry.InvalidParameterValue, "The run's tag %s is not a JSON list: %w", tagLogModel, err)
			}
		}
		value, err := json.Marshal(append(history, json.RawMessage(modelJSON)))
		if err != nil {
			return err
		}
		_, err = exec(tx, `INSERT INTO tags (run, key, value) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET value = excluded.value`, n, tagLogModel, string(value)) // never cut
		return err
	})
}
