package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/search"
)

var versionSource = source{
	language: search.Versions,
	table:    "model_versions v",
	one:      "v.model = ? AND v.version = ?",
	attributes: map[string]string{"name": "v.model", "run_id": "v.run_id", "source_path": "v.source", "version_number": "v.version",
		"creation_timestamp": "v.creation_time", "last_updated_timestamp": "v.last_updated_time"},
	details: map[search.Kind]details{search.Tag: {"model_version_tags", "x.model = v.model AND x.version = v.version"}},
}

// versions returns the versions that the clauses select, without aliases.
func versions(tx *sql.Tx, clauses string, args ...any) ([]registry.ModelVersion, error) {
	type id struct {
		model   string
		version int
	}
	found, err := query(tx, func(r *sql.Rows) (v registry.ModelVersion, err error) {
		v.Status = "READY"
		err = r.Scan(&v.Name, &v.Version, &v.CurrentStage, &v.Description, &v.Source, &v.RunID, &v.ModelID, &v.RunLink,
			&v.CreationTime, &v.LastUpdateTime)
		return v, err
	}, `SELECT v.model, v.version, v.stage, v.description, v.source, v.run_id, v.model_id, v.run_link,
		v.creation_time, v.last_updated_time FROM model_versions v`+clauses, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	ids := make([][2]any, len(found))
	for i, v := range found {
		ids[i] = [2]any{v.Name, v.Number()}
	}
	tags := map[id][]registry.Tag{}
	_, err = query(tx, func(r *sql.Rows) (struct{}, error) {
		var of id
		var t registry.Tag
		err := r.Scan(&of.model, &of.version, &t.Key, &t.Value)
		tags[of] = append(tags[of], t)
		return struct{}{}, err
	}, `SELECT t.model, t.version, t.key, t.value FROM json_each(?) j
		CROSS JOIN model_version_tags t ON t.model = j.value ->> 0 AND t.version = j.value ->> 1`, jsonList(ids))
	for i := range found {
		found[i].Tags = tags[id{found[i].Name, found[i].Number()}]
	}
	return found, err
}

// oneVersion returns a version that is not deleted, with its aliases.
func oneVersion(tx *sql.Tx, name, version string) (registry.ModelVersion, error) {
	n, err := registry.ParseVersion(version)
	if err != nil {
		return registry.ModelVersion{}, err
	}
	found, err := versions(tx, " WHERE v.model = ? AND v.version = ? AND NOT v.deleted", name, n)
	if err != nil {
		return registry.ModelVersion{}, err
	}
	if len(found) == 0 {
		return registry.ModelVersion{}, registry.Errorf(registry.ResourceDoesNotExist, "Model Version (name=%s, version=%s) not found", name, version)
	}
	v := found[0]
	v.Aliases, err = query(tx, func(r *sql.Rows) (alias string, err error) { return alias, r.Scan(&alias) },
		`SELECT alias FROM aliases WHERE model = ? AND version = ? ORDER BY alias`, name, n)
	return v, err
}

// latestVersions returns the highest version of each stage of the models in a
// JSON list of names.
func latestVersions(tx *sql.Tx, names string) (map[string][]registry.ModelVersion, error) {
	found, err := versions(tx, ` WHERE (v.model, v.version) IN (SELECT model, max(version) FROM model_versions
			WHERE NOT deleted AND model IN (SELECT value FROM json_each(?)) GROUP BY model, stage)
		ORDER BY v.model, v.version`, names)
	latest := map[string][]registry.ModelVersion{}
	for _, v := range found {
		latest[v.Name] = append(latest[v.Name], v)
	}
	return latest, err
}

// LatestVersions implements registry.Models.
func (s *Store) LatestVersions(ctx context.Context, name string, stages []string) ([]registry.ModelVersion, error) {
	var wanted []registry.Stage
	for _, stage := range stages {
		st, err := registry.ParseStage(stage)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, st)
	}
	return reading(ctx, s, func(tx *sql.Tx) ([]registry.ModelVersion, error) {
		m, err := oneModel(tx, name)
		if err != nil {
			return nil, err
		}
		latest := m.LatestVersions
		if len(wanted) > 0 {
			latest = slices.DeleteFunc(latest, func(v registry.ModelVersion) bool { return !slices.Contains(wanted, v.CurrentStage) })
		}
		for i := range latest {
			if latest[i], err = oneVersion(tx, name, latest[i].Version); err != nil {
				return nil, err
			}
		}
		return latest, nil
	})
}

// GetModelVersion implements registry.Versions.
func (s *Store) GetModelVersion(ctx context.Context, name, version string) (registry.ModelVersion, error) {
	return reading(ctx, s, func(tx *sql.Tx) (registry.ModelVersion, error) { return oneVersion(tx, name, version) })
}

// SearchModelVersions implements registry.Versions. It hides models that hold a
// prompt unless the filter asks for them.
func (s *Store) SearchModelVersions(ctx context.Context, q registry.ModelQuery) (registry.Page[registry.ModelVersion], error) {
	var none registry.Page[registry.ModelVersion]
	limit, err := registry.CheckMaxResults(q.MaxResults, 10000, registry.MaxModelVersions)
	if err != nil {
		return none, err
	}
	tie := []term{{"v.last_updated_time", true}, {"v.model", false}, {"v.version", true}}
	sel, conditions, err := compile(versionSource, q.Filter, q.OrderBy, q.PageToken, limit, tie...)
	if err != nil {
		return none, err
	}
	conditions = sel.prompts(conditions, `v.model IN (SELECT model FROM model_version_tags WHERE key = 'mlflow.prompt.is_prompt' AND value = 'true')`)
	sel.and("NOT v.deleted")
	sel.filter(versionSource, conditions)
	clauses, args := sel.clauses()
	return reading(ctx, s, func(tx *sql.Tx) (registry.Page[registry.ModelVersion], error) {
		found, err := versions(tx, clauses, args...)
		if err != nil {
			return none, err
		}
		return nextPage(tx, sel, versionSource, found, func(v registry.ModelVersion) []any { return []any{v.Name, v.Number()} })
	})
}

