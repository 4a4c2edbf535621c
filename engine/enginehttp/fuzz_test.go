package enginehttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

// Whatever a client sends, it is no fault of the server's.
func FuzzRequests(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "flow-runs", "limit=3&state=RUNNING,FAILED&after=MTcgeA", ""},
		{"GET", "flow-runs/latest/graph", "since=99&depth=2", ""},
		{"GET", "flow-runs/%00/task-runs/a%2Fb", "", ""},
		{"GET", "events", "after=9223372036854775807&topic=flow-run", ""},
		{"POST", "flow-runs", "", `{"flow":"hello","parameters":{"who":"x"},"start_at":"9999-12-31T23:59:59Z"}`},
		{"POST", "deployments", "", `{"deployments":[{"flow":"hello","name":"d","schedules":[{"rrule":"FREQ=DAILY"}],"catch_up":"latest"}]}`},
		{"POST", "deployments/d/backfill", "", `{"from":"2021-01-01T00:00:00Z","to":"2021-01-02T00:00:00Z","schedule":{"interval":"1h"}}`},
		{"PUT", "concurrency-limits/a", "", `{"slots":1e2}`},
		{"POST", "workers/claim", "", `{"worker":{"id":"w","pool":"default","heartbeat_seconds":1e-300},"most":1,"before":"0001-01-01T00:00:00Z"}`},
		{"PATCH", "work-pools/default", "", `{"limit":null,"paused":true}`},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	store, err := history.Open(f.Context(), f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { store.Close() })
	api := enginehttp.NewHandler(store, quiet, (&bench{}).hello())
	f.Cleanup(api.Close)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if strings.Contains(path, "stream") || strings.Contains(path, "wait") {
			return // they take their time
		}
		u, err := url.Parse(enginehttp.Prefix + path)
		if err != nil {
			return
		}
		u.RawQuery = query
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost", strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL = u
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s = %d %s", method, u, w.Code, w.Body)
		}
	})
}
