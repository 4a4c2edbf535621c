package mlflow_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
)

// exchange sends a request and returns the status and body of the answer.
func exchange(t *testing.T, server *httptest.Server, method, path, contentType, body string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(b), response.Header
}

const api = "/api/2.0/mlflow/"

func newRun(t *testing.T, server *httptest.Server) string {
	t.Helper()
	r, err := (&mlflow.Client{BaseURL: server.URL}).CreateRun(t.Context(), registry.NewRun{StartTime: 1, RunName: "run"})
	if err != nil {
		t.Fatal(err)
	}
	return r.Info.RunID
}

// The statuses and messages are MLflow 3.17.2's, but where it answers 5xx.
func TestBodies(t *testing.T) {
	server := serve(t)
	run := newRun(t, server)
	const isJSON = "application/json"
	for _, test := range []struct {
		name, method, path, contentType, body string
		status                                int
		has                                   string // in the answer; R is the run's id
	}{
		{"no content type", "POST", "experiments/create", "", `{"name":"x"}`, 400, "Bad Request. Content-Type header is missing."},
		{"a browser's content type", "POST", "experiments/create", "text/plain", `{"name":"x"}`, 400, "Bad Request. Content-Type must be one of ['application/json']."},
		{"charset", "POST", "experiments/create", "application/json; charset=utf-8", `{"name":"charset"}`, 200, "experiment_id"},
		{"no JSON", "POST", "experiments/create", isJSON, `{x`, 400, "Missing value for required parameter 'name'. See the API docs for more information about request parameters."},
		{"a list", "POST", "experiments/create", isJSON, `[1]`, 400, "must be a JSON object"},
		{"encoded twice", "POST", "experiments/create", isJSON, `"{\"name\":\"twice\"}"`, 200, "{\n  \"experiment_id\": \"2\"\n}"},
		{"number for a text", "POST", "experiments/create", isJSON, `{"name":123}`, 400,
			`Invalid value 123 for parameter 'name' supplied:  Hint: Value was of type 'int'. See the API docs for more information about request parameters.`},
		{"unknown fields", "POST", "runs/search", isJSON, `{"experiment_ids":["7"],"nonsense":[1]}`, 200, "{}"},
		{"numbers as texts", "POST", "runs/log-metric", isJSON, `{"run_uuid":"R","key":"m","value":"1.5","timestamp":"1","step":"2"}`, 200, "{}"},
		{"bare NaN", "POST", "runs/log-metric", isJSON, `{"run_id":"R","key":"NaN","value":NaN,"timestamp":1}`, 200, "{}"},
		{"bare infinity", "POST", "runs/log-batch", isJSON, `{"run_id":"R","metrics":[{"key":"i","value":-Infinity,"timestamp":1}]}`, 200, "{}"},
		{"infinity as text", "POST", "runs/log-metric", isJSON, `{"run_id":"R","key":"i","value":"-Infinity","timestamp":1}`, 200, "{}"},
		{"true as number", "POST", "runs/log-metric", isJSON, `{"run_id":"R","key":"b","value":true,"timestamp":1}`, 200, "{}"},
		{"fraction as integer", "POST", "runs/log-metric", isJSON, `{"run_id":"R","key":"f","value":1,"timestamp":1.5}`, 200, "{}"},
		{"no number", "POST", "runs/log-metric", isJSON, `{"run_id":"R","key":"m","value":"abc","timestamp":1}`, 400, `Invalid value \"abc\" for parameter 'value' supplied:  Hint: Value was of type 'str'.`},
		{"no timestamp", "POST", "runs/log-metric", isJSON, `{"run_id":"R","key":"m","value":1}`, 400, "Missing value for required parameter 'timestamp'."},
		{"no value in a batch", "POST", "runs/log-batch", isJSON, `{"run_id":"R","metrics":[{"key":"m","timestamp":1}]}`, 400, "Missing value for required parameter 'metrics[0].value'."},
		{"metrics no list", "POST", "runs/log-batch", isJSON, `{"run_id":"R","metrics":"x"}`, 400, "Invalid value"},
		{"metric no object", "POST", "runs/log-batch", isJSON, `{"run_id":"R","metrics":[1]}`, 400, "metrics[0]"},
		{"number as param", "POST", "runs/log-parameter", isJSON, `{"run_id":"R","key":"p","value":5}`, 400, "Invalid value 5 for parameter 'value' supplied"},
		{"param without value", "POST", "runs/log-parameter", isJSON, `{"run_id":"R","key":"empty"}`, 200, "{}"},
		{"status by number", "POST", "runs/update", isJSON, `{"run_id":"R","status":3}`, 200, `"status": "FINISHED"`},
		{"search without a limit", "POST", "experiments/search", isJSON, `{}`, 400, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"},
		{"search too much", "POST", "runs/search", isJSON, `{"experiment_ids":["0"],"max_results":50001}`, 400, "Invalid value 50001 for parameter 'max_results' supplied:  Hint: Value was of type 'int'."},
		{"R's booleans", "POST", "registered-models/create", isJSON, `{"name":"m"}`, 200, `"name": "m"`},
		{"unknown endpoint", "GET", "nothing", "", "", 404, "ENDPOINT_NOT_FOUND"},
		{"wrong method", "GET", "experiments/create", "", "", 405, "METHOD_NOT_ALLOWED"},
		{"error", "GET", "runs/get?run_id=nope", "", "", 404,
			`{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Run with id=nope not found", "sqlstate": "KAM00", "error_class": "RESOURCE_NOT_FOUND"}`},
		{"history without a limit", "GET", "metrics/get-history?run_id=R&metric_key=b", "", "", 200, `"value": 1.0`},
		{"history of 0", "GET", "metrics/get-history?run_id=R&metric_key=b&max_results=0", "", "", 400, "It must be a positive integer."},
		{"history in bulk is there when empty", "GET", "metrics/get-history-bulk?run_id=R&metric_key=nope", "", "", 200, `"metrics": []`},
		{"files are there when there are none", "GET", "artifacts/list?run_uuid=R", "", "", 200, `"files": []`},
		{"camel case", "POST", "experiments/create", isJSON, `{"name":"camel","artifactLocation":"mlflow-artifacts:/camel"}`, 200, "experiment_id"},
		{"both cases", "POST", "runs/search", isJSON, `{"experiment_ids":["0"],"experimentIds":["0"]}`, 400,
			"Request specifies both 'experiment_ids' and 'experimentIds'; provide only one of them."},
		{"outputs of none", "POST", "runs/outputs", isJSON, `{"run_id":"R"}`, 400, "Missing value for required parameter 'models'."},
		{"models of no experiment", "POST", "logged-models/search", isJSON, `{}`, 400, "Missing value for required parameter 'experiment_ids'."},
		{"retention", "POST", "experiments/set-experiment-tag", isJSON, `{"experiment_id":"0","key":"mlflow.trace.archivalRetention","value":"30d"}`, 400,
			"Trace archival config must be encoded as a JSON object."},
		{"history of no run", "GET", "metrics/get-history-bulk?metric_key=b", "", "", 400, "GetMetricHistoryBulk request must specify at least one run_id."},
		{"samples of too many", "GET", "metrics/get-history-bulk-interval?run_ids=R&metric_key=b&max_results=2501", "", "", 400,
			"max_results must be between 1 and 2500. See the API docs for more information about request parameters."},
		{"datasets of no experiment", "POST", "experiments/search-datasets", isJSON, `{}`, 400, "SearchDatasets request must specify at least one experiment_id."},
		{"workspace", "GET", "experiments/get?experiment_id=0", "", "", 200, `"workspace": "default"`},
		{"a DELETE with a query", "DELETE", "registered-models/delete?name=m", "", "", 200, "{}"},
	} {
		fill := strings.NewReplacer(`"R"`, `"`+run+`"`, "=R", "="+run)
		status, body, _ := exchange(t, server, test.method, api+fill.Replace(test.path), test.contentType, fill.Replace(test.body))
		if status != test.status || !strings.Contains(body, test.has) {
			t.Errorf("%s: %d %s\nwant %d %s", test.name, status, body, test.status, test.has)
		}
	}
}

func TestRunJSON(t *testing.T) {
	server := serve(t)
	run := newRun(t, server)
	for _, body := range []string{`{"run_id":"` + run + `","metrics":[{"key":"rmse","value":NaN,"timestamp":1},{"key":"speed","value":2,"timestamp":1}]}`} {
		if status, answer, _ := exchange(t, server, "POST", api+"runs/log-batch", "application/json", body); status != 200 {
			t.Fatal(answer)
		}
	}
	_, body, header := exchange(t, server, "GET", "/ajax-api/2.0/mlflow/runs/get?run_id="+run, "", "")
	want := strings.ReplaceAll(`{
  "run": {
    "info": {
      "run_uuid": "THIS",
      "experiment_id": "0",
      "run_name": "run",
      "user_id": "",
      "status": "RUNNING",
      "start_time": 1,
      "artifact_uri": "mlflow-artifacts:/0/THIS/artifacts",
      "lifecycle_stage": "active",
      "run_id": "THIS"
    },
    "data": {
      "metrics": [
        {
          "key": "rmse",
          "value": "NaN",
          "timestamp": 1,
          "step": 0
        },
        {
          "key": "speed",
          "value": 2.0,
          "timestamp": 1,
          "step": 0
        }
      ],
      "tags": [
        {
          "key": "mlflow.runName",
          "value": "run"
        }
      ]
    },
    "inputs": {}
  }
}`, "THIS", run)
	if body != want {
		t.Errorf("got %s\nwant %s", body, want)
	}
	if got := header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %s", got)
	}
}

