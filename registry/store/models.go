package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/search"
)

var modelSource = source{
	language:   search.Models,
	table:      "registered_models m",
	one:        "m.name = ?",
	attributes: map[string]string{"name": "m.name", "last_updated_timestamp": "m.last_updated_time"},
	details:    map[search.Kind]details{search.Tag: {"registered_model_tags", "x.model = m.name"}},
}

func noModel(name string) error {
	return registry.Errorf(registry.ResourceDoesNotExist, "Registered Model with name=%s not found", name)
}

func modelTaken(name string) error {
	return registry.Errorf(registry.ResourceAlreadyExists, "Registered Model (name=%s) already exists.", name)
}

// CreateRegisteredModel implements registry.Models.
func (s *Store) CreateRegisteredModel(ctx context.Context, m registry.NewRegisteredModel) (registry.RegisteredModel, error) {
	if err := registry.CheckModelName("name", m.Name); err != nil {
		return registry.RegisteredModel{}, err
	}
	for _, t := range m.Tags {
		if err := registry.CheckModelTag(t); err != nil {
			return registry.RegisteredModel{}, err
		}
	}
	return writing(ctx, s, func(tx *sql.Tx) (registry.RegisteredModel, error) {
		_, err := exec(tx, `INSERT INTO registered_models (name, description, creation_time, last_updated_time)
			VALUES (?, ?, ?3, ?3)`, m.Name, m.Description, now())
		if sqlite.IsUnique(err) {
			err = modelTaken(m.Name)
		}
		for _, t := range m.Tags {
			if err == nil {
				err = setModelTag(tx, m.Name, t)
			}
		}
		if err != nil {
			return registry.RegisteredModel{}, err
		}
		return oneModel(tx, m.Name)
	})
}

// GetRegisteredModel implements registry.Models.
func (s *Store) GetRegisteredModel(ctx context.Context, name string) (registry.RegisteredModel, error) {
	return reading(ctx, s, func(tx *sql.Tx) (registry.RegisteredModel, error) { return oneModel(tx, name) })
}

func oneModel(tx *sql.Tx, name string) (registry.RegisteredModel, error) {
	found, err := models(tx, " WHERE m.name = ?", name)
	if err != nil {
		return registry.RegisteredModel{}, err
	}
	if len(found) == 0 {
		return registry.RegisteredModel{}, noModel(name)
	}
	return found[0], nil
}

// models returns the models that the clauses select, with tags, aliases and
// latest versions.
func models(tx *sql.Tx, clauses string, args ...any) ([]registry.RegisteredModel, error) {
	var names []string
	found, err := query(tx, func(r *sql.Rows) (m registry.RegisteredModel, err error) {
		err = r.Scan(&m.Name, &m.Description, &m.CreationTime, &m.LastUpdateTime)
		names = append(names, m.Name)
		return m, err
	}, `SELECT m.name, m.description, m.creation_time, m.last_updated_time FROM registered_models m`+clauses, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	list := jsonList(names)
	tags, err := tagsOf[string](tx, `SELECT model, key, value FROM registered_model_tags WHERE model IN (SELECT value FROM json_each(?))`, list)
	if err != nil {
		return nil, err
	}
	aliases, err := tagsOf[string](tx, `SELECT model, alias, version FROM aliases WHERE model IN (SELECT value FROM json_each(?))`, list)
	if err != nil {
		return nil, err
	}
	latest, err := latestVersions(tx, list)
	for i := range found {
		m := &found[i]
		m.Tags = tags[m.Name]
		for _, a := range aliases[m.Name] {
			m.Aliases = append(m.Aliases, registry.Alias{Alias: a.Key, Version: a.Value})
		}
		m.LatestVersions = latest[m.Name]
	}
	return found, err
}

// SearchRegisteredModels implements registry.Models. Like MLflow's it hides
// prompts, which ride on registered models, unless the filter asks for them.
func (s *Store) SearchRegisteredModels(ctx context.Context, q registry.ModelQuery) (registry.Page[registry.RegisteredModel], error) {
	var none registry.Page[registry.RegisteredModel]
	limit, err := registry.CheckMaxResults(q.MaxResults, 100, registry.MaxModels)
	if err != nil {
		return none, err
	}
	sel, conditions, err := compile(modelSource, q.Filter, q.OrderBy, q.PageToken, limit, term{"m.name", false})
	if err != nil {
		return none, err
	}
	conditions = sel.prompts(conditions, `m.name IN (SELECT model FROM registered_model_tags WHERE key = 'mlflow.prompt.is_prompt' AND value = 'true')`)
	sel.filter(modelSource, conditions)
	clauses, args := sel.clauses()
	return reading(ctx, s, func(tx *sql.Tx) (registry.Page[registry.RegisteredModel], error) {
		found, err := models(tx, clauses, args...)
		if err != nil {
			return none, err
		}
		return nextPage(tx, sel, modelSource, found, func(m registry.RegisteredModel) []any { return []any{m.Name} })
	})
}

// prompts adds the condition on being a prompt, and returns the other conditions.
func (s *selection) prompts(conditions []search.Condition, isPrompt string) []search.Condition {
	wanted := false
	var others []search.Condition
	for _, c := range conditions {
		if c.Kind != search.Tag || c.Key != "mlflow.prompt.is_prompt" || c.Op != search.Equal && c.Op != search.NotEqual {
			others = append(others, c)
			continue
		}
		wanted = (c.Op == search.Equal) == (c.Text == "true")
	}
	if wanted {
		s.and(isPrompt)
	} else {
		s.and("NOT " + isPrompt)
	}
	return others
}

// changeModel runs do in a transaction, and marks the model as updated.
func (s *Store) changeModel(ctx context.Context, name string, do func(tx *sql.Tx) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		updated, err := exec(tx, `UPDATE registered_models SET last_updated_time = ? WHERE name = ?`, now(), name)
		if err != nil {
			return err
		}
		if updated == 0 {
			return noModel(name)
		}
		return do(tx)
	})
}

