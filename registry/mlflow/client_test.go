package mlflow_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
)

// flaky is a server that fails the first calls.
func flaky(t *testing.T, failures int32, status int, then http.Handler) (client *mlflow.Client, calls *atomic.Int32) {
	calls = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) <= failures {
			http.Error(w, "<h1>no</h1>", status)
			return
		}
		then.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &mlflow.Client{BaseURL: server.URL, Backoff: time.Millisecond}, calls
}

func answer(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
}

func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name     string
		failures int32
		status   int
		retries  int
		call     func(c *mlflow.Client) error
		calls    int32
		ok       bool
	}{
		{"what may be done twice", 2, 500, 0, func(c *mlflow.Client) error { return c.LogBatch(t.Context(), "r", registry.Batch{}) }, 3, true},
		{"for so long", 99, 502, 2, func(c *mlflow.Client) error { return c.LogBatch(t.Context(), "r", registry.Batch{}) }, 3, false},
		{"not at all", 99, 500, -1, func(c *mlflow.Client) error { return c.LogBatch(t.Context(), "r", registry.Batch{}) }, 1, false},
		{"not a mistake", 99, 400, 0, func(c *mlflow.Client) error { return c.LogBatch(t.Context(), "r", registry.Batch{}) }, 1, false},
		{"not what is not done", 99, 501, 0, func(c *mlflow.Client) error { return c.LogBatch(t.Context(), "r", registry.Batch{}) }, 1, false},
		{"not what would make two", 99, 500, 0, func(c *mlflow.Client) error { _, err := c.CreateRun(t.Context(), registry.NewRun{}); return err }, 1, false},
		{"what was turned away", 1, 503, 0, func(c *mlflow.Client) error { _, err := c.CreateRun(t.Context(), registry.NewRun{}); return err }, 2, true},
		{"an upload from memory", 1, 500, 0, func(c *mlflow.Client) error { return c.PutFile(t.Context(), "x", strings.NewReader("all of it")) }, 2, true},
	} {
		c, calls := flaky(t, test.failures, test.status, answer("{}"))
		c.Retries = test.retries
		if err := test.call(c); (err == nil) != test.ok || calls.Load() != test.calls {
			t.Errorf("%s: %v after %d calls, want %d", test.name, err, calls.Load(), test.calls)
		}
	}
}

func TestUploadAgainIsWhole(t *testing.T) {
	var got string
	c, _ := flaky(t, 2, 503, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = string(b)
	}))
	r := strings.NewReader("skipped" + strings.Repeat("0123456789", 100000))
	if _, err := r.Seek(7, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := c.PutFile(t.Context(), "x", r); err != nil {
		t.Fatal(err)
	}
	if got != strings.Repeat("0123456789", 100000) {
		t.Errorf("%d bytes arrived, beginning %.20q", len(got), got)
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := &mlflow.Client{BaseURL: server.URL, Backoff: time.Millisecond}
	if _, err := c.GetRun(t.Context(), "r"); err == nil || !strings.Contains(err.Error(), "tracking server "+server.URL) {
		t.Errorf("no server: %v", err)
	}
	c.BaseURL = "::nonsense"
	if _, err := c.GetRun(t.Context(), "r"); registry.CodeOf(err) != registry.InvalidParameterValue {
		t.Errorf("no address: %v", err)
	}
}

func TestErrorsWithoutCode(t *testing.T) {
	for status, want := range map[int]registry.Code{401: registry.Unauthenticated, 403: registry.PermissionDenied, 404: registry.EndpointNotFound,
		405: registry.EndpointNotFound, 500: registry.InternalError} {
		c, _ := flaky(t, 99, status, nil)
		c.Retries = -1
		_, err := c.GetRun(t.Context(), "r")
		if registry.CodeOf(err) != want || !strings.Contains(err.Error(), "<h1>no</h1>") {
			t.Errorf("%d: %v, want code %s", status, err, want)
		}
	}
}

func TestCredentials(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		io.WriteString(w, "{}")
	}))
	defer server.Close()
	for _, test := range []struct {
		client *mlflow.Client
		want   string
	}{
		{&mlflow.Client{}, ""},
		{&mlflow.Client{Token: "secret", Username: "me"}, "Bearer secret"},
		{&mlflow.Client{Username: "me", Password: "pw"}, "Basic bWU6cHc="},
	} {
		test.client.BaseURL = server.URL + "/"
		if _, err := test.client.GetRun(t.Context(), "r"); err != nil || got != test.want {
			t.Errorf("authorization %q, %v; want %q", got, err, test.want)
		}
	}
}

// What is not kept by the server itself is told, not tried.
func TestArtifactsElsewhere(t *testing.T) {
	c, calls := flaky(t, 0, 0, answer(`{"run":{"info":{"run_id":"r","artifact_uri":"s3://bucket/1/r/artifacts"}}}`))
	err := c.PutArtifact(t.Context(), "r", "x", strings.NewReader("x"))
	if registry.CodeOf(err) != registry.InvalidParameterValue || !strings.Contains(err.Error(), "s3://bucket/1/r/artifacts") || calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// MLflow's server leaves runs:/ sources to its clients.
func TestRunsSource(t *testing.T) {
	c, _ := flaky(t, 0, 0, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "get-download-uri") {
			io.WriteString(w, `{"artifact_uri":"runs:/r/model"}`)
		} else {
			io.WriteString(w, `{"run":{"info":{"run_id":"r","artifact_uri":"mlflow-artifacts:/1/r/artifacts"}}}`)
		}
	}))
	if uri, err := c.ModelVersionURI(t.Context(), "m", "1"); uri != "mlflow-artifacts:/1/r/artifacts/model" || err != nil {
		t.Errorf("%s, %v", uri, err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("disk is gone") }

func TestUploadOfABrokenReader(t *testing.T) {
	server := serve(t)
	c := &mlflow.Client{BaseURL: server.URL, Backoff: time.Millisecond}
	run := newRun(t, server)
	if err := c.PutArtifact(t.Context(), run, "x", brokenReader{}); err == nil || !strings.Contains(err.Error(), "disk is gone") {
		t.Errorf("put: %v", err)
	}
	if found, err := c.ListArtifacts(t.Context(), run, ""); len(found) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", found, err)
	}
}
