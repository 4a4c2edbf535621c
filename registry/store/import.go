package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"

	"github.com/taximeter/taximeter/registry"
)

// Imported is what Import added. What was there already is not counted.
type Imported struct {
	Experiments  int      `json:"experiments"`
	Runs         int      `json:"runs"`
	Points       int64    `json:"points"`
	LoggedModels int      `json:"logged_models"`
	Models       int      `json:"registered_models"`
	Versions     int      `json:"model_versions"`
	Files        int      `json:"files"`
	Bytes        int64    `json:"bytes"`
	Notes        []string `json:"notes"` // what could not be taken over as it was
}

// Import adds all of an archive to the store, artifacts too. Runs, logged models
// and versions keep their ids; experiments and registered models are recognised
// by name, and what is here already is added to, not changed. So it may be
// interrupted, and done again when the archive has grown. It calls progress now
// and then, with what it has added so far.
func (s *Store) Import(ctx context.Context, a registry.Archive, progress func(Imported)) (Imported, error) {
	im := importer{ctx: ctx, store: s, archive: a, progress: progress, places: map[string]string{}}
	im.done.Notes = []string{}
	experiments, err := a.Experiments(ctx)
	if err != nil {
		return im.done, fmt.Errorf("import: %w", err)
	}
	for _, e := range experiments {
		if err := im.experiment(e); err != nil {
			return im.done, fmt.Errorf("import experiment %s: %w", e.Name, err)
		}
	}
	models, err := a.RegisteredModels(ctx)
	for _, m := range models {
		if err == nil {
			if err = im.model(m); err != nil {
				err = fmt.Errorf("registered model %s: %w", m.Name, err)
			}
		}
	}
	if err != nil {
		return im.done, fmt.Errorf("import: %w", err)
	}
	return im.done, nil
}

type importer struct {
	ctx      context.Context
	store    *Store
	archive  registry.Archive
	progress func(Imported)
	done     Imported
	places   map[string]string // the URIs where artifacts of runs and logged models were, and are
}

func (im *importer) note(format string, args ...any) {
	im.done.Notes = append(im.done.Notes, fmt.Sprintf(format, args...))
}

// remote reports whether artifacts are where clients reach them by themselves:
// they stay there.
func remote(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme != "" && u.Scheme != registry.ArtifactScheme && registry.CheckArtifactLocation(uri) == nil
}

func (im *importer) experiment(e registry.Experiment) error {
	n, location, err := im.findOrMakeExperiment(e)
	if err != nil {
		return err
	}
	models, err := im.archive.LoggedModels(im.ctx, e.ID)
	if err != nil {
		return err
	}
	for _, m := range models {
		if err := im.loggedModel(n, location, m); err != nil {
			return fmt.Errorf("logged model %s: %w", m.Info.ModelID, err)
		}
	}
	return im.archive.Runs(im.ctx, e.ID, func(r registry.ArchivedRun) error {
		if err := im.run(n, location, r); err != nil {
			return fmt.Errorf("run %s: %w", r.Info.RunID, err)
		}
		im.progress(im.done)
		return nil
	})
}

// findOrMakeExperiment returns the number of the experiment of e's name, and its
// artifact location. A new one gets e's number, if that is free.
func (im *importer) findOrMakeExperiment(e registry.Experiment) (n int64, location string, err error) {
	err = im.store.write(im.ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`SELECT id, artifact_location FROM experiments WHERE name = ?`, e.Name).Scan(&n, &location)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err != nil {
			var id any // NULL: the next
			if number, parseErr := strconv.ParseInt(e.ID, 10, 64); parseErr == nil {
				id = number
			}
			err = tx.QueryRow(`INSERT INTO experiments (id, name, artifact_location, stage, creation_time, last_update_time)
				VALUES (CASE WHEN NOT EXISTS (SELECT 1 FROM experiments WHERE id = ?1) THEN ?1 END, ?2, '', ?3, ?4, ?5) RETURNING id`,
				id, e.Name, e.Lifecycle, e.CreationTime, e.LastUpdateTime).Scan(&n)
			if err != nil {
				return err
			}
			if location = e.ArtifactLocation; !remote(location) {
				location = fmt.Sprintf("%s:/%d", registry.ArtifactScheme, n)
			}
			if _, err := exec(tx, `UPDATE experiments SET artifact_location = ? WHERE id = ?`, location, n); err != nil {
				return err
			}
			im.done.Experiments++
		}
		_, err = insertEach(tx, `INSERT INTO experiment_tags (experiment, key, value) VALUES %s ON CONFLICT DO NOTHING`,
			len(e.Tags), func(args []any, i int) []any { return append(args, n, e.Tags[i].Key, e.Tags[i].Value) })
		return err
	})
	return n, location, err
}

// files copies what is below a URI of the archive to one of ours. What is there
// already in the same size is not copied again.
func (im *importer) files(from, to, what string) error {
	if from == to && remote(from) {
		return nil
	}
	files := im.archive.Artifacts(from)
	if files == nil {
		return nil
	}
	root, err := registry.ArtifactName(to)
	if err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err = errors.Join(err, context.Cause(im.ctx)); err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			im.note("%s: %s is no file and was left out", what, name)
			return nil
		}
		return im.file(files, name, path.Join(root, name), what)
	})
}

func (im *importer) file(files fs.FS, from, to, what string) error {
	f, err := files.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if has, err := im.store.files.Stat(to); err == nil && !has.IsDir && has.Size == st.Size() {
		return nil
	}
	err = im.store.PutFile(im.ctx, to, f)
	if registry.CodeOf(err) == registry.InvalidParameterValue {
		im.note("%s: %s was left out: %v", what, from, err)
		return nil
	}
	im.done.Files, im.done.Bytes = im.done.Files+1, im.done.Bytes+st.Size()
	im.progress(im.done)
	return err
}
