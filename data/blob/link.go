package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// Link stores the blob called from under the name to as well, replacing what was
// there. Both share their place on the disk, and yet neither knows of the other:
// what is put under one name, or deleted, leaves the other as it is. Where the
// file system cannot do that, to is a copy. Nobody may write into the file any more,
// by either name. When Link returns, to is on the disk.
func (d *Dir) Link(ctx context.Context, from, to string) error {
	at, err := d.Stat(from)
	if err == nil && at.IsDir {
		err = fmt.Errorf("stat %s: %w", from, fs.ErrNotExist)
	}
	if err == nil {
		err = checkName(to)
	}
	if err != nil || from == to {
		return err
	}
	file, err := d.root.Lstat(from)
	if err != nil {
		return err
	}
	folder := path.Dir(to)
	if err := d.root.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("link %s: %w", to, err)
	}
	if !file.Mode().IsRegular() || d.root.Chmod(from, file.Mode().Perm()&shared) != nil || d.link(from, to) != nil {
		return d.copy(ctx, from, to) // it is an operator's symbolic link, another user's, on another disk …
	}
	if err := d.sync(folder); err != nil {
		return fmt.Errorf("link %s: %w", to, err)
	}
	return nil
}

// link gives the file at from another name, in a folder that is there.
func (d *Dir) link(from, to string) error {
	temp := path.Join(path.Dir(to), tempPrefix+rand.Text())
	if err := d.root.Link(from, temp); err != nil {
		return err
	}
	err := d.root.Rename(temp, to)
	// Where to is a name of the same file already, that has done nothing.
	if left := d.root.Remove(temp); !errors.Is(left, fs.ErrNotExist) {
		err = errors.Join(err, left)
	}
	return err
}

func (d *Dir) copy(ctx context.Context, from, to string) error {
	f, err := d.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = d.Put(ctx, to, f)
	return err
}
