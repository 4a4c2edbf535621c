package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/taximeter/taximeter/registry"
)

// changeLoggedModel runs do in a transaction, and marks the model as updated.
func (s *Store) changeLoggedModel(ctx context.Context, id string, do func(tx *sql.Tx) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := oneLoggedModel(tx, id, false); err != nil {
			return err
		}
		if _, err := exec(tx, `UPDATE logged_models SET last_updated_time = ? WHERE id = ?`, now(), id); err != nil {
			return err
		}
		return do(tx)
	})
}

// FinalizeLoggedModel implements registry.LoggedModels.
func (s *Store) FinalizeLoggedModel(ctx context.Context, modelID string, status registry.LoggedModelStatus) (m registry.LoggedModel, err error) {
	if status != registry.ModelReady && status != registry.ModelUploadFailed {
		return m, registry.Errorf(registry.InvalidParameterValue, "Invalid model status: %s. Expected statuses: ['LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED']", status)
	}
	err = s.changeLoggedModel(ctx, modelID, func(tx *sql.Tx) error {
		if _, err := exec(tx, `UPDATE logged_models SET status = ? WHERE id = ?`, status, modelID); err != nil {
			return err
		}
		m, err = oneLoggedModel(tx, modelID, false)
		return err
	})
	return m, err
}

// DeleteLoggedModel implements registry.LoggedModels.
func (s *Store) DeleteLoggedModel(ctx context.Context, modelID string) error {
	return s.changeLoggedModel(ctx, modelID, func(tx *sql.Tx) error {
		_, err := exec(tx, `UPDATE logged_models SET stage = 'deleted' WHERE id = ?`, modelID)
		return err
	})
}

// SetLoggedModelTags implements registry.LoggedModels.
func (s *Store) SetLoggedModelTags(ctx context.Context, modelID string, tags []registry.Tag) error {
	return s.changeLoggedModel(ctx, modelID, func(tx *sql.Tx) error { return setModelDetails(tx, modelID, nil, tags) })
}

// DeleteLoggedModelTag implements registry.LoggedModels.
func (s *Store) DeleteLoggedModelTag(ctx context.Context, modelID, key string) error {
	return s.changeLoggedModel(ctx, modelID, func(tx *sql.Tx) error {
		deleted, err := exec(tx, `DELETE FROM logged_model_tags WHERE model = ? AND key = ?`, modelID, key)
		if err == nil && deleted == 0 {
			return registry.Errorf(registry.ResourceDoesNotExist, "No tag with key '%s' found for model with ID '%s'.", key, modelID)
		}
		return err
	})
}

// LogLoggedModelParams implements registry.LoggedModels.
func (s *Store) LogLoggedModelParams(ctx context.Context, modelID string, params []registry.Param) error {
	return s.changeLoggedModel(ctx, modelID, func(tx *sql.Tx) error { return setModelDetails(tx, modelID, params, nil) })
}

// tagWithVersion notes in a logged model's tag which versions were made of it.
func tagWithVersion(tx *sql.Tx, id, name string, n int) error {
	const key = "mlflow.modelVersions"
	m, err := oneLoggedModel(tx, id, false)
	if err != nil {
		return err
	}
	var refs []json.RawMessage
	if has, ok := registry.FindTag(m.Info.Tags, key); ok && json.Unmarshal([]byte(has), &refs) != nil {
		refs = nil // not a list: a client's own tag, which the server's replaces
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return err
	}
	refs = append(refs, fmt.Appendf(nil, `{"name": %s, "version": %d}`, quoted, n))
	all := "["
	for i, ref := range refs {
		if i > 0 {
			all += ", " // as Python writes it
		}
		all += string(ref)
	}
	all += "]"
	return setModelDetails(tx, id, nil, []registry.Tag{{Key: key, Value: all}})
}
