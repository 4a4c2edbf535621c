package store_test

import (
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// A run and a logged model share their files on the disk. What becomes of the one
// is nothing to the other.
func TestSharedFilesOutliveTheirRun(t *testing.T) {
	s := open(t, t.TempDir())
	r, err := s.CreateRun(t.Context(), registry.NewRun{})
	if err != nil {
		t.Fatal(err)
	}
	own, err := registry.ArtifactName(r.Info.ArtifactURI)
	if err != nil {
		t.Fatal(err)
	}
	err = s.PutFiles(t.Context(), []registry.NewFile{{Names: []string{own + "/model/MLmodel", "elsewhere/MLmodel"}, Bytes: []byte("flavors:")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteRun(t.Context(), r.Info.RunID); err != nil {
		t.Fatal(err)
	}
	if done, err := s.GC(t.Context(), store.Garbage{}); err != nil || len(done.Runs) != 1 {
		t.Fatalf("GC removed %v, %v", done.Runs, err)
	}
	if left, err := s.ListFiles(t.Context(), own); err != nil || len(left) != 0 {
		t.Errorf("of the run are left %v, %v", left, err)
	}
	if f, err := s.OpenFile(t.Context(), "elsewhere/MLmodel"); err != nil {
		t.Errorf("the other name: %v", err)
	} else {
		f.Close()
	}
}
