package mlflow_test

import (
	"net/http/httptest"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/registrytest"
	"github.com/taximeter/taximeter/registry/store"
)

// serve returns a server of a fresh store.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(mlflow.NewHandler(s))
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// The client with our server keeps every rule that the store keeps.
func TestRules(t *testing.T) {
	server := serve(t)
	registrytest.Run(t, func(*testing.T) registry.Service { return &mlflow.Client{BaseURL: server.URL} })
}
