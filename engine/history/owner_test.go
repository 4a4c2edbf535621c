package history

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Many who look at once whether a process lives that is gone find that it does not.
func TestManyLookAfterTheDead(t *testing.T) {
	dir := t.TempDir()
	for range 200 {
		if err := os.WriteFile(filepath.Join(dir, "dead"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		var looking sync.WaitGroup
		for range 8 {
			looking.Go(func() {
				if lives, err := (&owner{id: "other", dir: dir}).lives("dead"); lives || err != nil {
					t.Errorf("lives %v, %v", lives, err)
				}
			})
		}
		looking.Wait()
	}
}
