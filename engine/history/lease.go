package history

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// A lease is the owner's file of a process elsewhere, which reaches these records
// through a process that is here. No lock can show that such an owner lives: it does
// until the time that its file bears, by the clock of this machine, and puts that
// off again and again. It holds its process ID, and outlives the process here.
var leaseID = regexp.MustCompile(`^lease-[A-Z2-7]{26}$`)

// Lease makes an owner of runs out of a process elsewhere, for ttl from now, and
// returns what identifies it: who knows that may write its runs.
func (s *Store) Lease(pid int, ttl time.Duration) (id string, err error) {
	id = "lease-" + rand.Text()
	path := filepath.Join(s.owner.dir, id)
	err = os.MkdirAll(s.owner.dir, 0o755)
	if err == nil {
		err = os.WriteFile(path+".new", []byte(strconv.Itoa(pid)), 0o600)
	}
	end := time.Now().Add(ttl)
	if err == nil {
		err = os.Chtimes(path+".new", end, end)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return "", fmt.Errorf("lease: %w", err)
	}
	return id, nil
}

// RenewLease has a lease last for ttl from now. One that has run out does not come
// back, and is refused with ErrSuperseded: its runs may be others' by now.
func (s *Store) RenewLease(id string, ttl time.Duration) error {
	if err := s.checkLease(id); err != nil {
		return err
	}
	end := time.Now().Add(ttl)
	err := os.Chtimes(filepath.Join(s.owner.dir, id), end, end)
	if errors.Is(err, fs.ErrNotExist) { // somebody has found it dead just now
		return fmt.Errorf("lease %s: %w", id, engine.ErrSuperseded)
	}
	return err
}

// EndLease has the owner count as gone from now on. One that is gone stays so.
func (s *Store) EndLease(id string) error {
	if !leaseID.MatchString(id) {
		return fmt.Errorf("lease %q: %w", id, engine.ErrNotFound)
	}
	if err := os.Remove(filepath.Join(s.owner.dir, id)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Leased is the history as the holder of a lease has it: the runs it makes and
// adopts are the holder's, and it writes those only. It is closed with the store.
func (s *Store) Leased(id string) (engine.History, error) {
	if err := s.checkLease(id); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(s.owner.dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lease %s: %w", id, engine.ErrSuperseded)
	}
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return nil, fmt.Errorf("lease %s: %w", id, err)
	}
	held := *s
	held.owner = &owner{id: id, dir: s.owner.dir, pid: pid, leased: true}
	return &held, nil
}

// Flush returns when all that was written before is committed, lazy writes and lines
// of logs too.
func (s *Store) Flush() error { return s.writer.settle() }

// checkLease returns ErrSuperseded for a lease that has run out.
func (s *Store) checkLease(id string) error {
	if !leaseID.MatchString(id) {
		return fmt.Errorf("lease %q: %w", id, engine.ErrNotFound)
	}
	alive, err := leaseLives(filepath.Join(s.owner.dir, id))
	if err == nil && !alive {
		err = fmt.Errorf("lease %s: %w", id, engine.ErrSuperseded)
	}
	return err
}

// leaseLives reports whether the lease in a file has not run out, and removes the
// file if it has, so that it never comes back.
func leaseLives(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || time.Now().Before(info.ModTime()) {
		return err == nil, err
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return false, nil
}
