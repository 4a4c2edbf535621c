package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
)

// File is a file to put: the same bytes under each of its names, of which there
// is one at least.
type File struct {
	Names []string
	Bytes []byte // not to be changed
}

// PutAll stores all files, replacing what was there, and waits for the disk once
// for many of them. When it returns, the bytes are on the disk. The last file
// appears after all others, so that whoever finds it finds them, whatever
// happens meanwhile. After an error, some may be stored.
//
// The names of a file share its place on the disk (see Link).
func (d *Dir) PutAll(ctx context.Context, files []File) (err error) {
	for _, f := range files {
		for _, name := range f.Names {
			if err := checkName(name); err != nil {
				return err
			}
		}
	}
	drafts := make([]string, len(files))
	defer func() {
		for _, draft := range drafts {
			if draft != "" {
				err = errors.Join(err, d.root.Remove(draft))
			}
		}
		if err != nil {
			err = fmt.Errorf("put %d files: %w", len(files), err)
		}
	}()
	if err := atOnce(len(files), func(i int) (err error) { drafts[i], err = d.draft(ctx, files[i]); return err }); err != nil {
		return err
	}
	last := max(len(files)-1, 0)
	for _, part := range [][2]int{{0, last}, {last, len(files)}} {
		if err := d.publish(ctx, files[part[0]:part[1]], drafts[part[0]:part[1]]); err != nil {
			return err
		}
	}
	return nil
}

// draft writes the file aside, to the disk.
func (d *Dir) draft(ctx context.Context, f File) (temp string, err error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	folder := path.Dir(f.Names[0])
	if err := d.root.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	temp = path.Join(folder, tempPrefix+rand.Text())
	mode := os.FileMode(0o644)
	if len(f.Names) > 1 {
		mode = shared
	}
	to, err := d.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return "", err
	}
	_, err = to.Write(f.Bytes)
	if err == nil {
		err = to.Sync()
	}
	return temp, errors.Join(err, to.Close())
}

// publish gives drafts their names, on the disk. What has none of its own any
// more becomes "".
func (d *Dir) publish(ctx context.Context, files []File, drafts []string) error {
	var folders []string
	for i, f := range files {
		for _, name := range f.Names[1:] {
			if err := d.root.MkdirAll(path.Dir(name), 0o755); err != nil {
				return err
			}
			if d.link(drafts[i], name) == nil {
				continue
			}
			if _, err := d.Put(ctx, name, bytes.NewReader(f.Bytes)); err != nil {
				return err
			}
		}
		if err := d.root.Rename(drafts[i], f.Names[0]); err != nil {
			return err
		}
		// Unless the name was the draft's already, the rename has taken it away.
		if err := d.root.Remove(drafts[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		drafts[i] = ""
		for _, name := range f.Names {
			if folder := path.Dir(name); !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	return atOnce(len(folders), func(i int) error { return d.sync(folders[i]) })
}

// shared is the mode of files with several names: who wrote into one would
// change the others. Nothing here writes into a file that is there.
const shared fs.FileMode = 0o444

// atOnce does all of 0 to n-1 at the same time: each waits for the disk.
func atOnce(n int, do func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
