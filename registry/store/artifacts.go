package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/taximeter/taximeter/data/blob"
	"github.com/taximeter/taximeter/registry"
)

// PutArtifact implements registry.Artifacts.
func (s *Store) PutArtifact(ctx context.Context, runID, name string, r io.Reader) error {
	files, full, err := s.artifact(ctx, runID, name)
	if err != nil {
		return err
	}
	return put(ctx, files, full, r)
}

// CopyArtifact implements registry.Artifacts.
func (s *Store) CopyArtifact(ctx context.Context, runID, from, to string) error {
	files, source, err := s.artifact(ctx, runID, from)
	if err != nil {
		return err
	}
	_, full, err := s.artifact(ctx, runID, to)
	if err == nil {
		err = checkNew(files, full)
	}
	if err != nil {
		return err
	}
	f, err := open(files, source) // which says what is wrong with it
	if err != nil {
		return err
	}
	_ = f.Close() // it was not read
	return fileError(to, files.Link(ctx, source, full))
}

// OpenArtifact implements registry.Artifacts.
func (s *Store) OpenArtifact(ctx context.Context, runID, name string) (io.ReadCloser, error) {
	files, full, err := s.artifact(ctx, runID, name)
	if err != nil {
		return nil, err
	}
	return open(files, full)
}

// ListArtifacts implements registry.Artifacts.
func (s *Store) ListArtifacts(ctx context.Context, runID, name string) ([]registry.FileInfo, error) {
	files, full, err := s.artifact(ctx, runID, name)
	if err != nil {
		return nil, err
	}
	found, err := list(files, full)
	for i := range found {
		found[i].Path = path.Join(name, found[i].Path)
	}
	return found, err
}

// artifact returns where a run's artifact is.
func (s *Store) artifact(ctx context.Context, runID, name string) (files *blob.Dir, full string, err error) {
	uri, err := reading(ctx, s, func(tx *sql.Tx) (uri string, err error) {
		err = tx.QueryRow(`SELECT artifact_uri FROM runs WHERE id = ?`, runID).Scan(&uri)
		if errors.Is(err, sql.ErrNoRows) {
			err = noRun(runID)
		}
		return uri, err
	})
	if err != nil {
		return nil, "", err
	}
	return s.at(uri, name)
}

// OpenAt implements registry.Files.
func (s *Store) OpenAt(_ context.Context, uri, name string) (io.ReadCloser, error) {
	files, full, err := s.at(uri, name)
	if err != nil {
		return nil, err
	}
	return open(files, full)
}

// ListAt implements registry.Files.
func (s *Store) ListAt(_ context.Context, uri, name string) ([]registry.FileInfo, error) {
	files, full, err := s.at(uri, name)
	if err != nil {
		return nil, err
	}
	return list(files, full)
}

// PutFile implements registry.Files.
func (s *Store) PutFile(ctx context.Context, name string, r io.Reader) error {
	return put(ctx, s.files, name, r)
}

func put(ctx context.Context, files *blob.Dir, name string, r io.Reader) error {
	if err := checkNew(files, name); err != nil {
		return err
	}
	_, err := files.Put(ctx, name, r)
	return fileError(name, err)
}

// checkNew returns an error if no file can be stored under the name.
func checkNew(files *blob.Dir, name string) error {
	if err := registry.CheckArtifactPath(name); err != nil {
		return err
	}
	if strings.HasSuffix(name, "/") {
		return registry.Errorf(registry.InvalidParameterValue, "Artifact path must include a filename (cannot end with '/').")
	}
	if at, err := files.Stat(name); err == nil && at.IsDir {
		return isFolder(name)
	}
	return nil
}

// PutFiles implements registry.Files.
func (s *Store) PutFiles(ctx context.Context, files []registry.NewFile) error {
	all := make([]blob.File, len(files))
	var first []string
	for i, f := range files {
		first = append(first, f.Names[0])
		for _, name := range f.Names {
			if err := checkNew(s.files, name); err != nil {
				return err
			}
		}
		all[i] = blob.File(f)
	}
	return fileError(strings.Join(first, "', '"), s.files.PutAll(ctx, all))
}

// OpenFile implements registry.Files. The file is an io.Seeker too.
func (s *Store) OpenFile(_ context.Context, name string) (io.ReadCloser, error) {
	return open(s.files, name)
}

func open(files *blob.Dir, name string) (io.ReadCloser, error) {
	if err := registry.CheckArtifactPath(name); err != nil {
		return nil, err
	}
	if at, err := files.Stat(name); err != nil {
		return nil, fileError(name, err)
	} else if at.IsDir {
		return nil, isFolder(name)
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	return f, nil
}

// ListFiles implements registry.Files.
func (s *Store) ListFiles(_ context.Context, name string) ([]registry.FileInfo, error) {
	return list(s.files, name)
}

func list(files *blob.Dir, name string) ([]registry.FileInfo, error) {
	name = strings.Trim(name, "/")
	if name != "" {
		if err := registry.CheckArtifactPath(name); err != nil {
			return nil, err
		}
	}
	found, err := files.List(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	infos := make([]registry.FileInfo, len(found))
	for i, f := range found {
		infos[i] = registry.FileInfo{Path: path.Base(f.Name), IsDir: f.IsDir, Size: f.Size}
	}
	return infos, nil
}

// DeleteFiles implements registry.Files.
func (s *Store) DeleteFiles(_ context.Context, name string) error {
	name = strings.TrimSuffix(name, "/")
	if err := registry.CheckArtifactPath(name); err != nil {
		return err
	}
	return fileError(name, s.files.Delete(name))
}

func isFolder(name string) error {
	return registry.Errorf(registry.InvalidParameterValue, "Artifact path refers to a directory, not a file: '%s'", name)
}

// fileError gives what the blob directory says a code where the name is to
// blame, and leaves trouble with the disk as it is.
func fileError(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return registry.Errorf(registry.ResourceDoesNotExist, "No such artifact: '%s'", name)
	case errors.Is(err, blob.ErrName), errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ENOTDIR),
		errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.EEXIST), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.EINVAL),
		strings.Contains(err.Error(), "path escapes from parent"): // os.Root gives this one no name
		return registry.Errorf(registry.InvalidParameterValue, "Invalid path: '%s'", name)
	}
	return fmt.Errorf("artifact %s: %w", name, err)
}
