// Package blob puts and gets named bytes: files below one directory. It does
// not know what the bytes mean. A name is a slash-separated relative path; one
// that would leave the directory is refused by os.Root, whatever links it
// follows. (S3 and GCS stores join this one later, behind the same methods.)
package blob

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Dir is a blob store in a directory. It is safe for concurrent use, also by
// several processes: a blob appears whole or not at all.
type Dir struct {
	root *os.Root
}

// Info describes one blob, or one folder of blobs.
type Info struct {
	Name    string // relative to the store
	Size    int64  // bytes; 0 for a folder
	IsDir   bool
	ModTime time.Time
}

// ErrName is wrapped by the errors about names that no blob can have.
var ErrName = errors.New("invalid blob name")

const tempPrefix = ".tmp-"

// OpenDir opens the store at path, making the directory where there is none.
// The caller closes it.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("open blob directory: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open blob directory: %w", err)
	}
	return &Dir{root: root}, nil
}

// Close releases the directory.
func (d *Dir) Close() error { return d.root.Close() }

// Put stores everything r gives under name, replacing what was there. When it
// returns, the bytes are on the disk: written aside, synced, then renamed.
func (d *Dir) Put(ctx context.Context, name string, r io.Reader) (Info, error) {
	if err := checkName(name); err != nil {
		return Info{}, err
	}
	folder := path.Dir(name)
	if err := d.root.MkdirAll(folder, 0o755); err != nil {
		return Info{}, fmt.Errorf("put %s: %w", name, err)
	}
	temp := path.Join(folder, tempPrefix+rand.Text())
	f, err := d.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return Info{}, fmt.Errorf("put %s: %w", name, err)
	}
	info, err := fill(ctx, f, r)
	if err == nil {
		err = d.root.Rename(temp, name)
	}
	if err == nil {
		err = d.sync(folder)
	}
	if err != nil {
		_ = d.root.Remove(temp) // may be renamed already; the first error is the one to tell
		return Info{}, fmt.Errorf("put %s: %w", name, err)
	}
	info.Name = name
	return info, nil
}

// fill writes r to f, syncs and closes it.
func fill(ctx context.Context, f *os.File, r io.Reader) (Info, error) {
	w := bufio.NewWriterSize(f, 1<<16)
	size, err := io.Copy(w, reader{ctx, r})
	err = errors.Join(err, w.Flush())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return Info{}, err
	}
	return Info{Size: size, ModTime: time.Now()}, nil
}

// sync makes a rename in folder durable.
func (d *Dir) sync(folder string) error {
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// reader stops reading once its context is done.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Open opens the blob for reading; the caller closes it. The error wraps
// fs.ErrNotExist where there is no such blob. The file seeks.
func (d *Dir) Open(name string) (*os.File, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, notExist(err))
	}
	if st, err := f.Stat(); err != nil || st.IsDir() {
		_ = f.Close()
		return nil, fmt.Errorf("open %s: %w", name, errors.Join(err, fs.ErrNotExist))
	}
	return f, nil
}

// ReadFile returns the whole blob.
func (d *Dir) ReadFile(name string) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Stat describes the blob or folder called name.
func (d *Dir) Stat(name string) (Info, error) {
	if err := checkName(name); err != nil {
		return Info{}, err
	}
	st, err := d.root.Stat(name)
	if err != nil {
		return Info{}, fmt.Errorf("stat %s: %w", name, notExist(err))
	}
	return describe(name, st), nil
}

// List returns what is directly in folder ("" is the whole store), sorted by
// name: blobs and folders, not what is still being written. A folder that is
// not there is empty.
func (d *Dir) List(folder string) ([]Info, error) {
	if folder == "" {
		folder = "."
	} else if err := checkName(folder); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(d.root.FS(), folder)
	if errors.Is(notExist(err), fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", folder, err)
	}
	infos := make([]Info, 0, len(entries))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", folder, err)
		}
		infos = append(infos, describe(path.Join(folder, e.Name()), st))
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return infos, nil
}

// Delete removes the blob, or the folder with all that is in it. What is not
// there is no error.
func (d *Dir) Delete(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := d.root.RemoveAll(name); err != nil && !errors.Is(notExist(err), fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}

func describe(name string, st fs.FileInfo) Info {
	info := Info{Name: name, IsDir: st.IsDir(), ModTime: st.ModTime()}
	if !info.IsDir {
		info.Size = st.Size()
	}
	return info
}

// notExist turns "a parent of this path is a file" into fs.ErrNotExist: to a
// caller of names, both mean that nothing is there.
func notExist(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	return err
}

func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.HasPrefix(path.Base(name), tempPrefix) ||
		strings.ContainsAny(name, "\x00\\") {
		return fmt.Errorf("%w %q: want a relative path such as folder/file", ErrName, name)
	}
	return nil
}
