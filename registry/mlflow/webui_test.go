package mlflow_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

func TestInterfaceFiles(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	long := strings.Repeat("console.log(1);", 10_000)
	files := fstest.MapFS{
		"index.html": {Data: []byte("<title>MLflow</title>")}, "static/js/main.1.js": {Data: []byte(long)}, "static/css/x.css": {Data: []byte("a{}")},
		"favicon.ico": {Data: []byte("\x00icon")},
	}
	if err := mlflow.CheckUI(files); err != nil {
		t.Error(err)
	}
	if err := mlflow.CheckUI(fstest.MapFS{"index.html": {}}); err == nil || !strings.Contains(err.Error(), "static/js") {
		t.Errorf("a folder of something else: %v", err)
	}
	h := mlflow.NewHandler(s)
	h.UI = files
	server := httptest.NewServer(http.StripPrefix("/mlflow", h)) // as it is mounted
	defer server.Close()
	for _, c := range []struct {
		path, accept        string
		status              int
		kind, coding, cache string
	}{
		{"/mlflow/", "gzip", 200, "text/html; charset=utf-8", "", "no-cache"},
		{"/mlflow/static-files/static/js/main.1.js", "", 200, "text/javascript; charset=utf-8", "", "public, max-age=2419200"},
		{"/mlflow/static-files/static/js/main.1.js", "br, gzip", 200, "text/javascript; charset=utf-8", "gzip", "public, max-age=2419200"},
		{"/mlflow/static-files/static/js/main.1.js", "gzip;q=0", 200, "text/javascript; charset=utf-8", "", "public, max-age=2419200"},
		{"/mlflow/static-files/static/css/x.css", "gzip", 200, "text/css; charset=utf-8", "", "public, max-age=2419200"},
		{"/mlflow/static-files/favicon.ico", "gzip", 200, "", "", "public, max-age=2419200"},
		{"/mlflow/static-files/static/js", "", 404, "", "", ""}, {"/mlflow/static-files/nope.js", "", 404, "", "", ""},
		{"/mlflow/index.html", "", 404, "", "", ""}, {"/mlflow/ajax-api/2.0/mlflow/experiments/get?experiment_id=0", "", 200, "application/json", "", ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", c.accept)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		h := res.Header
		if res.StatusCode != c.status || c.kind != "" && h.Get("Content-Type") != c.kind || h.Get("Content-Encoding") != c.coding ||
			c.status == 200 && h.Get("Cache-Control") != c.cache {
			t.Errorf("%s (%s): %d %v", c.path, c.accept, res.StatusCode, h)
		}
		if c.coding == "gzip" {
			unpacked, err := gzip.NewReader(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(unpacked); string(b) != long || err != nil {
				t.Errorf("%s: %d bytes, %v", c.path, len(b), err)
			}
		}
	}
	// What may be got may be asked for with HEAD.
	for path, want := range map[string]int{
		"/mlflow/": 200, "/mlflow/static-files/static/js/main.1.js": 200, "/mlflow/static-files/nope.js": 404, "/mlflow/health": 200, "/mlflow/version": 200,
		"/mlflow/api/2.0/mlflow/experiments/get?experiment_id=0": 200, "/mlflow/api/2.0/mlflow/runs/get?run_id=nope": 404,
		"/mlflow/ajax-api/2.0/mlflow/webhooks": 200, "/mlflow/api/2.0/mlflow/runs/create": 405,
	} {
		if status, body, _ := exchange(t, server, "HEAD", path, "", ""); status != want || body != "" {
			t.Errorf("HEAD %s: %d %q, want %d", path, status, body, want)
		}
	}
	h.UI = nil
	if status, body, _ := exchange(t, server, "GET", "/mlflow/", "", ""); status != 404 || !strings.Contains(body, "without the files") {
		t.Errorf("without files: %d %s", status, body)
	}
}