func TestArtifactRoutes(t *testing.T) {
	server := serve(t)
	run := newRun(t, server)
	files := "/api/2.0/mlflow-artifacts/artifacts"
	root := files + "/0/" + run + "/artifacts/"
	if status, body, header := exchange(t, server, "PUT", root+"dir/a%20+%25b%C3%A9.html", "text/html", "<script>"); status != 200 || body != "" || header.Get("Content-Type") != "" {
		t.Errorf("put: %d %q %v", status, body, header)
	}
	name := "dir/a +%bé.html"
	for _, path := range []string{root + "dir/a%20+%25b%C3%A9.html", "/get-artifact?run_uuid=" + run + "&path=" + url.QueryEscape(name)} {
		status, body, header := exchange(t, server, "GET", path, "", "")
		if status != 200 || body != "<script>" || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") ||
			header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment;") {
			t.Errorf("%s: %d %q %v", path, status, body, header)
		}
	}
	for _, test := range []struct {
		method, path string
		status       int
		has          string
	}{
		{"GET", files + "?path=0/" + run + "/artifacts", 200, `{"files":[{"path":"dir","is_dir":true}]}`},
		{"GET", files + "?path=nothing", 200, "{}"},
		{"GET", files + "?path=../x", 400, "Invalid path"},
		{"GET", root + "nope", 404, "No such artifact: '0/" + run + "/artifacts/nope'"},
		{"GET", root + "dir", 400, `{"detail":"Artifact path refers to a directory, not a file: '0/` + run + `/artifacts/dir'"}`},
		{"PUT", root + "dir/", 400, `{"detail":"Artifact path must include a filename (cannot end with '/')."}`},
		{"GET", "/get-artifact?path=dir&run_id=" + run, 400, `"error_code": "INVALID_PARAMETER_VALUE"`},
		{"GET", "/ajax-api/2.0/mlflow/logged-models/m-x/artifacts/files", 404, "not found"},
		{"POST", "/ajax-api/2.0/mlflow/upload-artifact?path=x", 400, "Request must specify run_uuid."},
		{"POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", 400, "Presigned upload is not supported for proxied artifact storage"},
		{"GET", "/ajax-api/3.0/jobs/x", 404, `{"detail":"Job with ID x not found"}`},
		{"GET", "/ajax-api/3.0/mlflow/traces/tr-1", 404, "Trace with ID 'tr-1' not found."},
		{"POST", "/v1/traces", 501, "NOT_IMPLEMENTED"},
		{"PUT", root + "dir", 400, "directory"},
		{"PUT", root + "..%2f..%2fx", 400, "Invalid path"},
		{"PUT", root + "%252e%252e/x", 400, "Invalid path"},
		{"PUT", files + "//etc/x", 400, "Invalid path"},
		{"DELETE", root + "..%2f", 400, "Invalid path"},
		{"GET", "/get-artifact?run_id=" + run + "&path=../../../etc/passwd", 400, "Invalid path"},
		{"GET", "/get-artifact?run_id=" + run, 400, "path"},
		{"GET", "/get-artifact?path=x", 404, "Run with id= not found"},
		{"GET", "/model-versions/get-artifact?name=m&version=1&path=MLmodel", 404, "not found"},
		{"POST", "/api/2.0/mlflow-artifacts/mpu/create/x", 501, "Multipart upload is not supported for the current artifact repository"},
		{"GET", "/api/2.0/mlflow-artifacts/presigned/x", 501, "Multipart download is not supported for the current artifact repository"},
		{"DELETE", root + "", 200, "{}"},
		{"DELETE", root + "", 200, "{}"},
		{"GET", "/health", 200, "OK"},
		{"GET", "/version", 200, mlflow.Version},
		{"GET", "/api/3.0/mlflow/server-info", 200, `"workspaces_enabled": false`},
		{"GET", "/ajax-api/3.0/mlflow/scorers/list", 200, "{}"},
		{"POST", "/ajax-api/3.0/mlflow/traces/search", 200, "{}"},
		{"POST", "/api/3.0/mlflow/traces", 501, "NOT_IMPLEMENTED"},
	} {
		if status, body, _ := exchange(t, server, test.method, test.path, "", "x"); status != test.status || !strings.Contains(body, test.has) {
			t.Errorf("%s %s: %d %s\nwant %d %s", test.method, test.path, status, body, test.status, test.has)
		}
	}
}

