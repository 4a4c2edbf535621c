package mlflow_test

import (
	"context"
	"io"
	"io/fs"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

// full is a registry on a disk that is full.
type full struct{ registry.Service }

func (full) PutFile(_ context.Context, name string, _ io.Reader) error {
	return &fs.PathError{Op: "write", Path: "/secret/" + name, Err: syscall.ENOSPC}
}

// A full disk is told as such, and in a way that MLflow's clients do not take for
// something that passes: they repeat 429 and 500 for minutes.
func TestFullDisk(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	server := httptest.NewServer(mlflow.NewHandler(full{s}))
	defer server.Close()
	status, answer, _ := exchange(t, server, "PUT", "/api/2.0/mlflow-artifacts/artifacts/0/x", "", "x")
	if status != 507 || !strings.Contains(answer, "RESOURCE_EXHAUSTED") || !strings.Contains(answer, "disk is full") || strings.Contains(answer, "secret") {
		t.Errorf("%d %s", status, answer)
	}
}
