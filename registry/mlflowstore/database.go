package mlflowstore

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the driver

	"github.com/taximeter/taximeter/registry"
)

// database is a mlflow.db.
type database struct {
	places
	db      *sql.DB
	columns map[string]bool // "table.column" of those there are; "table." of tables
}

func openDatabase(ctx context.Context, path string, where places) (*database, error) {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	db, err := sql.Open("sqlite3", u.String()+"?mode=ro&_busy_timeout=30000&_query_only=true")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	d := &database{places: where, db: db, columns: map[string]bool{}}
	err = d.each(ctx, func(scan scanner) error {
		var table, column string
		err := scan(&table, &column)
		d.columns[table+"."], d.columns[table+"."+column] = true, true
		return err
	}, `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
	if err == nil && !(d.columns["alembic_version."] && d.columns["runs.run_uuid"] && d.columns["experiments.experiment_id"]) {
		err = errNotMLflow
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return d, nil
}

func (d *database) Close() error { return d.db.Close() }

type scanner func(into ...any) error

// each gives each row of a query to do.
func (d *database) each(ctx context.Context, do func(scan scanner) error, text string, args ...any) error {
	rows, err := d.db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// pick returns the column if the table has it, else a substitute.
func (d *database) pick(table, column, substitute string) string {
	if d.columns[table+"."+column] {
		return table + "." + column
	}
	return substitute
}

// here is the condition that rows of a table are in the default workspace, the
// only one that an older MLflow knows.
func (d *database) here(table string) string {
	return d.pick(table, "workspace", "'default'") + " = 'default'"
}

// tags returns keys with texts that a query finds.
func (d *database) tags(ctx context.Context, text string, args ...any) ([]registry.Tag, error) {
	var tags []registry.Tag
	err := d.each(ctx, func(scan scanner) error {
		var t registry.Tag
		err := scan(&t.Key, &t.Value)
		tags = append(tags, t)
		return err
	}, text, args...)
	return tags, err
}

// params is tags for params.
func (d *database) params(ctx context.Context, text string, args ...any) ([]registry.Param, error) {
	tags, err := d.tags(ctx, text, args...)
	params := make([]registry.Param, len(tags))
	for i, t := range tags {
		params[i] = registry.Param(t)
	}
	return params, err
}

// Experiments implements registry.Archive.
func (d *database) Experiments(ctx context.Context) ([]registry.Experiment, error) {
	var found []registry.Experiment
	err := d.each(ctx, func(scan scanner) error {
		var e registry.Experiment
		err := scan(&e.ID, &e.Name, &e.ArtifactLocation, &e.Lifecycle, &e.CreationTime, &e.LastUpdateTime)
		found = append(found, e)
		return err
	}, fmt.Sprintf(`SELECT CAST(experiment_id AS TEXT), name, coalesce(artifact_location, ''), lifecycle_stage, coalesce(%s, 0), coalesce(%s, 0)
		FROM experiments WHERE %s ORDER BY experiment_id`, d.pick("experiments", "creation_time", "0"), d.pick("experiments", "last_update_time", "0"), d.here("experiments")))
	for i := range found {
		if err == nil {
			found[i].Tags, err = d.tags(ctx, `SELECT key, coalesce(value, '') FROM experiment_tags WHERE experiment_id = ?`, found[i].ID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read experiments: %w", err)
	}
	return found, nil
}

// RegisteredModels implements registry.Archive.
func (d *database) RegisteredModels(ctx context.Context) ([]registry.ArchivedModel, error) {
	var found []registry.ArchivedModel
	err := d.each(ctx, func(scan scanner) error {
		var m registry.ArchivedModel
		err := scan(&m.Name, &m.Description, &m.CreationTime, &m.LastUpdateTime)
		found = append(found, m)
		return err
	}, `SELECT name, coalesce(description, ''), coalesce(creation_time, 0), coalesce(last_updated_time, 0) FROM registered_models WHERE `+d.here("registered_models")+` ORDER BY name`)
	for i := range found {
		if err == nil {
			err = d.fillModel(ctx, &found[i])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read registered models: %w", err)
	}
	return found, nil
}

func (d *database) fillModel(ctx context.Context, m *registry.ArchivedModel) (err error) {
	m.Tags, err = d.tags(ctx, `SELECT key, coalesce(value, '') FROM registered_model_tags WHERE name = ? AND `+d.here("registered_model_tags"), m.Name)
	if err == nil && d.columns["registered_model_aliases."] {
		var aliases []registry.Tag
		aliases, err = d.tags(ctx, `SELECT alias, CAST(version AS TEXT) FROM registered_model_aliases WHERE name = ? AND `+d.here("registered_model_aliases"), m.Name)
		for _, a := range aliases {
			m.Aliases = append(m.Aliases, registry.Alias{Alias: a.Key, Version: a.Value})
		}
	}
	if err != nil {
		return err
	}
	err = d.each(ctx, func(scan scanner) error {
		v := registry.ArchivedVersion{ModelVersion: registry.ModelVersion{Name: m.Name}}
		err := scan(&v.Version, &v.CreationTime, &v.LastUpdateTime, &v.Description, &v.CurrentStage, &v.Source, &v.RunID, &v.RunLink, &v.Location)
		v.Deleted = v.CurrentStage == deletedVersion
		if id, ok := strings.CutPrefix(v.Source, "models:/m-"); ok && !strings.Contains(id, "/") {
			v.ModelID = "m-" + id
		}
		m.Versions = append(m.Versions, v)
		return err
	}, fmt.Sprintf(`SELECT CAST(version AS TEXT), coalesce(creation_time, 0), coalesce(last_updated_time, 0), coalesce(description, ''), current_stage,
		coalesce(source, ''), coalesce(run_id, ''), coalesce(run_link, ''), coalesce(%s, source, '')
		FROM model_versions WHERE name = ? AND %s ORDER BY version`, d.pick("model_versions", "storage_location", "NULL"), d.here("model_versions")), m.Name)
	for i := range m.Versions {
		if err == nil {
			v := &m.Versions[i]
			v.Tags, err = d.tags(ctx, `SELECT key, coalesce(value, '') FROM model_version_tags WHERE name = ? AND version = ? AND `+d.here("model_version_tags"), m.Name, number(v.Version))
		}
	}
	return err
}

// deletedVersion is the stage of a version that MLflow has deleted.
const deletedVersion = "Deleted_Internal"

func number(version string) int {
	n, _ := strconv.Atoi(version) // made by CAST
	return n
}
