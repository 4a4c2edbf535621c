package enginehttp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

// listener is a client of a stream.
type listener struct {
	b     *bench
	close context.CancelFunc
	lines *bufio.Scanner
}

// told is an event as it comes.
type told struct{ id, event, data string }

func (b *bench) stream(path, lastID string) *listener {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", b.url+enginehttp.Prefix+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := b.doc.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		cancel()
		res.Body.Close()
	})
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatalf("%s: %s %v", path, res.Status, res.Header)
	}
	return &listener{b, cancel, bufio.NewScanner(res.Body)}
}

// next waits for an event.
func (l *listener) next() (e told) {
	l.b.t.Helper()
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "":
			if e.event != "" {
				return e
			}
		}
	}
	return e
}

func (e told) of(t *testing.T) (event enginehttp.Event) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), &event); err != nil || fmt.Sprint(event.ID) != e.id {
		t.Errorf("%+v: %v", e, err)
	}
	return event
}

// A client hears every state of a run, its subflow and their calls in the order of
// commits, whichever process wrote it, and goes on where it was cut off, even when
// the history was closed meanwhile.
func TestEvents(t *testing.T) {
	b := newBench(t)
	l := b.stream("events/stream?topic=flow-run,task-run", "")
	// Another process, as far as files go.
	other, err := history.Open(t.Context(), b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, run, err := b.hello().Start(t.Context(), &engine.Engine{History: other, Version: "v1", Logger: quiet}, greeting{Who: "you", Times: 1}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var heard []enginehttp.Event
	for len(heard) == 0 || heard[len(heard)-1].Subject != run.ID || heard[len(heard)-1].TaskKey != "" || heard[len(heard)-1].State.Type != engine.TypeCompleted {
		e := l.next()
		if e.id == "" {
			t.Fatal("the stream has ended")
		}
		heard = append(heard, e.of(t))
	}
	var want int
	for _, r := range append([]engine.FlowRun{run}, must(other.Subflows(t.Context(), run.ID))...) {
		for _, key := range append(keysOf(must(other.TaskRuns(t.Context(), r.ID))), "") {
			states := must(other.States(t.Context(), r.ID, key))
			want += len(states)
			i := 0
			for _, e := range heard {
				if e.Subject == r.ID && e.TaskKey == key {
					if i >= len(states) || *e.State != enginehttp.State(states[i]) || e.RootID != run.ID {
						t.Errorf("event %+v, state %d of %+v", e, i, states)
					}
					i++
				}
			}
		}
	}
	if len(heard) != want {
		t.Errorf("%d events of %d states", len(heard), want)
	}
	l.close()

	// A restart, and a client that comes back.
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	again := &bench{t: t, dir: b.dir, doc: b.doc}
	again.reopen()
	mid := heard[len(heard)/2]
	l = again.stream("events/stream?run="+run.ID, fmt.Sprint(mid.ID))
	for _, e := range heard[len(heard)/2+1:] {
		if got := l.next().of(t); got.ID != e.ID || *got.State != *e.State {
			t.Errorf("after the restart %+v, want %+v", got, e)
		}
	}
	l.close()
	// One that comes from another history, or too late, hears that.
	l = again.stream("events/stream", "999999")
	if e := l.next(); e.event != "reset" || e.id == "999999" {
		t.Errorf("%+v", e)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func keysOf(tasks []engine.TaskRun) (keys []string) {
	for _, t := range tasks {
		keys = append(keys, t.Key)
	}
	return keys
}

// Changes to what runs go by are events too.
func TestEventsOfOtherThings(t *testing.T) {
	b := newBench(t)
	l := b.stream("events/stream?topic=deployment,work-pool,work-queue,concurrency-limit", "")
	b.call("POST", "deployments", `{"deployments":[{"flow":"hello","name":"d","parameters":{"who":"you"}}]}`, 200, nil)
	b.call("POST", "deployments/d/pause", "", 200, nil)
	b.call("PATCH", "work-pools/default/queues/default", `{"paused":true}`, 200, nil)
	b.call("PUT", "concurrency-limits/l", `{"slots":1}`, 200, nil)
	b.call("DELETE", "deployments/d", "", 204, nil)
	var got []string
	for len(got) == 0 || got[len(got)-1] != "deployment deleted" {
		e := l.next().of(t)
		got = append(got, e.Topic+" "+e.What)
	}
	if want := "[work-pool created work-queue created deployment created deployment changed work-queue changed concurrency-limit changed deployment deleted]"; fmt.Sprint(got) != want {
		t.Errorf("%v\nwant %v", got, want)
	}
}

// Who follows a log hears each line once, and that there will be no more.
func TestFollowLogs(t *testing.T) {
	b := newBench(t)
	run := b.hand(`{"who":"you"}`)
	l := b.stream("flow-runs/"+run.ID+"/logs/stream?subflows=true", "")
	b.run(run.ID)
	var got []string
	var last told
	for last.event != "end" {
		if last = l.next(); last.event == "" {
			t.Fatal("the stream has ended without saying so")
		}
		got = append(got, last.event)
	}
	if fmt.Sprint(got) != "[line line end]" || !strings.Contains(last.data, `"COMPLETED"`) {
		t.Errorf("%v, %s", got, last.data)
	}
	if l.lines.Scan() {
		t.Errorf("after the end: %s", l.lines.Text())
	}
}

// A client that does not read holds up nobody: the server goes on, and what the
// client has missed is there when it comes back.
func TestSlowClient(t *testing.T) {
	b := newBench(t)
	slow := b.stream("events/stream", "")
	many := engine.Task[int, int]{Name: "Work", Func: func(_ context.Context, n int) (int, error) { return n, nil }}
	flow := engine.Flow[int, int]{Name: "many", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		for i := range n {
			many.Submit(c, engine.Val(i))
		}
		return engine.Val(n), nil
	}}
	_, run, err := flow.Start(t.Context(), b.e, 2000, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first := slow.next()
	slow.close()
	l := b.stream("events/stream?run="+run.ID, first.id)
	ended := 0
	for deadline := time.Now().Add(5 * time.Minute); ended < 2000; {
		e := l.next()
		if e.event == "" || time.Now().After(deadline) {
			t.Fatalf("%d calls have ended", ended)
		}
		if got := e.of(t); got.TaskKey != "" && got.State.Type == engine.TypeCompleted {
			ended++
		}
	}
}

// A server that stops does not wait for who listens.
func TestCloseEndsStreams(t *testing.T) {
	b := newBench(t)
	api := enginehttp.NewHandler(b.store, quiet)
	server := httptest.NewServer(api)
	res, err := http.Get(server.URL + enginehttp.Prefix + "events/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	api.Close()
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Error(err)
	}
	server.Close() // waits for requests
}

// From a commit by another process to a client that has read the event.
func BenchmarkEventDelay(b *testing.B) {
	dir := b.TempDir()
	store, err := history.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	other, err := history.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer other.Close()
	api := enginehttp.NewHandler(store, quiet)
	server := httptest.NewServer(api)
	defer server.Close()
	defer api.Close()
	res, err := http.Get(server.URL + enginehttp.Prefix + "events/stream")
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	var delays []time.Duration
	for b.Loop() {
		time.Sleep(7 * time.Millisecond)
		began := time.Now()
		if err := other.SetLimit(b.Context(), "l", len(delays)); err != nil {
			b.Fatal(err)
		}
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
		}
		delays = append(delays, time.Since(began))
	}
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds())/1e3, "p99-ms")
}
