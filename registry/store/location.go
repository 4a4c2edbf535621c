package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/data/blob"
	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
)

// Location says where a store keeps things.
type Location struct {
	Database  string // path of the SQLite file
	Artifacts string // directory of what mlflow-artifacts:/… URIs name

	// Root is the URI below which experiments keep their artifacts if they do
	// not say where; empty: mlflow-artifacts:/.
	Root string

	// Local are directories of this machine, absolute, that experiments may
	// keep their artifacts in as well, as file:///… or as a path. Clients then
	// read and write them by themselves; the store reads them for who asks it.
	Local []string
}

// Open opens the store in dir, making it where there is none: registry.db and
// the directory artifacts. The caller closes it.
func Open(ctx context.Context, dir string) (*Store, error) {
	return OpenAt(ctx, Location{Database: filepath.Join(dir, "registry.db"), Artifacts: filepath.Join(dir, "artifacts")})
}

// OpenAt opens the store at a location, making it where there is none. The
// caller closes it.
func OpenAt(ctx context.Context, at Location) (*Store, error) {
	schema, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	s := &Store{root: strings.TrimSuffix(at.Root, "/")}
	if s.db, err = sqlite.Open(ctx, at.Database, sqlite.Config{Migrations: schema}); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	s.files, err = blob.OpenDir(at.Artifacts)
	for _, dir := range at.Local {
		if err == nil {
			var files *blob.Dir
			if files, err = blob.OpenDir(dir); err == nil {
				s.local = append(s.local, localRoot{path.Clean(filepath.ToSlash(dir)), files})
			}
		}
	}
	if err == nil && s.root != "" {
		err = s.moveDefault(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open registry: %w", err), s.Close())
	}
	return s, nil
}

// Close closes the store.
func (s *Store) Close() error {
	var errs []error
	if s.files != nil {
		errs = append(errs, s.files.Close())
	}
	for _, l := range s.local {
		errs = append(errs, l.files.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// moveDefault moves the experiment that every store begins with below the root,
// as long as it has no runs.
func (s *Store) moveDefault(ctx context.Context) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE experiments SET artifact_location = ? WHERE id = 0 AND NOT EXISTS (SELECT 1 FROM runs WHERE experiment = 0)`,
			s.defaultLocation(0))
		return err
	})
}

func (s *Store) defaultLocation(experiment int64) string {
	if s.root != "" {
		return s.root + "/" + strconv.FormatInt(experiment, 10)
	}
	return fmt.Sprintf("%s:/%d", registry.ArtifactScheme, experiment)
}

// localRoot is a directory beside the store's own.
type localRoot struct {
	path  string // absolute, slashes
	files *blob.Dir
}

// name returns the name below the root of a path, and whether it is there.
func (l localRoot) name(place string) (string, bool) {
	if place == l.path {
		return "", true
	}
	return strings.CutPrefix(place, strings.TrimSuffix(l.path, "/")+"/")
}

// allows tells whether an artifact URI names a place in a local directory.
func (s *Store) allows(uri string) bool {
	place, ok := registry.LocalPath(uri)
	if !ok {
		return false
	}
	for _, l := range s.local {
		if _, inside := l.name(place); inside {
			return true
		}
	}
	return false
}

// at returns where the file or folder is that a path below an artifact URI names.
func (s *Store) at(uri, name string) (files *blob.Dir, full string, err error) {
	if name != "" {
		if err := registry.CheckArtifactPath(name); err != nil {
			return nil, "", err
		}
	}
	if place, ok := registry.LocalPath(uri); ok {
		for _, l := range s.local {
			if root, inside := l.name(place); inside {
				return l.files, path.Join(root, name), nil
			}
		}
	}
	root, err := registry.ArtifactName(uri)
	return s.files, path.Join(root, name), err
}
