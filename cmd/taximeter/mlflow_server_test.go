package main

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
)

// startMLflowServer starts "taximeter mlflow-server" in a directory.
func startMLflowServer(t *testing.T, dir string, env []string, flags ...string) *server {
	t.Helper()
	cmd := command(t.Context(), filepath.Join(dir, "home"), append([]string{"mlflow-server", "-p", "0", "--json"}, flags...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var problems strings.Builder
	cmd.Stderr = &problems
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it may have ended
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct{ URL string }
	if err != nil || json.Unmarshal(line, &ready) != nil {
		t.Fatalf("the server said %q, %v\n%s", line, err, problems.String())
	}
	return &server{url: ready.URL, cmd: cmd}
}

func status(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// With MLflow's flags, things are where MLflow's are.
func TestMLflowServerTakesMLflowsFlags(t *testing.T) {
	dir := t.TempDir()
	s := startMLflowServer(t, dir, []string{"MLFLOW_ARTIFACTS_DESTINATION=./files"}, "--backend-store-uri", "sqlite:///runs.db",
		"--static-prefix", "/ml", "--workers", "4", "--gunicorn-opts", "--timeout 60", "--host", "127.0.0.1")
	if !strings.HasSuffix(s.url, "/ml") {
		t.Fatalf("the server is at %s", s.url)
	}
	c := &mlflow.Client{BaseURL: s.url}
	r, err := c.CreateRun(t.Context(), registry.NewRun{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.PutArtifact(t.Context(), r.Info.RunID, "a.txt", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"runs.db", "files/0/" + r.Info.RunID + "/artifacts/a.txt"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "home")); err == nil {
		t.Error("it has made a home")
	}
	bare := strings.TrimSuffix(s.url, "/ml")
	for url, want := range map[string]int{
		s.url + "/health": 200, bare + "/health": 200, s.url + "/version": 200, bare + "/version": 404,
		bare + "/api/2.0/mlflow/experiments/get?experiment_id=0":                                404,
		bare + "/api/2.0/mlflow-artifacts/artifacts/0/" + r.Info.RunID + "/artifacts/a.txt":     200,
		s.url + "/api/2.0/mlflow-artifacts/artifacts/0/" + r.Info.RunID + "/artifacts/a.txt":    200,
		s.url + "/get-artifact?path=a.txt&run_id=" + r.Info.RunID:                               200,
		s.url + "/ajax-api/2.0/mlflow/experiments/search?max_results=5&order_by=name%20ASC&x=y": 200,
	} {
		if got, answer := status(t, url); got != want {
			t.Errorf("%s: %d %s, want %d", url, got, answer, want)
		}
	}
	s.stop(t)
}

func TestMLflowServerWithoutArtifacts(t *testing.T) {
	dir := t.TempDir()
	s := startMLflowServer(t, dir, nil, "--no-serve-artifacts")
	c := &mlflow.Client{BaseURL: s.url}
	r, err := c.CreateRun(t.Context(), registry.NewRun{})
	if err != nil {
		t.Fatal(err)
	}
	place, ok := registry.LocalPath(r.Info.ArtifactURI)
	if real, err := filepath.EvalSymlinks(dir); !ok || err != nil || !strings.HasPrefix(place, filepath.Join(real, "mlruns")) && !strings.HasPrefix(place, filepath.Join(dir, "mlruns")) {
		t.Fatalf("artifacts go to %s, %v", r.Info.ArtifactURI, err)
	}
	if err := os.MkdirAll(place, 0o755); err != nil { // MLflow's client writes them by itself
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "a.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/get-artifact?path=a.txt&run_id=" + r.Info.RunID: 200, "/api/2.0/mlflow/artifacts/list?run_id=" + r.Info.RunID: 200,
		"/api/2.0/mlflow-artifacts/artifacts/mlflow.db": 501, "/api/2.0/mlflow-artifacts/artifacts": 501, "/": 404,
	} {
		if got, answer := status(t, s.url+path); got != want {
			t.Errorf("%s: %d %s, want %d", path, got, answer, want)
		}
	}
	s.stop(t)
}

// A store of MLflow's own is not touched; the hint says what to do with it.
func TestMLflowServerRefusesMLflowsDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mlflow.db")
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE alembic_version (version_num TEXT)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t.Context(), t.TempDir(), "mlflow-server", "-p", "0", "--backend-store-uri", "sqlite:///"+file)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "taximeter import "+file) {
		t.Errorf("%v: %s", err, out)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed, %v", err)
	}
}
