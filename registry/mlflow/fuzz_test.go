package mlflow_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

// Whatever a client sends, it is not the server's mistake.
func FuzzRequests(f *testing.F) {
	s, err := store.Open(f.Context(), f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	run, err := s.CreateRun(f.Context(), registry.NewRun{})
	if err != nil {
		f.Fatal(err)
	}
	handler := mlflow.NewHandler(s)
	for _, seed := range [][3]string{
		{"POST", "runs/log-batch", `{"run_id":"RUN","metrics":[{"key":"m","value":NaN,"timestamp":"1"}],"params":[{"key":"p","value":"1"}]}`},
		{"POST", "runs/search", `{"experiment_ids":["0"],"filter":"metrics.m < 1e3","order_by":["tags.x"],"max_results":5,"run_view_type":3}`},
		{"POST", "runs/log-inputs", `{"run_id":"RUN","datasets":[{"tags":[],"dataset":{"name":"x","digest":"y"}}]}`},
		{"POST", "runs/create", `{"experiment_id":"01","tags":[{"key":"mlflow.runName","value":"\u0000"}]}`},
		{"POST", "experiments/create", `"{\"name\":\"x\",\"artifact_location\":\"mlflow-artifacts:/..\"}"`},
		{"POST", "registered-models/create", `{"name":"a\nb","tags":[{"key":"k"}]}`},
		{"POST", "model-versions/create", `{"name":"m","source":"runs:/RUN/../x","run_id":"RUN"}`},
		{"POST", "logged-models", `{"experiment_id":"0","name":"m"}`},
		{"POST", "logged-models/search", `{"experiment_ids":["0"],"order_by":[{"field_name":"metrics.x","ascending":"false"}]}`},
		{"PATCH", "logged-models/m-%2f/tags", `{"tags":[{"key":"a","value":"b"}]}`},
		{"GET", "metrics/get-history?run_id=RUN&metric_key=m&page_token=e30=", ""},
		{"GET", "metrics/get-history-bulk-interval?run_ids=RUN&metric_key=m&start_step=-9&end_step=99999999999999999999", ""},
		{"GET", "artifacts/list?run_id=RUN&path=%00", ""},
		{"DELETE", "registered-models/alias", `{"name":"m","alias":"x"}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		fill := strings.NewReplacer("RUN", run.Info.RunID)
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost/api/2.0/mlflow/"+fill.Replace(path), strings.NewReader(fill.Replace(body)))
		if err != nil {
			return
		}
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
		}
	})
}
