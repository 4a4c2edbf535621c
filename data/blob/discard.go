package blob

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Discard makes the blob or folder called name disappear at once, whatever its
// size; Sweep frees its place. What is not there is no error.
func (d *Dir) Discard(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := d.root.Rename(name, discarded+rand.Text()); err != nil && !errors.Is(notExist(err), fs.ErrNotExist) {
		return fmt.Errorf("discard %s: %w", name, err)
	}
	return nil
}

// Sweep removes what Discard has put away, also in programs that have ended
// since.
func (d *Dir) Sweep() error {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), discarded) {
			err = errors.Join(err, d.root.RemoveAll(e.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// discarded begins names in the root that no List shows and no name reaches.
const discarded = tempPrefix + "discarded-"
