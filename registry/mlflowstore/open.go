// Package mlflowstore reads the stores that MLflow itself keeps on disk: a
// SQLite database (mlflow.db, of MLflow 2 and 3) or a folder of files (mlruns).
// It never writes to them, and does not know where what it reads goes.
package mlflowstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// Archive is an open store of MLflow's. The caller closes it.
type Archive interface {
	registry.Archive
	Close() error
}

// Open opens the store at path: a database file, or a folder such as mlruns.
// The folder artifacts is what the server that used the store was given as
// --artifacts-destination; empty means mlartifacts beside the store.
func Open(ctx context.Context, path, artifacts string) (Archive, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open MLflow's store: %w", err)
	}
	if artifacts == "" {
		artifacts = filepath.Join(filepath.Dir(path), "mlartifacts")
	}
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open MLflow's store: %w", err)
	}
	where := places{proxied: artifacts, relative: filepath.Dir(path)}
	if st.IsDir() {
		return openFolder(path, where)
	}
	return openDatabase(ctx, path, where)
}

// places knows where artifact URIs lead to.
type places struct {
	proxied  string // what mlflow-artifacts:/ stands for
	relative string // where relative paths begin
}

// Artifacts implements registry.Archive.
func (p places) Artifacts(uri string) fs.FS {
	dir := p.dir(uri)
	if st, err := os.Stat(dir); dir == "" || err != nil || !st.IsDir() {
		return nil
	}
	return os.DirFS(dir)
}

// dir returns the directory that a URI stands for; "" if it stands for none.
func (p places) dir(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "" || len(u.Scheme) == 1: // a path, which may hold anything
		if uri == "" {
			return ""
		}
		if !filepath.IsAbs(uri) {
			return filepath.Join(p.relative, filepath.FromSlash(uri))
		}
		return uri
	case u.Scheme == "file":
		return filepath.FromSlash(u.Path)
	case u.Scheme == registry.ArtifactScheme:
		name := strings.Trim(u.Path+u.Opaque, "/")
		if !filepath.IsLocal(name) {
			return ""
		}
		return filepath.Join(p.proxied, filepath.FromSlash(name))
	}
	return ""
}

var statuses = []registry.RunStatus{"", registry.Running, registry.Scheduled, registry.Finished, registry.Failed, registry.Killed}

var modelStatuses = []registry.LoggedModelStatus{"", registry.ModelPending, registry.ModelReady, registry.ModelUploadFailed}

// numbered returns the name that a number stands for.
func numbered[T ~string](names []T, n int, what string) (T, error) {
	if n < 1 || n >= len(names) {
		return "", fmt.Errorf("%s %d is not known", what, n)
	}
	return names[n], nil
}

var errNotMLflow = errors.New("it is no store of MLflow's")
