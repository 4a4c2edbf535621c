package store_test

import (
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/registrytest"
	"github.com/taximeter/taximeter/registry/store"
)

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestRules(t *testing.T) {
	s := open(t, t.TempDir())
	registrytest.Run(t, func(*testing.T) registry.Service { return s })
}
