//go:build unix

package data

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the lock of f, which ends with f, unless another has it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
