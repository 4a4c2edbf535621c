package mlflow_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

// filled is a handler of a store with an experiment of runs to search over, and
// one run with a long history. What the benchmarks measure is all that the
// server does for a request but the connection.
type filled struct {
	handler    http.Handler
	experiment string
	runs       []string
	long       string
}

func fill(b *testing.B, runs int) *filled {
	s, err := store.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	f := &filled{handler: mlflow.NewHandler(s)}
	if f.experiment, err = s.CreateExperiment(b.Context(), registry.NewExperiment{Name: "bench"}); err != nil {
		b.Fatal(err)
	}
	run := func() string {
		r, err := s.CreateRun(b.Context(), registry.NewRun{ExperimentID: f.experiment, StartTime: int64(len(f.runs))})
		if err != nil {
			b.Fatal(err)
		}
		return r.Info.RunID
	}
	for i := range runs {
		f.runs = append(f.runs, run())
		var batch registry.Batch
		for j := range 10 {
			batch.Metrics = append(batch.Metrics, registry.Metric{Key: fmt.Sprintf("m%d", j), Value: float64(i*7919%1000+j) / 1000, Timestamp: 1700000000000})
			batch.Params = append(batch.Params, registry.Param{Key: fmt.Sprintf("p%d", j), Value: fmt.Sprint((i + j) % 10)})
		}
		for j := range 5 {
			batch.Tags = append(batch.Tags, registry.Tag{Key: fmt.Sprintf("t%d", j), Value: "x"})
		}
		if err := s.LogBatch(b.Context(), f.runs[i], batch); err != nil {
			b.Fatal(err)
		}
	}
	f.long = run()
	for i := range 10 {
		if err := s.LogBatch(b.Context(), f.long, points("loss", 1, 1000*i, 1000)); err != nil {
			b.Fatal(err)
		}
	}
	return f
}

// points is a batch of points for each of some keys.
func points(key string, keys, step, each int) (batch registry.Batch) {
	for k := range keys {
		for i := range each {
			batch.Metrics = append(batch.Metrics, registry.Metric{Key: key + fmt.Sprint(k), Value: float64(i) / 7, Timestamp: 1700000000000, Step: int64(step + i)})
		}
	}
	return batch
}

func (f *filled) do(b *testing.B, method, path string, body []byte) {
	r := httptest.NewRequest(method, "/api/2.0/mlflow/"+path, bytes.NewReader(body))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
}

type object map[string]any

func BenchmarkLog(b *testing.B) {
	f := fill(b, 1)
	run := f.runs[0]
	bench := func(name string, make func(i int) (path string, body any)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				b.StopTimer()
				path, body := make(i)
				text, err := json.Marshal(body)
				if err != nil {
					b.Fatal(err)
				}
				i++
				b.StartTimer()
				f.do(b, "POST", path, text)
			}
		})
	}
	bench("run", func(int) (string, any) { return "runs/create", object{"experiment_id": f.experiment, "start_time": 1} })
	bench("metric", func(i int) (string, any) {
		return "runs/log-metric", object{"run_id": run, "key": "m", "value": 0.5, "timestamp": 1700000000000, "step": i}
	})
	bench("param", func(i int) (string, any) {
		return "runs/log-parameter", object{"run_id": run, "key": fmt.Sprintf("q%d", i), "value": "v"}
	})
	bench("batch/points=1000", func(i int) (string, any) {
		return "runs/log-batch", object{"run_id": run, "metrics": points("a", 1, i*1000, 1000).Metrics}
	})
	bench("batch/keys=1000", func(i int) (string, any) {
		return "runs/log-batch", object{"run_id": run, "metrics": points("b", 1000, i, 1).Metrics}
	})
	bench("batch/keys=10", func(i int) (string, any) {
		return "runs/log-batch", object{"run_id": run, "metrics": points("c", 10, i, 1).Metrics}
	})
}

func BenchmarkRead(b *testing.B) {
	f := fill(b, 1000)
	bench := func(name, method, path string, body any) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var text []byte
			if body != nil {
				var err error
				if text, err = json.Marshal(body); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				f.do(b, method, path, text)
			}
		})
	}
	search := func(limit int, filter string, orderBy ...string) object {
		return object{"experiment_ids": []string{f.experiment}, "max_results": limit, "filter": filter, "order_by": orderBy}
	}
	bench("search/first=100", "POST", "runs/search", search(100, "", "attributes.start_time DESC"))
	bench("search/filter", "POST", "runs/search", search(100, "metrics.m1 > 0.5 AND params.p1 = '3'"))
	bench("search/order", "POST", "runs/search", search(100, "", "metrics.m2 ASC"))
	bench("search/all=1000", "POST", "runs/search", search(50000, ""))
	bench("run", "GET", "runs/get?run_id="+f.runs[5], nil)
	bench("sample", "GET", "metrics/get-history-bulk-interval?run_ids="+f.long+"&metric_key=loss0&max_results=320", nil)
	bench("history", "GET", "metrics/get-history?run_id="+f.long+"&metric_key=loss0&max_results=25000", nil)
}
