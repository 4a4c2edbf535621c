package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

// FS returns the artifacts below a mlflow-artifacts:/… URI, such as
// Versions.ModelVersionURI returns, as a read-only file system. Each operation
// on it asks files; it has no cache and no modification times.
func FS(ctx context.Context, files Files, uri string) (fs.FS, error) {
	root, err := ArtifactName(uri)
	if err != nil {
		return nil, err
	}
	return artifactFS{ctx, files, root}, nil
}

type artifactFS struct {
	ctx   context.Context
	files Files
	root  string
}

func (a artifactFS) name(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return path.Join(a.root, name), nil
}

// Open opens a file by reading it whole, or a folder by listing it.
func (a artifactFS) Open(name string) (fs.File, error) {
	full, err := a.name("open", name)
	if err != nil {
		return nil, err
	}
	content, err := a.read(full)
	if err == nil {
		return &file{Reader: bytes.NewReader(content), info: info{path.Base(name), int64(len(content)), 0o444}}, nil
	}
	entries, listErr := a.ReadDir(name)
	if listErr == nil && (len(entries) > 0 || name == ".") {
		return &folder{info{path.Base(name), 0, fs.ModeDir | 0o555}, entries}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.Join(notExist(err), listErr)}
}

// ReadFile returns the bytes of a file.
func (a artifactFS) ReadFile(name string) ([]byte, error) {
	full, err := a.name("read", name)
	if err != nil {
		return nil, err
	}
	content, err := a.read(full)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: notExist(err)}
	}
	return content, nil
}

// ReadDir lists a folder, sorted by name.
func (a artifactFS) ReadDir(name string) ([]fs.DirEntry, error) {
	full, err := a.name("readdir", name)
	if err != nil {
		return nil, err
	}
	if full == "." {
		full = ""
	}
	found, err := a.files.ListFiles(a.ctx, full)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: notExist(err)}
	}
	entries := make([]fs.DirEntry, len(found))
	for i, f := range found {
		mode := fs.FileMode(0o444)
		if f.IsDir {
			mode = fs.ModeDir | 0o555
		}
		entries[i] = fs.FileInfoToDirEntry(info{f.Path, f.Size, mode})
	}
	return entries, nil
}

func (a artifactFS) read(full string) ([]byte, error) {
	r, err := a.files.OpenFile(a.ctx, full)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// notExist makes a coded "no such artifact" one that fs.ErrNotExist matches too.
func notExist(err error) error {
	if CodeOf(err) == ResourceDoesNotExist {
		return errors.Join(fs.ErrNotExist, err)
	}
	return err
}

type file struct {
	*bytes.Reader
	info info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

type folder struct {
	info    info
	entries []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }
func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: errors.New("is a directory")}
}

func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(f.entries) {
		if n > 0 && len(f.entries) == 0 {
			return nil, io.EOF
		}
		n = len(f.entries)
	}
	some := f.entries[:n]
	f.entries = f.entries[n:]
	return some, nil
}

type info struct {
	name string
	size int64
	mode fs.FileMode
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