// UpdateRegisteredModel implements registry.Models.
func (s *Store) UpdateRegisteredModel(ctx context.Context, name, description string) (m registry.RegisteredModel, err error) {
	err = s.changeModel(ctx, name, func(tx *sql.Tx) error {
		if _, err := exec(tx, `UPDATE registered_models SET description = ? WHERE name = ?`, description, name); err != nil {
			return err
		}
		m, err = oneModel(tx, name)
		return err
	})
	return m, err
}

// RenameRegisteredModel implements registry.Models.
func (s *Store) RenameRegisteredModel(ctx context.Context, name, newName string) (m registry.RegisteredModel, err error) {
	if err := registry.CheckModelName("new_name", newName); err != nil {
		return m, err
	}
	err = s.changeModel(ctx, name, func(tx *sql.Tx) error {
		_, err := exec(tx, `UPDATE registered_models SET name = ? WHERE name = ?`, newName, name)
		if sqlite.IsUnique(err) {
			return modelTaken(newName)
		}
		if err != nil {
			return fmt.Errorf("rename model %s: %w", name, err)
		}
		if _, err := exec(tx, `UPDATE model_versions SET last_updated_time = ? WHERE model = ?`, now(), newName); err != nil {
			return err
		}
		m, err = oneModel(tx, newName)
		return err
	})
	return m, err
}

// DeleteRegisteredModel implements registry.Models.
func (s *Store) DeleteRegisteredModel(ctx context.Context, name string) error {
	return s.changeModel(ctx, name, func(tx *sql.Tx) error {
		_, err := exec(tx, `DELETE FROM registered_models WHERE name = ?`, name)
		return err
	})
}

// SetRegisteredModelTag implements registry.Models.
func (s *Store) SetRegisteredModelTag(ctx context.Context, name string, tag registry.Tag) error {
	if err := registry.CheckModelTag(tag); err != nil {
		return err
	}
	return s.changeModel(ctx, name, func(tx *sql.Tx) error { return setModelTag(tx, name, tag) })
}

func setModelTag(tx *sql.Tx, name string, t registry.Tag) error {
	_, err := exec(tx, `INSERT INTO registered_model_tags (model, key, value) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value`, name, t.Key, t.Value)
	return err
}

// DeleteRegisteredModelTag implements registry.Models.
func (s *Store) DeleteRegisteredModelTag(ctx context.Context, name, key string) error {
	return s.changeModel(ctx, name, func(tx *sql.Tx) error {
		_, err := exec(tx, `DELETE FROM registered_model_tags WHERE model = ? AND key = ?`, name, key)
		return err
	})
}