func TestDeletedLoggedModel(t *testing.T) {
	server := serve(t)
	c := &mlflow.Client{BaseURL: server.URL}
	m, err := c.CreateLoggedModel(t.Context(), registry.NewLoggedModel{ExperimentID: "0", Name: "x"})
	if err == nil {
		err = c.DeleteLoggedModel(t.Context(), m.Info.ModelID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetLoggedModel(t.Context(), m.Info.ModelID); registry.CodeOf(err) != registry.ResourceDoesNotExist {
		t.Errorf("a deleted model: %v", err)
	}
	if found, err := c.FindLoggedModel(t.Context(), m.Info.ModelID); err != nil || found.Info.Name != "x" {
		t.Errorf("a deleted model that is wanted all the same: %+v, %v", found, err)
	}
}

func TestRange(t *testing.T) {
	server := serve(t)
	run := newRun(t, server)
	path := "/api/2.0/mlflow-artifacts/artifacts/0/" + run + "/artifacts/x"
	if status, body, _ := exchange(t, server, "PUT", path, "", "0123456789"); status != 200 {
		t.Fatal(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Range", "bytes=2-4")
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if b, err := io.ReadAll(response.Body); string(b) != "234" || response.StatusCode != 206 || err != nil {
		t.Errorf("%d %q, %v", response.StatusCode, b, err)
	}
}

// Java's client asks with GET and repeated keys, R's sends every value as a text.
func TestOtherClients(t *testing.T) {
	server := serve(t)
	run := newRun(t, server)
	post := func(path, body string) {
		t.Helper()
		if status, answer, _ := exchange(t, server, "POST", api+path, "application/json", body); status != 200 {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
	}
	post("registered-models/create", `{"name":"m"}`)
	for range 2 {
		post("model-versions/create", `{"name":"m","source":"runs:/`+run+`/model","run_id":"`+run+`"}`)
	}
	post("model-versions/transition-stage", `{"name":"m","version":"1","stage":"Staging","archive_existing_versions":"FALSE"}`)
	post("model-versions/transition-stage", `{"name":"m","version":2,"stage":"production","archive_existing_versions":"TRUE"}`)
	_, body, _ := exchange(t, server, "GET", api+"registered-models/get-latest-versions?name=m&stages=Staging&stages=Production", "", "")
	var answer struct {
		Versions []registry.ModelVersion `json:"model_versions"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range answer.Versions {
		got = append(got, v.Version+" "+string(v.CurrentStage))
	}
	if want := []string{"1 Staging", "2 Production"}; !slices.Equal(got, want) {
		t.Errorf("latest versions %v, want %v", got, want)
	}
	_, body, _ = exchange(t, server, "POST", api+"runs/search", "application/json", `{"experiment_ids":["0"],"max_results":"100","run_view_type":"1"}`)
	if !strings.Contains(body, run) {
		t.Errorf("search by texts: %s", body)
	}
}
