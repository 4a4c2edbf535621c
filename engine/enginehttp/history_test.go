package enginehttp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/enginetest"
	"github.com/taximeter/taximeter/engine/history"
)

// piped is a network within this process, so that fake time passes while a server
// on it and its clients wait for one another.
type piped struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *piped) Close() error   { close(p.done); return nil }
func (p *piped) Addr() net.Addr { return &net.UnixAddr{Name: "piped"} }

func (p *piped) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// far is the history of a server's store as a process elsewhere has it.
func far(t *testing.T, dir string, ttl time.Duration) (*enginehttp.History, *history.Store) {
	t.Helper()
	store, err := history.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	network := &piped{conns: make(chan net.Conn), done: make(chan struct{})}
	api := enginehttp.NewHandler(store, quiet)
	server := &http.Server{Handler: api}
	served := make(chan error, 1)
	go func() { served <- server.Serve(network) }()
	transport := &http.Transport{DialContext: network.dial}
	t.Cleanup(func() {
		api.Close()
		transport.CloseIdleConnections()
		server.Close()
		<-served
	})
	client := &enginehttp.Client{URL: "http://piped", HTTP: &http.Client{Transport: transport}}
	return openFar(t, client, ttl), store
}

func openFar(t *testing.T, client *enginehttp.Client, ttl time.Duration) *enginehttp.History {
	t.Helper()
	id, err := client.TakeLease(t.Context(), os.Getpid(), ttl)
	if err != nil {
		t.Fatal(err)
	}
	h, err := client.OpenHistory(t.Context(), id, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// shown is a history of which tests see the states.
type shown struct {
	*enginehttp.History
	store *history.Store
}

func (s shown) States(ctx context.Context, run, key string) ([]engine.State, error) {
	return s.store.States(ctx, run, key)
}

func (s shown) List(ctx context.Context, flow string, n int) ([]engine.FlowRun, error) {
	return s.store.List(ctx, flow, n)
}

// What a history promises to engines in its own process, it promises to those that
// reach it over the API.
func TestHistoryOverTheAPI(t *testing.T) {
	enginetest.History(t, func(t *testing.T) engine.History {
		h, store := far(t, t.TempDir(), time.Hour)
		return shown{h, store}
	})
}

// count is a flow of n calls at once, each of which returns size bytes.
func count(n, size int) engine.Flow[int, int] {
	one := engine.Task[int, string]{Name: "one", Func: func(ctx context.Context, i int) (string, error) {
		engine.From(ctx).Log().Info(fmt.Sprint("call ", i))
		return strings.Repeat("x", size), nil
	}}
	return engine.Flow[int, int]{Name: "count", Func: func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
		var all []*engine.Future[string]
		for i := range n {
			all = append(all, one.Submit(c, engine.Val(i)))
		}
		texts, err := engine.All(c, all...)
		return engine.Val(len(strings.Join(texts, ""))), err
	}}
}

// Calls that are made at once go to the server together, and large results by
// themselves; nothing of it is missing.
func TestCallsGoTogether(t *testing.T) {
	b := newBench(t)
	var requests atomic.Int64
	client := &enginehttp.Client{URL: b.url, HTTP: &http.Client{Transport: counting{&requests}}}
	h := openFar(t, client, time.Minute)
	e := &engine.Engine{History: h, Logger: quiet}
	const calls = 2000
	if n, _, err := count(calls, 3).Start(t.Context(), e, 0, engine.Options{}); err != nil || n != 3*calls {
		t.Fatal(n, err)
	}
	if n := requests.Load(); n > calls/4 {
		t.Errorf("%d requests for %d calls", n, calls)
	}
	n, run, err := count(3, 100_000).Start(t.Context(), e, 0, engine.Options{})
	if err != nil || n != 300_000 {
		t.Fatal(n, err)
	}
	tasks, err := h.TaskRuns(t.Context(), run.ID)
	if err != nil || len(tasks) != 3 {
		t.Fatal(tasks, err)
	}
	if data, err := b.store.ReadResult(t.Context(), *tasks[0].Result); err != nil || len(data) != 100_002 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if lines, err := b.store.Logs(t.Context(), run.ID); err != nil || len(lines) != 3 {
		t.Errorf("%v, %v", lines, err)
	}
}

// counting is the network, and how often it is used.
type counting struct{ requests *atomic.Int64 }

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

// An engine whose lease has run out may write nothing any more, and hears of it.
func TestALostLease(t *testing.T) {
	b := newBench(t)
	client := &enginehttp.Client{URL: b.url}
	id, err := client.TakeLease(t.Context(), 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	h, err := client.OpenHistory(t.Context(), id, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	wait := engine.Task[int, int]{Name: "wait", Func: func(ctx context.Context, _ int) (int, error) {
		close(begun)
		<-h.Lost()
		return 1, nil
	}}
	flow := engine.Flow[int, int]{Name: "wait", Func: func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return wait.Submit(c, engine.Val(1)), nil }}
	type outcome struct {
		run engine.FlowRun
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		_, run, err := flow.Start(t.Context(), &engine.Engine{History: h, Logger: quiet}, 0, engine.Options{})
		ended <- outcome{run, err}
	}()
	<-begun
	if err := client.EndLease(t.Context(), id); err != nil { // as its clock would
		t.Fatal(err)
	}
	if crashed, err := b.store.Reap(t.Context()); err != nil || len(crashed) != 1 {
		t.Fatalf("reaped %v, %v", crashed, err)
	}
	got := <-ended
	if !errors.Is(got.err, engine.ErrSuperseded) {
		t.Errorf("ended with %v", got.err)
	}
	if run, err := b.store.FlowRun(t.Context(), got.run.ID); err != nil || run.State.Type != engine.TypeCrashed {
		t.Errorf("%+v, %v", run.State, err)
	}
	if _, err := client.OpenHistory(t.Context(), id, time.Minute); !errors.Is(err, engine.ErrSuperseded) {
		t.Errorf("open: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// leases has an engine elsewhere do everything, before the eyes of the document, and
// then asks by hand for what it would not.
func (b *bench) leases() {
	t := b.t
	client := &enginehttp.Client{URL: b.url, HTTP: &http.Client{Transport: b.doc}}
	id, err := client.TakeLease(t.Context(), 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	h, err := client.OpenHistory(t.Context(), id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_, run, err := count(2, 100_000).Start(t.Context(), &engine.Engine{History: h, Logger: quiet}, 0, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := h.TaskRuns(t.Context(), run.ID)
	if err != nil || len(tasks) != 2 {
		t.Fatal(tasks, err)
	}
	if data, err := h.ReadResult(t.Context(), *tasks[1].Result); err != nil || len(data) != 100_002 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume}); err == nil {
		t.Error("a run that has completed was resumed")
	}
	if list, err := h.Signals(t.Context(), run.ID, -1); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	var answers struct{ Answers []map[string]any }
	b.call("POST", "leases/"+id+"/calls", `{"calls":[{},{"create_flow_run":{"id":"x"}},{"put_task_run":{"task_run":{"result":{"ref":"../x"}}}},
		{"put_artifact":{"flow_run_id":"`+run.ID+`"}},{"append_logs":[{"flow_run_id":"nobody"}]},{"create_flow_run":{"id":"x","root_id":"x","flow":"f","parent_id":"nobody"}}]}`, 200, &answers)
	for i, code := range []string{"invalid", "invalid", "invalid", "invalid", "not_found", "not_found"} {
		if e, _ := answers.Answers[i]["error"].(map[string]any); e["code"] != code {
			t.Errorf("call %d: %v, want %s", i, answers.Answers[i], code)
		}
	}
	b.refused("POST", "leases/"+id+"/calls", `{"calls":[{"put_tusk":1}]}`, 400)
	b.refused("POST", "leases/"+id+"/calls", `{"calls":[`+strings.Repeat("{},", 1000)+`{}]}`, 422)
	b.refused("PUT", "leases/"+id+"/results/"+strings.Repeat("0", 64), "", 409)
	b.refused("POST", "leases/guess/renew", `{}`, 404)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	b.refused("POST", "leases/"+id+"/calls", `{"calls":[]}`, 409)
	b.refused("GET", "leases/"+id+"/signals?run=x", "", 409)
}

func BenchmarkTaskOverTheAPI(b *testing.B) {
	store, err := history.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	server := httptest.NewServer(enginehttp.NewHandler(store, quiet))
	defer server.Close()
	client := &enginehttp.Client{URL: server.URL}
	id, err := client.TakeLease(b.Context(), 1, time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	h, err := client.OpenHistory(b.Context(), id, time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	noop := engine.Task[int, int]{Name: "noop", Func: func(_ context.Context, i int) (int, error) { return i, nil }}
	e := &engine.Engine{History: h, Logger: quiet}
	b.Run("sequential", func(b *testing.B) {
		flow := engine.Flow[int, int]{Name: "sequential", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			for i := range n {
				if _, err := noop.Run(c, engine.Val(i)); err != nil {
					return nil, err
				}
			}
			return engine.Val(n), nil
		}}
		if _, _, err := flow.Start(b.Context(), e, b.N, engine.Options{}); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("at once", func(b *testing.B) {
		if _, _, err := count(b.N, 1).Start(b.Context(), e, 0, engine.Options{}); err != nil {
			b.Fatal(err)
		}
	})
}
