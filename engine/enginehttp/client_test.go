package enginehttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/enginetest"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// What a history promises to workers and planners in its own process, it promises
// to those who speak to it over the API.
func TestWorkOverTheAPI(t *testing.T) {
	train := engine.Flow[map[string]any, string]{Name: "train", Func: func(*engine.Ctx, map[string]any) (engine.Arg[string], error) {
		return engine.Val("done"), nil
	}}
	enginetest.Work(t, func(t *testing.T) enginetest.WorkStore {
		store, err := history.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		server := httptest.NewServer(enginehttp.NewHandler(store, quiet, train))
		t.Cleanup(server.Close)
		return &enginehttp.Client{URL: server.URL}
	})
}

// A worker that knows the API only takes a run and has it carried out by what can
// reach the records.
func TestWorkerOverTheAPI(t *testing.T) {
	b := newBench(t)
	client := &enginehttp.Client{URL: b.url + "/"}
	list, err := client.ApplyDeployments(t.Context(), []schedule.Deployment{{Flow: "hello", Name: "d", Parameters: []byte(`{"who":"you"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w := &worker.Worker{Source: client, Runner: worker.InProcess{Engine: b.e, Flows: b.flows}, Name: "far", Log: quiet}
	go func() { ended <- w.Run(ctx) }()
	run, err := client.RunDeployment(t.Context(), list[0].ID, schedule.RunRequest{})
	if err != nil {
		t.Fatal(err)
	}
	l := b.stream("flow-runs/"+run.ID+"/logs/stream", "")
	for e := l.next(); e.event != "end"; e = l.next() {
		if e.event == "" {
			t.Fatal("the stream has ended")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if done, err := client.FlowRun(t.Context(), run.ID); err != nil || string(done.Result) != `"you"` {
		t.Errorf("%+v, %v", done, err)
	}
}

// A worker over the API that says nothing any more is gone, and what it has
// claimed is another's.
func TestSilentWorkerIsGone(t *testing.T) {
	b := newBench(t)
	client := &enginehttp.Client{URL: b.url}
	run := b.hand(`{"who":"you"}`)
	silent := worker.Info{ID: "silent", Name: "silent", Pool: "default", Every: 0.02}
	if _, err := client.Beat(t.Context(), silent, nil); err != nil {
		t.Fatal(err)
	}
	claim := func(w worker.Info) int {
		runs, _, err := client.Claim(t.Context(), w, 9, time.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return len(runs)
	}
	other := worker.Info{ID: "other", Name: "other", Pool: "default", Every: 3600}
	if _, err := client.Beat(t.Context(), other, nil); err != nil {
		t.Fatal(err)
	}
	if n := claim(silent); n != 1 {
		t.Fatalf("claimed %d runs", n)
	}
	if n := claim(other); n != 0 {
		t.Errorf("claimed %d runs of another's", n)
	}
	for claim(other) == 0 {
		if _, err := client.Plan(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := client.FlowRun(t.Context(), run.ID); err != nil || !strings.Contains(got.State.Message, "worker other") {
		t.Errorf("%+v, %v", got.State, err)
	}
}

// What the server refuses, the client hears as the history would say it.
func TestClientErrors(t *testing.T) {
	b := newBench(t)
	client := &enginehttp.Client{URL: b.url}
	var p *enginehttp.Problem
	if _, err := client.FlowRun(t.Context(), "nobody"); !errors.Is(err, engine.ErrNotFound) || !errors.As(err, &p) || p.Status != 404 {
		t.Errorf("%v", err)
	}
	if _, err := client.ChangePool(t.Context(), "a/b", func(*worker.Pool) {}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("%v", err)
	}
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	if _, err := (&enginehttp.Client{URL: elsewhere.URL}).Deployments(t.Context()); err == nil || !strings.Contains(err.Error(), "answered 404") {
		t.Errorf("%v", err)
	}
	elsewhere.Close()
	if err := (&enginehttp.Client{URL: elsewhere.URL}).Wait(t.Context()); err == nil || !strings.Contains(fmt.Sprint(err), "ask the engine's API") {
		t.Errorf("%v", err)
	}
}
