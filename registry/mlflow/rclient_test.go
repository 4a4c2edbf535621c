package mlflow_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
)

// R's client sends numbers, truth values and what is no number as texts, and
// bodies with PATCH and DELETE.
func TestRClient(t *testing.T) {
	server := serve(t)
	call := func(method, path, body string, answer any) {
		t.Helper()
		status, text, _ := exchange(t, server, method, api+path, "application/json", body)
		if status != 200 {
			t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
		if answer != nil {
			if err := json.Unmarshal([]byte(text), answer); err != nil {
				t.Fatalf("%s %s: %v in %s", method, path, err, text)
			}
		}
	}
	call("POST", "experiments/search", `{"max_results":"1"}`, nil) // whether anybody is there
	var experiment struct {
		ID string `json:"experiment_id"`
	}
	call("POST", "experiments/create", `{"name":"r","tags":[{"key":"k","value":"v"}]}`, &experiment)
	var made struct{ Run registry.Run }
	call("POST", "runs/create", fmt.Sprintf(`{"experiment_id":%q,"user_id":"me","start_time":"1700000000000","tags":[{"key":"a","value":"1"}]}`, experiment.ID), &made)
	run := made.Run.Info.RunID
	call("POST", "runs/log-metric", fmt.Sprintf(`{"run_uuid":%[1]q,"run_id":%[1]q,"key":"rmse","value":"6.25","timestamp":"1700000000001","step":"3"}`, run), nil)
	call("POST", "runs/log-batch", fmt.Sprintf(`{"run_id":%q,
		"metrics":[{"key":"nan","value":"NaN","timestamp":"1700000000002","step":"0"},{"key":"inf","value":"Inf","timestamp":"1700000000002","step":"1"},
			{"key":"low","value":"-Inf","timestamp":"1700000000002","step":"0"}],
		"params":[{"key":"depth","value":"30"}],"tags":[{"key":"b","value":"TRUE"}]}`, run), nil)
	call("POST", "runs/delete-tag", fmt.Sprintf(`{"run_id":%q,"key":"a"}`, run), nil)
	call("POST", "runs/update", fmt.Sprintf(`{"run_uuid":%[1]q,"run_id":%[1]q,"status":"FINISHED","end_time":"1700000000009"}`, run), nil)

	got, err := (&mlflow.Client{BaseURL: server.URL}).GetRun(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	for _, m := range got.Data.Metrics {
		points = append(points, fmt.Sprintf("%s=%.5g@%d", m.Key, m.Value, m.Step))
	}
	if got, want := strings.Join(points, " "), "inf=1.7977e+308@1 low=-1.7977e+308@0 nan=NaN@0 rmse=6.25@3"; got != want {
		t.Errorf("metrics %s, want %s", got, want)
	}
	if i := got.Info; i.StartTime != 1700000000000 || i.EndTime != 1700000000009 || i.Status != registry.Finished {
		t.Errorf("run %+v", i)
	}

	call("POST", "registered-models/create", `{"name":"m"}`, nil)
	call("POST", "model-versions/create", fmt.Sprintf(`{"name":"m","source":"runs:/%[1]s/model","run_id":%[1]q}`, run), nil)
	call("PATCH", "registered-models/update", `{"name":"m","description":"of rides"}`, nil)
	call("PATCH", "model-versions/update", `{"name":"m","version":"1","description":"first"}`, nil)
	var found struct {
		Versions []registry.ModelVersion `json:"model_versions"`
	}
	call("GET", "model-versions/search?filter=name%3D%27m%27&max_results=10", "", &found)
	if len(found.Versions) != 1 || found.Versions[0].Description != "first" {
		t.Errorf("versions %+v", found.Versions)
	}
	call("DELETE", "model-versions/delete", `{"name":"m","version":"1"}`, nil)
	call("DELETE", "registered-models/delete", `{"name":"m"}`, nil)
}
