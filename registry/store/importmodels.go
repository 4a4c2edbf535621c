package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// model adds a registered model, or what of it is not here yet.
func (im *importer) model(m registry.ArchivedModel) error {
	locations := make([]string, len(m.Versions))
	for i, v := range m.Versions {
		var err error
		if locations[i], err = im.location(v); err != nil {
			return fmt.Errorf("version %s: %w", v.Version, err)
		}
	}
	err := im.store.write(im.ctx, func(tx *sql.Tx) error {
		added, err := exec(tx, `INSERT INTO registered_models (name, description, creation_time, last_updated_time) VALUES (?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, m.Name, m.Description, m.CreationTime, m.LastUpdateTime)
		if err != nil {
			return err
		}
		im.done.Models += int(added)
		_, err = insertEach(tx, `INSERT INTO registered_model_tags (model, key, value) VALUES %s ON CONFLICT DO NOTHING`, len(m.Tags),
			func(args []any, i int) []any { return append(args, m.Name, m.Tags[i].Key, m.Tags[i].Value) })
		for i, v := range m.Versions {
			if err == nil {
				err = im.version(tx, v, locations[i])
			}
		}
		if err != nil {
			return err
		}
		for _, a := range m.Aliases { // of a version that is deleted there may be one left over
			_, err := exec(tx, `INSERT INTO aliases (model, alias, version)
				SELECT model, ?, version FROM model_versions WHERE model = ? AND version = ? AND NOT deleted ON CONFLICT DO NOTHING`, a.Alias, m.Name, a.Version)
			if err != nil {
				return fmt.Errorf("alias %s: %w", a.Alias, err)
			}
		}
		return nil
	})
	im.progress(im.done)
	return err
}

// version adds a version, unless its number is taken here.
func (im *importer) version(tx *sql.Tx, v registry.ArchivedVersion, location string) error {
	if v.Deleted {
		v.ModelVersion = registry.ModelVersion{Name: v.Name, Version: v.Version, CreationTime: v.CreationTime, LastUpdateTime: v.LastUpdateTime, CurrentStage: registry.StageNone}
		location = ""
	} else if _, isURI, _ := strings.Cut(v.Source, ":/"); isURI == "" || strings.HasPrefix(v.Source, "file:") || strings.HasPrefix(v.Source, registry.ArtifactScheme+":") {
		v.Source = location
	}
	added, err := exec(tx, `INSERT INTO model_versions (model, version, stage, description, source, storage_location, run_id, model_id, run_link,
			deleted, creation_time, last_updated_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		v.Name, v.Version, v.CurrentStage, v.Description, v.Source, location, v.RunID, v.ModelID, v.RunLink, v.Deleted, v.CreationTime, v.LastUpdateTime)
	if err != nil {
		return err
	}
	if added == 0 {
		var run string
		err := tx.QueryRow(`SELECT run_id FROM model_versions WHERE model = ? AND version = ?`, v.Name, v.Version).Scan(&run)
		if err == nil && run != v.RunID {
			im.note("version %s of %s is another one here (of run %s, not %s) and was left as it is", v.Version, v.Name, run, v.RunID)
			return nil
		}
		if err != nil || v.Deleted {
			return err
		}
	}
	im.done.Versions += int(added)
	_, err = insertEach(tx, `INSERT INTO model_version_tags (model, version, key, value) VALUES %s ON CONFLICT DO NOTHING`, len(v.Tags),
		func(args []any, i int) []any { return append(args, v.Name, v.Version, v.Tags[i].Key, v.Tags[i].Value) })
	return err
}

// location returns where the files of a version are here: in the artifacts of
// its run or logged model, or copied to a place of their own.
func (im *importer) location(v registry.ArchivedVersion) (string, error) {
	if v.Deleted || remote(v.Location) {
		return v.Location, nil
	}
	if rest, ok := strings.CutPrefix(v.Location, "runs:/"); ok {
		run, name, _ := strings.Cut(strings.Trim(rest, "/"), "/")
		uri, err := im.uri(`SELECT artifact_uri FROM runs WHERE id = ?`, run)
		return below(uri, name), err
	}
	if id, ok := strings.CutPrefix(v.Location, "models:/"); ok {
		return im.uri(`SELECT artifact_uri FROM logged_models WHERE id = ?`, id)
	}
	for from := strings.TrimRight(v.Location, "/"); ; {
		if to, ok := im.places[from]; ok {
			return to + strings.TrimPrefix(strings.TrimRight(v.Location, "/"), from), nil
		}
		cut := strings.LastIndexByte(from, '/')
		if cut < 0 {
			break
		}
		from = from[:cut]
	}
	to := fmt.Sprintf("%s:/imported/%s/%s", registry.ArtifactScheme, v.Name, v.Version)
	if im.archive.Artifacts(v.Location) == nil {
		im.note("version %s of %s has no files: %s is not here", v.Version, v.Name, v.Location)
	}
	return to, im.files(v.Location, to, "version "+v.Version+" of "+v.Name)
}

// uri returns the artifact URI that a query finds; that of nothing where the run
// or logged model is gone.
func (im *importer) uri(text, id string) (string, error) {
	uri, err := reading(im.ctx, im.store, func(tx *sql.Tx) (uri string, err error) {
		err = tx.QueryRow(text, id).Scan(&uri)
		if errors.Is(err, sql.ErrNoRows) {
			im.note("%s, which a model version is of, is gone", id)
			return registry.ArtifactScheme + ":/gone/" + id, nil
		}
		return uri, err
	})
	return uri, err
}
