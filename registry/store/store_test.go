package store_test

import (
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"github.com/taximeter/taximeter/data/sqlite"
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

// A home can be moved: nothing in it knows where it lies.
func TestMovedHome(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	s, err := store.Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.CreateRun(t.Context(), registry.NewRun{})
	if err == nil {
		err = s.PutArtifact(t.Context(), r.Info.RunID, "model/MLmodel", strings.NewReader("flavors:"))
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	f, err := open(t, to).OpenArtifact(t.Context(), r.Info.RunID, "model/MLmodel")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); string(b) != "flavors:" || err != nil {
		t.Errorf("artifact of the moved home: %q, %v", b, err)
	}
}

// A store of MLflow's own is refused, and gets no table of ours.
func TestStoreOfMLflow(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "registry.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`CREATE TABLE alembic_version (version_num TEXT); CREATE TABLE runs (run_uuid TEXT)`)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(t.Context(), dir); !errors.Is(err, sqlite.ErrForeign) {
		t.Errorf("opened %v: %v", s, err)
	}
	if db, err = sql.Open("sqlite3", path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil || tables != 2 {
		t.Errorf("it has %d tables (%v), want 2", tables, err)
	}
}

// A link in the artifacts leads nowhere out of them.
func TestLinks(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	s := open(t, dir)
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "artifacts", "out")); err != nil {
		t.Fatal(err)
	}
	if f, err := s.OpenFile(t.Context(), "out/secret"); registry.CodeOf(err) != registry.InvalidParameterValue {
		t.Errorf("open: %v, %v", f, err)
	}
	if found, err := s.ListFiles(t.Context(), "out"); registry.CodeOf(err) != registry.InvalidParameterValue {
		t.Errorf("list: %v, %v", found, err)
	}
	if err := s.PutFile(t.Context(), "out/new", strings.NewReader("x")); registry.CodeOf(err) != registry.InvalidParameterValue {
		t.Errorf("put: %v", err)
	}
	if err := s.DeleteFiles(t.Context(), "out/secret"); registry.CodeOf(err) != registry.InvalidParameterValue {
		t.Errorf("delete: %v", err)
	}
	if _, err := os.Stat(filepath.Join(outside, "secret")); err != nil {
		t.Error(err)
	}
}

// Whatever is searched for, the answer is runs or a mistake of the client.
func FuzzSearchRuns(f *testing.F) {
	s, err := store.Open(f.Context(), f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	if _, err := s.CreateRun(f.Context(), registry.NewRun{Tags: []registry.Tag{{Key: "a", Value: "b"}}}); err != nil {
		f.Fatal(err)
	}
	f.Add("metrics.rmse < 6.5 and params.`a b` ILIKE '%x_'", "metrics.rmse DESC", "")
	f.Add("tags.a = 'b''; DROP TABLE runs --'", "tags.\"a'; DROP\" ASC", "eyJhZnRlciI6WzAsImIiLDUsIngiXX0=")
	f.Add("run_id NOT IN ('a', \"b\") AND datasets.context != 'x' AND dataset.name IN ('[')", "end_time", "eyJhZnRlciI6WzEsbnVsbCwxZTk5LCJ4Il19")
	f.Add("params.a IS NULL AND tags.a LIKE '[%?*'", "params.a", "eyJhZnRlciI6W1tdLHt9LHRydWVdfQ==")
	f.Fuzz(func(t *testing.T, filter, order, token string) {
		q := registry.RunQuery{ExperimentIDs: []string{"0", "1"}, Filter: filter, PageToken: token}
		if order != "" {
			q.OrderBy = []string{order}
		}
		_, err := s.SearchRuns(t.Context(), q)
		if err != nil && registry.CodeOf(err) != registry.InvalidParameterValue {
			t.Errorf("%+v: %v", q, err)
		}
		for _, search := range []func() error{
			func() error {
				_, err := s.SearchExperiments(t.Context(), registry.ExperimentQuery{Filter: filter, OrderBy: q.OrderBy, PageToken: token})
				return err
			},
			func() error {
				_, err := s.SearchRegisteredModels(t.Context(), registry.ModelQuery{Filter: filter, OrderBy: q.OrderBy, PageToken: token})
				return err
			},
			func() error {
				_, err := s.SearchModelVersions(t.Context(), registry.ModelQuery{Filter: filter, OrderBy: q.OrderBy, PageToken: token})
				return err
			},
			func() error {
				_, err := s.SearchLoggedModels(t.Context(), registry.LoggedModelQuery{ExperimentIDs: []string{"0"}, Filter: filter,
					OrderBy: []registry.LoggedModelOrder{{FieldName: "metrics.a"}}, PageToken: token})
				return err
			},
		} {
			if err := search(); err != nil && registry.CodeOf(err) != registry.InvalidParameterValue {
				t.Errorf("%+v: %v", q, err)
			}
		}
	})
}
