package history

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// owner is this process as the owner of runs. What shows that an owner lives is
// a lock on a file of its own, which the system releases the moment the process
// ends, however it ends: no clock, no heartbeat, nothing to wait for.
type owner struct {
	id, dir string
	pid     int
	leased  bool // it is a process elsewhere

	mu   sync.Mutex
	file *os.File
}

// hold takes the lock, once. What shows that the holder of a lease lives is there.
func (o *owner) hold() error {
	if o.leased {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		return nil
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(o.dir, o.id), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(err, f.Close())
	}
	o.file = f
	return nil
}

func (o *owner) release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	err := errors.Join(os.Remove(o.file.Name()), o.file.Close())
	o.file = nil
	return err
}

// lives reports whether the owner called id holds its lock, or its lease has not run
// out, and removes the file of one that does not.
func (o *owner) lives(id string) (bool, error) {
	path := filepath.Join(o.dir, filepath.Base(id))
	if leaseID.MatchString(id) {
		return leaseLives(path)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); {
	case err == nil:
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return false, nil // somebody else has removed it meanwhile
	case errors.Is(err, syscall.EWOULDBLOCK):
		return true, nil
	default:
		return false, err
	}
}
