//go:build browser

// Run with -tags browser where a Chromium is installed (CHROMIUM names it; the
// default is "chromium"). `make parity` does.

package ui_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/models/linear"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
	"github.com/taximeter/taximeter/serve"
	"github.com/taximeter/taximeter/serve/predict"
	"github.com/taximeter/taximeter/serve/ui"
)

// hostile is what a page that turns text into markup would run.
const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`

// act opens every row, sorts, and asks for a prediction, as a visitor would.
const act = `
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
for (let i = 0; i < 40 && !document.querySelector("#models tbody tr"); i++) await wait(100);
for (let depth = 0; depth < 3; depth++) {
  document.querySelectorAll('.open button[aria-expanded="false"]').forEach((b) => b.click());
  await wait(500);
}
document.querySelectorAll("thead button").forEach((b) => { b.click(); b.click(); });
document.querySelector("#predict form button").click();
await wait(500);
`

func TestPageInABrowser(t *testing.T) {
	dir := t.TempDir()
	records, err := history.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	tracked, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tracked.Close()
	runFlows(t, records)
	stageModel(t, tracked)

	loader := &predict.Loader{Registry: tracked}
	if err := loader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	tracking := mlflow.NewHandler(tracked)
	below := serveAll(t, []serve.Mount{
		{Path: "/", Handler: ui.Handler()},
		{Path: "/act.html", Handler: http.HandlerFunc(pageThatActs)},
		{Path: "/act.js", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, act)
		})},
		{Path: enginehttp.Prefix, Handler: enginehttp.NewHandler(records, slog.New(slog.DiscardHandler))},
		{Path: "/ajax-api/", Handler: tracking},
		{Path: "/predict", Handler: &predict.Handler{Loader: loader}},
	})

	page := dump(t, below+"/some/prefix/act.html")
	for _, want := range []string{
		"<title>Taximeter</title>", "Serving NYCRideDurationModel version 1",
		"minutes, says model version 1", "Completed", "Failed", "Cached", "went wrong " + escaped, "Finished", "Staging", "3.00",
		escaped + "</option>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// Flow, its subflow, its task, its message and parameters; experiment; run,
	// parameter, metric and tag; model and its description: each is shown as text.
	if n := strings.Count(page, escaped); n < 12 {
		t.Errorf("the hostile text is shown %d times, want it everywhere it was put", n)
	}
	for markup, want := range map[string]int{"<script": 2, "<img": 1} {
		if n := strings.Count(page, markup); n != want {
			t.Errorf("the page has %d of %s, want %d", n, markup, want)
		}
	}
	if strings.Contains(page, "note bad") || strings.Contains(page, "connection lost") {
		t.Errorf("the page shows an error")
	}
	if t.Failed() {
		t.Logf("%s", page)
	}
}

// escaped is hostile as a browser prints text.
var escaped = strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(hostile)

func runFlows(t *testing.T, records *history.Store) {
	t.Helper()
	e := &engine.Engine{History: records, Logger: slog.New(slog.DiscardHandler)}
	double := engine.Task[int, int]{Name: "Double " + hostile, Cache: engine.Cache{On: true}, Func: func(_ context.Context, n int) (int, error) { return 2 * n, nil }}
	inner := engine.Flow[int, int]{Name: "inner " + hostile, Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return double.Submit(c, engine.Val(n)), nil
	}}
	good := engine.Flow[map[string]string, int]{Name: "good " + hostile, Func: func(c *engine.Ctx, _ map[string]string) (engine.Arg[int], error) {
		n, err := inner.Run(c, engine.Val(1))
		return engine.Val(n), err
	}}
	bad := engine.Flow[int, int]{Name: "bad", Func: func(*engine.Ctx, int) (engine.Arg[int], error) {
		return engine.Val(0), errors.New("went wrong " + hostile)
	}}
	for range 2 { // the second time the task is cached
		if _, _, err := good.Start(t.Context(), e, map[string]string{"name": hostile}, engine.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := bad.Start(t.Context(), e, 1, engine.Options{}); err == nil {
		t.Fatal("the bad flow succeeded")
	}
}

func stageModel(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	experiment, err := s.CreateExperiment(ctx, registry.NewExperiment{Name: "experiment " + hostile})
	must(err)
	run, err := s.CreateRun(ctx, registry.NewRun{ExperimentID: experiment, RunName: "run " + hostile, StartTime: time.Now().UnixMilli()})
	must(err)
	id := run.Info.RunID
	must(s.LogBatch(ctx, id, registry.Batch{
		Metrics: []registry.Metric{{Key: "rmse_valid", Value: 7.48}, {Key: "inference_time", Value: 3e-6}},
		Params:  []registry.Param{{Key: "model", Value: "linear"}, {Key: "note", Value: hostile}},
		Tags:    []registry.Tag{{Key: "note", Value: hostile}},
	}))
	rides := []features.Ride{{PULocationID: 43, DOLocationID: 151, TripDistance: 1}, {PULocationID: 43, DOLocationID: 151, TripDistance: 2}}
	vectorizer, err := matrix.Fit(features.FromRides(features.Pair, rides))
	must(err)
	x, err := vectorizer.Transform(features.FromRides(features.Pair, rides))
	must(err)
	fitted, err := linear.Fit(ctx, x, []float64{5, 8}, linear.Params{})
	must(err)
	model, err := models.NewLinear(features.Pair, vectorizer, fitted)
	must(err)
	files, err := model.Files(models.Card{RunID: id})
	must(err)
	for _, f := range files {
		must(s.PutArtifact(ctx, id, "model/"+f.Name, bytes.NewReader(f.Bytes)))
	}
	_, err = s.UpdateRun(ctx, registry.RunUpdate{RunID: id, Status: registry.Finished, EndTime: time.Now().UnixMilli()})
	must(err)
	_, err = s.CreateRegisteredModel(ctx, registry.NewRegisteredModel{Name: "NYCRideDurationModel"})
	must(err)
	_, err = s.CreateModelVersion(ctx, registry.NewModelVersion{Name: "NYCRideDurationModel", RunID: id, Source: "runs:/" + id + "/model", Description: hostile})
	must(err)
	_, err = s.TransitionStage(ctx, "NYCRideDurationModel", "1", "Staging", false)
	must(err)
}

// serveAll serves mounts behind a proxy that strips /some/prefix, and returns
// the proxy's address.
func serveAll(t *testing.T, mounts []serve.Mount) string {
	t.Helper()
	ready := make(chan string, 1)
	done := make(chan error, 1)
	s := &serve.Server{Addr: "127.0.0.1:0", Mounts: mounts, Ready: func(url string) { ready <- url }}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	target, err := url.Parse(<-ready)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	front := httptest.NewServer(http.StripPrefix("/some/prefix", proxy))
	t.Cleanup(front.Close)
	return front.URL
}

// pageThatActs is the page with one more script of its own server.
func pageThatActs(w http.ResponseWriter, r *http.Request) {
	page := httptest.NewRecorder()
	ui.Handler().ServeHTTP(page, httptest.NewRequest("GET", "/", nil))
	for name, values := range page.Header() {
		if name != "Content-Length" && name != "Etag" {
			w.Header()[name] = values
		}
	}
	io.WriteString(w, strings.Replace(page.Body.String(), "</head>", `<script type="module" src="act.js"></script></head>`, 1))
}

// dump returns the page as it is once its scripts have run.
func dump(t *testing.T, url string) string {
	t.Helper()
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "chromium"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=10000", "--dump-dom", url)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	page, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", chromium, err, problems.String())
	}
	return string(page)
}
