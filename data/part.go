package data

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	partSuffix      = ".part"
	validatorSuffix = ".part.etag"
	copyBuffer      = 64 << 10
)

// part is a file on its way into the cache, locked against other processes.
type part struct {
	file      *os.File
	validator string // path of the file that names the version of the bytes
}

// diskError is an error of this machine, which no other attempt at the network
// would change.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

func onDisk(err error) error {
	if err == nil {
		return nil
	}
	return &diskError{err}
}

// openPart opens the part of the file at path, and waits while another process
// has it.
func openPart(ctx context.Context, path string) (*part, error) {
	for {
		f, err := os.OpenFile(path+partSuffix, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		locked, err := tryLock(f)
		if err == nil && locked && isStill(f) {
			return &part{file: f, validator: path + validatorSuffix}, nil
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		if locked {
			continue // the one who had it has renamed or removed it
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// isStill reports whether f is what its name stands for.
func isStill(f *os.File) bool {
	opened, errOpened := f.Stat()
	named, errNamed := os.Stat(f.Name())
	return errOpened == nil && errNamed == nil && os.SameFile(opened, named)
}

// resume returns how many bytes are there to go on from, and the validator of
// the version they are of. Bytes of no known version are not gone on from.
func (p *part) resume() (have int64, validator string, err error) {
	content, err := os.ReadFile(p.validator)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, "", onDisk(err)
	}
	validator = strings.TrimSpace(string(content))
	if validator == "" {
		return 0, "", nil
	}
	info, err := p.file.Stat()
	if err != nil {
		return 0, "", onDisk(err)
	}
	return info.Size(), validator, nil
}

// reset empties the part, to be filled with the version validator names; "" is
// one that cannot be resumed.
func (p *part) reset(validator string) error {
	if err := os.Remove(p.validator); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return onDisk(err)
	}
	if err := p.file.Truncate(0); err != nil {
		return onDisk(err)
	}
	if validator == "" {
		return nil
	}
	return onDisk(os.WriteFile(p.validator, []byte(validator+"\n"), 0o644))
}

// receive writes what body gives from offset have on, and returns the size then.
func (p *part) receive(body io.Reader, have int64, progress func(done int64)) (int64, error) {
	buffer := make([]byte, copyBuffer)
	progress(have)
	for {
		n, errRead := body.Read(buffer)
		if n > 0 {
			if _, err := p.file.WriteAt(buffer[:n], have); err != nil {
				return have, onDisk(err)
			}
			have += int64(n)
			progress(have)
		}
		if errRead == io.EOF {
			return have, nil
		}
		if errRead != nil {
			return have, errRead
		}
	}
}

// check looks whether what arrived is framed as a Parquet file. When it is not
// the part stays to be looked at, and a later fetch begins anew.
func (p *part) check() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	err = checkFrame(p.file.Name(), p.file, info.Size())
	if err == nil {
		return nil
	}
	if gone := os.Remove(p.validator); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		return errors.Join(err, gone)
	}
	return err
}

// publish makes the part the file at path, for good.
func (p *part) publish(path string) error {
	if err := p.file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(p.file.Name(), path); err != nil {
		return err
	}
	if err := os.Remove(p.validator); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// close releases the part, and removes one that nothing arrived in.
func (p *part) close() error {
	info, err := p.file.Stat()
	if err == nil && info.Size() == 0 && isStill(p.file) {
		err = os.Remove(p.file.Name())
	}
	return errors.Join(err, p.file.Close())
}