// changeVersion runs do in a transaction with the number of a version that is
// not deleted, and marks its model as updated.
func (s *Store) changeVersion(ctx context.Context, name, version string, do func(tx *sql.Tx, n int) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		v, err := oneVersion(tx, name, version)
		if err != nil {
			return err
		}
		if _, err := exec(tx, `UPDATE registered_models SET last_updated_time = ? WHERE name = ?`, now(), name); err != nil {
			return err
		}
		return do(tx, v.Number())
	})
}

// editVersion is changeVersion for what changes the version itself, which it returns.
func (s *Store) editVersion(ctx context.Context, name, version string, do func(tx *sql.Tx, n int) error) (v registry.ModelVersion, err error) {
	err = s.changeVersion(ctx, name, version, func(tx *sql.Tx, n int) error {
		if _, err := exec(tx, `UPDATE model_versions SET last_updated_time = ? WHERE model = ? AND version = ?`, now(), name, n); err != nil {
			return err
		}
		if err := do(tx, n); err != nil {
			return err
		}
		v, err = oneVersion(tx, name, strconv.Itoa(n))
		return err
	})
	return v, err
}

// UpdateModelVersion implements registry.Versions.
func (s *Store) UpdateModelVersion(ctx context.Context, name, version, description string) (registry.ModelVersion, error) {
	return s.editVersion(ctx, name, version, func(tx *sql.Tx, n int) error {
		_, err := exec(tx, `UPDATE model_versions SET description = ? WHERE model = ? AND version = ?`, description, name, n)
		return err
	})
}

// DeleteModelVersion implements registry.Versions.
func (s *Store) DeleteModelVersion(ctx context.Context, name, version string) error {
	return s.changeVersion(ctx, name, version, func(tx *sql.Tx, n int) error {
		_, err := exec(tx, `UPDATE model_versions SET deleted = 1, description = '', source = '', storage_location = '',
			run_id = '', model_id = '', run_link = '', last_updated_time = ? WHERE model = ? AND version = ?`, now(), name, n)
		for _, table := range []string{"aliases", "model_version_tags"} {
			if err == nil {
				_, err = exec(tx, fmt.Sprintf(`DELETE FROM %s WHERE model = ? AND version = ?`, table), name, n)
			}
		}
		return err
	})
}

// TransitionStage implements registry.Versions.
func (s *Store) TransitionStage(ctx context.Context, name, version, stage string, archive bool) (registry.ModelVersion, error) {
	to, err := registry.ParseStage(stage)
	if err != nil {
		return registry.ModelVersion{}, err
	}
	if archive && to != registry.StageStaging && to != registry.StageProduction {
		return registry.ModelVersion{}, registry.Errorf(registry.InvalidParameterValue,
			"Model version transition cannot archive existing model versions because '%s' is not an Active stage. Valid stages are Staging, Production", to)
	}
	return s.editVersion(ctx, name, version, func(tx *sql.Tx, n int) error {
		if archive {
			_, err := exec(tx, `UPDATE model_versions SET stage = 'Archived', last_updated_time = ?
				WHERE model = ? AND version != ? AND stage = ? AND NOT deleted`, now(), name, n, to)
			if err != nil {
				return err
			}
		}
		_, err := exec(tx, `UPDATE model_versions SET stage = ? WHERE model = ? AND version = ?`, to, name, n)
		return err
	})
}

// SetModelVersionTag implements registry.Versions.
func (s *Store) SetModelVersionTag(ctx context.Context, name, version string, tag registry.Tag) error {
	if err := registry.CheckModelTag(tag); err != nil {
		return err
	}
	return s.changeVersion(ctx, name, version, func(tx *sql.Tx, n int) error { return setVersionTag(tx, name, n, tag) })
}

func setVersionTag(tx *sql.Tx, name string, n int, t registry.Tag) error {
	_, err := exec(tx, `INSERT INTO model_version_tags (model, version, key, value) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value`, name, n, t.Key, t.Value)
	return err
}

// DeleteModelVersionTag implements registry.Versions.
func (s *Store) DeleteModelVersionTag(ctx context.Context, name, version, key string) error {
	return s.changeVersion(ctx, name, version, func(tx *sql.Tx, n int) error {
		_, err := exec(tx, `DELETE FROM model_version_tags WHERE model = ? AND version = ? AND key = ?`, name, n, key)
		return err
	})
}

// ModelVersionURI implements registry.Versions.
func (s *Store) ModelVersionURI(ctx context.Context, name, version string) (string, error) {
	return reading(ctx, s, func(tx *sql.Tx) (uri string, err error) {
		v, err := oneVersion(tx, name, version)
		if err != nil {
			return "", err
		}
		err = tx.QueryRow(`SELECT storage_location FROM model_versions WHERE model = ? AND version = ?`, name, v.Number()).Scan(&uri)
		return strings.TrimSuffix(uri, "/"), err
	})
}
