package mlflow_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

// guarded is a server with a run, a version and a logged model that have one
// artifact each, in a directory with a secret beside the artifacts.
type guarded struct {
	*httptest.Server
	dir, run, model string
}

func guard(t *testing.T) *guarded {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, "home"))
	if err != nil {
		t.Fatal(err)
	}
	handler := mlflow.NewHandler(s)
	handler.UI = os.DirFS("testdata/ui")
	server := httptest.NewServer(handler)
	t.Cleanup(func() { server.Close(); s.Close() })
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("TOP SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &guarded{Server: server, dir: dir, run: newRun(t, server)}
	c := &mlflow.Client{BaseURL: server.URL}
	ctx := t.Context()
	m, err := c.CreateLoggedModel(ctx, registry.NewLoggedModel{ExperimentID: "0"})
	if err != nil {
		t.Fatal(err)
	}
	g.model = m.Info.ModelID
	name, err := registry.ArtifactName(m.Info.ArtifactURI)
	if err == nil {
		err = c.PutFile(ctx, name+"/ok.txt", strings.NewReader("fine"))
	}
	if err == nil {
		err = c.PutArtifact(ctx, g.run, "model/ok.txt", strings.NewReader("fine"))
	}
	if err == nil {
		_, err = c.CreateRegisteredModel(ctx, registry.NewRegisteredModel{Name: "m"})
	}
	if err == nil {
		_, err = c.CreateModelVersion(ctx, registry.NewModelVersion{Name: "m", Source: "runs:/" + g.run + "/model", RunID: g.run})
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// send asks without cleaning the path, which Go's client would.
func (g *guarded) send(t *testing.T, method, path, contentType, body string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	place, query, _ := strings.Cut(path, "?")
	r.URL.Opaque, r.URL.RawQuery = "//"+r.URL.Host+place, query
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

var escapes = []string{
	"../../../../secret", "..", "../", "a/../../b", "/etc/passwd", "//etc/passwd", "%2e%2e%2f%2e%2e%2fsecret", "%252e%252e%252fsecret", "..%5c..%5csecret",
	"%25252e%25252e%25252fsecret", `..\..\secret`, "C:\\x", "C:/x", "file:///etc/passwd", "file:/etc/passwd", "http://127.0.0.1/x", "a\x00b", "a\nb", "%00", "a#b", "a%0ab",
	"....//../../secret", "ok.txt/../../../secret", "x/%2e%2e/%2e%2e/secret",
}

// No route gives, takes, lists or removes anything outside the artifacts.
func TestPathsStayInside(t *testing.T) {
	g := guard(t)
	for _, path := range escapes {
		q := url.QueryEscape(path)
		for _, ask := range []string{
			"GET /get-artifact?run_id=" + g.run + "&path=" + q,
			"GET /get-artifact?run_uuid=" + g.run + "&path=" + q,
			"GET /ajax-api/2.0/mlflow/get-artifact?run_id=" + g.run + "&path=" + q,
			"GET /model-versions/get-artifact?name=m&version=1&path=" + q,
			"GET /ajax-api/2.0/mlflow/logged-models/" + g.model + "/artifacts/files?artifact_file_path=" + q,
			"GET /api/2.0/mlflow/logged-models/" + g.model + "/artifacts/directories?artifact_directory_path=" + q,
			"GET /api/2.0/mlflow/artifacts/list?run_id=" + g.run + "&path=" + q,
			"GET /api/2.0/mlflow-artifacts/artifacts?path=" + q,
			"POST /ajax-api/2.0/mlflow/upload-artifact?run_uuid=" + g.run + "&path=" + q,
			"GET /api/2.0/mlflow-artifacts/artifacts/" + url.PathEscape(path), "PUT /api/2.0/mlflow-artifacts/artifacts/" + url.PathEscape(path),
			"DELETE /ajax-api/2.0/mlflow-artifacts/artifacts/" + url.PathEscape(path),
		} {
			method, address, _ := strings.Cut(ask, " ")
			status, body, _ := g.send(t, method, address, "", "overwritten")
			if status != 400 || strings.Contains(body, "SECRET") {
				t.Errorf("%s: %d %.200s", ask, status, body)
			}
		}
	}
	for _, raw := range []string{"/../../secret", "/0/../../../secret", "/./../secret", "//etc/passwd"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if status, body, _ := g.send(t, method, "/api/2.0/mlflow-artifacts/artifacts"+raw, "", "overwritten"); status != 400 && status != 404 || strings.Contains(body, "SECRET") {
				t.Errorf("%s %s: %d %.200s", method, raw, status, body)
			}
		}
	}
	for _, path := range []string{"/static-files/../index.html", "/static-files/%2e%2e/%2e%2e/handler.go", "/static-files/..%2f..%2fhandler.go", "/static-files//etc/passwd", "/static-files/"} {
		if status, body, _ := g.send(t, "GET", path, "", ""); status == 200 {
			t.Errorf("%s: %d %.100s", path, status, body)
		}
	}
	if b, err := os.ReadFile(filepath.Join(g.dir, "secret")); string(b) != "TOP SECRET" || err != nil {
		t.Errorf("the secret is %q, %v", b, err)
	}
}

// A link that somebody put among the artifacts leads nowhere.
func TestLinksLeadNowhere(t *testing.T) {
	g := guard(t)
	root := filepath.Join(g.dir, "home/artifacts/0", g.run, "artifacts")
	for name, target := range map[string]string{"file": "secret", "folder": "."} {
		if err := os.Symlink(filepath.Join(g.dir, target), filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	proxy := "/api/2.0/mlflow-artifacts/artifacts/0/" + g.run + "/artifacts/"
	for _, ask := range []string{
		"GET " + proxy + "file", "GET " + proxy + "folder/secret", "PUT " + proxy + "folder/new", "DELETE " + proxy + "folder/secret",
		"GET /get-artifact?path=file&run_id=" + g.run, "GET /get-artifact?path=folder/secret&run_id=" + g.run,
		"GET /api/2.0/mlflow/artifacts/list?path=folder&run_id=" + g.run,
	} {
		method, address, _ := strings.Cut(ask, " ")
		status, body, _ := g.send(t, method, address, "", "x")
		if strings.Contains(body, "SECRET") || strings.Contains(body, `"secret"`) || method != "GET" && status == 200 {
			t.Errorf("%s: %d %.200s", ask, status, body)
		}
	}
	if entries, err := os.ReadDir(g.dir); err != nil || len(entries) != 2 {
		t.Errorf("beside the artifacts: %v, %v", entries, err)
	}
}

// Clients name no place of the server's disk, nor of another server.
func TestPlacesThatClientsName(t *testing.T) {
	g := guard(t)
	places := []string{
		"/etc", "file:///etc", "file://localhost/etc", "file:/etc", "models:/../x", "models:/m/../../x", "mlflow-artifacts:/..%2f..", "mlflow-artifacts:/../..",
		"mlflow-artifacts:/0/" + g.run + "/artifacts/../../../../", "runs:/" + g.run + "/../../../..", "http://169.254.169.254/latest", "https://x/y", "ftp://x/y",
		"sftp://x/y", "hdfs://x/y", "mlflow-artifacts://elsewhere/x", "javascript:alert(1)", "etc", "../etc", "mlflow-artifacts:/0#/../../etc", "s3://b/x;p", "s3://b/x?y=/../../etc",
	}
	for _, place := range places {
		for _, extra := range []string{"", `,"run_id":"` + g.run + `"`, `,"tags":[{"key":"mlflow.prompt.is_prompt","value":"true"}]`} {
			if strings.HasPrefix(place, "s3://") {
				continue // the clients' own business
			}
			status, body, _ := exchange(t, g.Server, "POST", api+"model-versions/create", "application/json", fmt.Sprintf(`{"name":"m","source":%q%s}`, place, extra))
			if status != 400 && status != 404 {
				t.Errorf("version from %s%s: %d %s", place, extra, status, body)
			}
		}
		if strings.HasPrefix(place, "models:") {
			continue
		}
		status, body, _ := exchange(t, g.Server, "POST", api+"experiments/create", "application/json", fmt.Sprintf(`{"name":%q,"artifact_location":%[1]q}`, place))
		if status != 400 {
			t.Errorf("experiment at %s: %d %s", place, status, body)
		}
	}
	if status, body, _ := exchange(t, g.Server, "GET", "/model-versions/get-artifact?name=m&version=2&path=passwd", "", ""); status != 404 {
		t.Errorf("version 2: %d %s", status, body)
	}
}

// What strangers have stored is no page of ours.
func TestArtifactsAreNoPages(t *testing.T) {
	g := guard(t)
	proxy := "/api/2.0/mlflow-artifacts/artifacts/0/" + g.run + "/artifacts/"
	for name, want := range map[string]string{
		"page.html": "text/plain", "x.svg": "text/plain", "x.js": "text/plain", "x.xhtml": "application/octet-stream", "x.htm": "text/plain", "x.xml": "text/plain",
		"x": "application/octet-stream", "x.png": "image/png", "x.swf": "application/octet-stream", "MLmodel": "text/plain", `a"; filename="b.html`: "application/octet-stream",
	} {
		if status, body, _ := g.send(t, "PUT", proxy+url.PathEscape(name), "text/html", "<script>alert(1)</script>"); status != 200 {
			t.Fatalf("%s: %d %s", name, status, body)
		}
		for _, path := range []string{proxy + url.PathEscape(name), "/get-artifact?run_id=" + g.run + "&path=" + url.QueryEscape(name)} {
			status, _, header := g.send(t, "GET", path, "", "")
			got := header.Get("Content-Disposition")
			if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), want) && !strings.HasSuffix(name, `b.html`) ||
				header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") ||
				!strings.HasPrefix(got, "attachment") || strings.Count(got, "filename") != 1 && !strings.Contains(got, `\"`) {
				t.Errorf("%s: %d %v", path, status, header)
			}
			if strings.Contains(header.Get("Content-Type"), "html") || strings.Contains(header.Get("Content-Type"), "svg") {
				t.Errorf("%s is sent as %s", path, header.Get("Content-Type"))
			}
		}
	}
	for _, path := range []string{"/<script>alert(1)</script>", "/get-artifact?run_id=<script>&path=x", "/static-files/<script>"} {
		_, _, header := g.send(t, "GET", strings.ReplaceAll(path, "<", "%3c"), "", "")
		if !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
			t.Errorf("%s is answered as %s", path, header.Get("Content-Type"))
		}
	}
}

// sqlWords are what a message would have of a statement.
var sqlWords = regexp.MustCompile(`(?i)\b(SELECT|INSERT|UPDATE|UNIQUE constraint|sqlite|near "|syntax error)\b`)

// Whatever is sent: a bounded error, nothing of the database in it.
func TestHostileRequests(t *testing.T) {
	g := guard(t)
	long := strings.Repeat("k", 10_000)
	for name, c := range map[string]struct{ method, path, body string }{
		"deep":               {"POST", "runs/search", strings.Repeat(`{"a":`, 100_000)},
		"deep list":          {"POST", "runs/search", `{"experiment_ids":` + strings.Repeat("[", 90_000) + strings.Repeat("]", 90_000) + `}`},
		"many values":        {"POST", "runs/search", `{"experiment_ids":[` + strings.Repeat(`1,`, 200_000) + `1]}`},
		"many values twice":  {"POST", "runs/search", `"{\"experiment_ids\":[` + strings.Repeat(`1,`, 200_000) + `1]}"`},
		"many ids":           {"POST", "runs/search", `{"experiment_ids":["0"` + strings.Repeat(`,"0"`, 90_000) + `]}`},
		"long key":           {"POST", "runs/log-metric", `{"run_id":"` + g.run + `","key":"` + long + `","value":1,"timestamp":1}`},
		"long name":          {"POST", "experiments/create", `{"name":"` + long + `"}`},
		"long filter":        {"POST", "runs/search", `{"experiment_ids":["0"],"filter":"` + strings.Repeat("params.a = 'b' AND ", 5000) + `params.a = 'b'"}`},
		"many orders":        {"POST", "runs/search", `{"experiment_ids":["0"],"order_by":["metrics.a0"` + strings.Repeat(`,"metrics.b"`, 500) + `]}`},
		"no UTF-8":           {"POST", "experiments/create", "{\"name\":\"\xff\xfe\"}"},
		"NaN for a time":     {"POST", "runs/create", `{"experiment_id":"0","start_time":NaN}`},
		"NaN for a step":     {"POST", "runs/log-metric", `{"run_id":"` + g.run + `","key":"k","value":NaN,"timestamp":1,"step":NaN}`},
		"huge number":        {"POST", "runs/log-metric", `{"run_id":"` + g.run + `","key":"k","value":1e999999,"timestamp":1e999}`},
		"huge version":       {"GET", "model-versions/get?name=m&version=99999999999999999999", ""},
		"many arguments":     {"GET", "artifacts/list?run_id=x" + strings.Repeat("&run_id=x", 10_000), ""},
		"many sampled":       {"GET", "metrics/get-history-bulk-interval?metric_key=k" + strings.Repeat("&run_ids=x", 10_000), ""},
		"quote in a filter":  {"POST", "runs/search", `{"experiment_ids":["0"],"filter":"metrics.\"a'; DROP TABLE runs; --\" > 1"}`},
		"statement":          {"POST", "runs/search", `{"experiment_ids":["0"],"filter":"params.a = '1'; DROP TABLE runs"}`},
		"statement in order": {"POST", "runs/search", `{"experiment_ids":["0"],"order_by":["start_time; DROP TABLE runs"]}`},
		"statement by key":   {"POST", "runs/search", "{\"experiment_ids\":[\"0\"],\"order_by\":[\"params.`a') DESC; --`\"]}"},
		"experiment's id":    {"POST", "runs/search", `{"experiment_ids":["0) OR 1=1 --"]}`},
		"taken name":         {"POST", "experiments/create", `{"name":"Default"}`},
		"page token":         {"POST", "runs/search", `{"experiment_ids":["0"],"page_token":"eyJvZmZzZXQiOiAtMX0="}`},
		"page token 2":       {"POST", "logged-models/search", `{"experiment_ids":["0"],"page_token":"zzz"}`},
		"null in a name":     {"POST", "registered-models/create", `{"name":"a\u0000b"}`},
		"both spellings":     {"POST", "runs/search", `{"experiment_ids":["0"],"experimentIds":["0"]}`},
	} {
		status, body, _ := exchange(t, g.Server, c.method, api+c.path, "application/json", c.body)
		if status >= 500 || len(body) > 4000 || sqlWords.MatchString(body) {
			t.Errorf("%s: %d %.600s", name, status, body)
		}
	}
	if status, body, _ := exchange(t, g.Server, "GET", api+"runs/get?run_id="+g.run, "", ""); status != 200 {
		t.Errorf("the run is gone: %d %s", status, body)
	}
	status, body, _ := exchange(t, g.Server, "POST", api+"experiments/create", "application/json", `{"name":"`+strings.Repeat("x", mlflow.MaxBody)+`"}`)
	if status != 400 && status != 413 || len(body) > 1000 {
		t.Errorf("a body over the bound: %d %.300s", status, body)
	}
}

func TestGraphQLIsBounded(t *testing.T) {
	g := guard(t)
	var aliases strings.Builder
	for i := range 11 {
		fmt.Fprintf(&aliases, " a%d: test(inputString: \"x\") { output }", i)
	}
	for body, want := range map[string]string{
		`{"query":"{` + strings.ReplaceAll(aliases.String(), `"`, `\"`) + `}"}`: "at most 10 root fields",
		`{"query":"` + strings.Repeat("{a", 1000) + `"}`:                        "Nested deeper",
		`{"query":"{ __schema { types { name } } }"}`:                           "Cannot query field",
		`{"query":""}`: "Missing value for required parameter 'query'", `{}`: "Missing value", `[]`: "must be a JSON object", `{"query":1}`: "Invalid value",
		`{"query":"{ mlflowGetRun(input: {runId: \"../..\"}) { run { info { runId } } } }"}`: "not found",
	} {
		status, answer, _ := exchange(t, g.Server, "POST", "/graphql", "application/json", body)
		if status >= 500 || !strings.Contains(answer, want) {
			t.Errorf("%.100s: %d %.300s\nwant %s", body, status, answer, want)
		}
	}
	if status, body, _ := exchange(t, g.Server, "POST", "/graphql", "text/plain", `{"query":"{ test { output } }"}`); status != 400 {
		t.Errorf("a form's content type: %d %s", status, body)
	}
}
