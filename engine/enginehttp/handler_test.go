package enginehttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

var quiet = slog.New(slog.DiscardHandler)

// greeting is what the flow of these tests takes.
type greeting struct {
	Who   string `json:"who" required:"true"`
	Times int    `json:"times" min:"1" max:"9" default:"1"`
}

// bench is a server of the API with a history and some flows.
type bench struct {
	t     *testing.T
	dir   string
	store *history.Store
	e     *engine.Engine
	url   string
	flows []engine.Runnable
	doc   *document
	fail  bool // what the task of hello does
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.reopen()
	b.doc = readDocument(t, b.url)
	return b
}

// reopen opens what is in the folder, and serves it.
func (b *bench) reopen() {
	b.t.Helper()
	store, err := history.Open(b.t.Context(), b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { store.Close() })
	b.store = store
	b.e = &engine.Engine{History: store, Version: "v1", Logger: quiet}
	b.flows = []engine.Runnable{b.hello(), b.ask()}
	api := enginehttp.NewHandler(store, quiet, b.flows...)
	server := httptest.NewServer(api)
	b.t.Cleanup(server.Close)
	b.t.Cleanup(api.Close)
	b.url = server.URL
}

// hello greets in a subflow, whose task greets in a task of its own.
func (b *bench) hello() engine.Flow[greeting, string] {
	breathe := engine.Task[string, string]{Name: "Breathe", Func: func(_ context.Context, s string) (string, error) { return s, nil }}
	say := engine.Task[string, string]{Name: "Say hello", Tags: []string{"voice"}, Func: func(ctx context.Context, who string) (string, error) {
		task := engine.From(ctx)
		task.Log().Info("hello " + who)
		if b.fail {
			return "", io.ErrUnexpectedEOF
		}
		return breathe.Run(task, engine.Val(who))
	}}
	inner := engine.Flow[string, string]{Name: "inner", Func: func(c *engine.Ctx, who string) (engine.Arg[string], error) {
		return say.Submit(c, engine.Val(who)), nil
	}}
	return engine.Flow[greeting, string]{Name: "hello", Description: "Greets", Func: func(c *engine.Ctx, g greeting) (engine.Arg[string], error) {
		first := inner.Submit(c, engine.Val(g.Who))
		return say.Submit(c, first), nil
	}}
}

// ask waits for an answer of somebody's.
func (b *bench) ask() engine.Flow[struct{}, int] {
	return engine.Flow[struct{}, int]{Name: "ask", Func: func(c *engine.Ctx, _ struct{}) (engine.Arg[int], error) {
		n, err := engine.Input[int](c, engine.Pause{Key: "n", Message: "how many?", Suspend: true})
		return engine.Val(n), err
	}}
}

// run carries out a run that waits.
func (b *bench) run(id string) engine.FlowRun {
	b.t.Helper()
	run, err := b.store.FlowRun(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range b.flows {
		if f.Info().Name == run.Flow {
			run, _ = f.Execute(b.t.Context(), b.e, id) // the state says how it went
		}
	}
	return run
}

// call asks the API, and reads the answer, which has to be as the document says,
// into answer, if that is not nil.
func (b *bench) call(method, path, body string, status int, answer any) http.Header {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+enginehttp.Prefix+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return b.send(r, status, answer)
}

func (b *bench) send(r *http.Request, status int, answer any) http.Header {
	b.t.Helper()
	res, err := b.doc.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		b.t.Errorf("%s %s = %d %s, %v; want %d", r.Method, r.URL, res.StatusCode, data, err, status)
		return res.Header
	}
	if answer != nil {
		if err := json.NewDecoder(bytes.NewReader(data)).Decode(answer); err != nil {
			b.t.Errorf("%s %s: %s: %v", r.Method, r.URL, data, err)
		}
	}
	return res.Header
}

// refused asks what is to be refused, and returns what the API says about it.
func (b *bench) refused(method, path, body string, status int) enginehttp.Problem {
	b.t.Helper()
	var answer struct{ Error enginehttp.Problem }
	b.call(method, path, body, status, &answer)
	if answer.Error.Code == "" || answer.Error.Message == "" {
		b.t.Errorf("%s %s: no error is said", method, path)
	}
	return answer.Error
}

func (b *bench) hand(params string) enginehttp.FlowRun {
	b.t.Helper()
	var run enginehttp.FlowRun
	b.call("POST", "flow-runs", `{"flow":"hello","parameters":`+params+`}`, 201, &run)
	return run
}

// Whatever a client sends wrongly, it hears what, and of which field.
func TestMistakesAreTheClients(t *testing.T) {
	b := newBench(t)
	run := b.hand(`{"who":"you"}`)
	b.call("POST", "deployments", `{"deployments":[{"flow":"hello","name":"d","parameters":{"who":"you"}}]}`, 200, nil)
	b.call("POST", "work-pools", `{"name":"p"}`, 201, nil)
	long := strings.Repeat("a", 5<<20)
	for _, c := range []struct {
		method, path, body string
		status             int
		field, says        string
	}{
		{"GET", "nothing", "", 404, "", "not part of the API"},
		{"PUT", "flow-runs", "", 405, "", "takes GET and POST only"},
		{"GET", "flow-runs?limit=0", "", 400, "limit", "from 1 to 1000"},
		{"GET", "flow-runs?limit=x", "", 400, "limit", "from 1 to 1000"},
		{"GET", "flow-runs?limit=1&limit=2", "", 400, "limit", "twice"},
		{"GET", "flow-runs?stat=RUNNING", "", 400, "stat", `did you mean "state"?`},
		{"GET", "flow-runs?state=RUNING", "", 400, "state", "RUNNING"},
		{"GET", "flow-runs?after=x", "", 400, "after", "next of the page before"},
		{"GET", "flow-runs?created_from=yesterday", "", 400, "created_from", "a time such as"},
		{"GET", "flow-runs?%zz", "", 400, "", "the query"},
		{"GET", "flow-runs/nobody", "", 404, "", "nobody"},
		{"GET", "flow-runs/nobody/graph", "", 404, "", "nobody"},
		{"GET", "flow-runs/nobody/logs/stream", "", 404, "", "nobody"},
		{"GET", "flow-runs/" + run.ID + "/task-runs/none", "", 404, "", "none"},
		{"GET", "flow-runs/" + run.ID + "/task-runs?after=x", "", 400, "after", ""},
		{"GET", "events?topic=flow-runs", "", 400, "topic", `did you mean "flow-run"?`},
		{"GET", "events/stream?after=-1", "", 400, "after", "at least 0"},
		{"POST", "flow-runs", ``, 422, "flow", "missing"},
		{"POST", "flow-runs", `{`, 400, "", "no JSON"},
		{"POST", "flow-runs", `[]`, 422, "", "an object"},
		{"POST", "flow-runs", `{"flow":"hello"} x`, 400, "", "no JSON"},
		{"POST", "flow-runs", `{"flow":7}`, 422, "flow", "a string, not 7"},
		{"POST", "flow-runs", `{"flow":"helo"}`, 404, "flow", `did you mean "hello"?`},
		{"POST", "flow-runs", `{"flow":"hello","paramters":{}}`, 422, "paramters", `did you mean "parameters"?`},
		{"POST", "flow-runs", `{"flow":"hello","parameters":{}}`, 422, "parameters.who", "missing"},
		{"POST", "flow-runs", `{"flow":"hello","parameters":{"who":"x","times":10}}`, 422, "parameters.times", "from 1 to 9, not 10"},
		{"POST", "flow-runs", `{"flow":"hello","parameters":{"who":"x","tims":1}}`, 422, "parameters.tims", `did you mean "times"?`},
		{"POST", "flow-runs", `{"flow":"hello","start_at":"soon"}`, 422, "start_at", "a time such as"},
		{"POST", "flow-runs", `{"flow":"hello","name":"` + long + `"}`, 413, "", "larger"},
		{"POST", "flow-runs/" + run.ID + "/pause", "", 409, "", "cannot become Paused"},
		{"POST", "flow-runs/" + run.ID + "/resume", "", 409, "", "cannot become"},
		{"POST", "flow-runs/" + run.ID + "/retry", "", 409, "", "cannot become"},
		{"POST", "flow-runs/" + run.ID + "/cancel", `{"why":"x"}`, 422, "why", "message"},
		{"POST", "deployments", `{"deployments":[{"flow":"hello","name":"d","schedules":[{"cron":"0 25 * * *"}]}]}`, 422, "deployments[0]", "25"},
		{"POST", "deployments", `{"deployments":[{"flow":"hello","name":"d","parameters":{"who":1}}]}`, 422, "deployments[0].parameters.who", "a string"},
		{"POST", "deployments", `{"deployments":[{"flow":"none","name":"d"}]}`, 422, "deployments[0].flow", "no flow"},
		{"POST", "deployments", `{"deployments":[{"flow":"hello","name":"d","schedules":[{"corn":"@daily"}]}]}`, 422, "deployments[0].schedules[0].corn", `did you mean "cron"?`},
		{"POST", "deployments", `{"deployments":[{"flow":"hello","name":"d","catch_up":"never"}]}`, 422, "", "catch_up"},
		{"GET", "deployments/nobody", "", 404, "", "nobody"},
		{"PUT", "deployments/d", `{"flow":"hello","name":"e","parameters":{"who":"you"}}`, 422, "name", "cannot become"},
		{"POST", "deployments/d/runs", `{"parameters":{"times":0}}`, 422, "parameters.times", "from 1 to 9"},
		{"POST", "deployments/d/runs", `{"parameters":[]}`, 422, "parameters", "an object"},
		{"POST", "deployments/d/backfill", `{"from":"2021-01-01T00:00:00Z","to":"2021-02-01T00:00:00Z"}`, 409, "", "no schedule"},
		{"POST", "deployments/d/backfill", `{"from":"2021-03-01T00:00:00Z","to":"2021-02-01T00:00:00Z"}`, 422, "to", "before"},
		{"PATCH", "deployments/d/schedules/none", `{"active":true}`, 404, "", "none"},
		{"POST", "work-pools", `{"name":"p"}`, 409, "", "already"},
		{"POST", "work-pools", `{"name":"/"}`, 422, "name", "letters"},
		{"POST", "work-pools", `{"name":"q","type":"docker"}`, 422, "type", "process"},
		{"PATCH", "work-pools/p", `{"limit":-1}`, 422, "limit", "at least 0"},
		{"PATCH", "work-pools/none", `{"paused":true}`, 404, "", "none"},
		{"GET", "work-pools/none/preview", "", 404, "", "none"},
		{"PATCH", "work-pools/p/queues/none", `{"paused":true}`, 404, "", "none"},
		{"DELETE", "work-pools/default", "", 404, "", "default"},
		{"POST", "workers/beat", `{"worker":{"id":"","name":"w"}}`, 422, "worker.id", "missing"},
		{"POST", "workers/claim", `{"worker":{"id":"w"},"most":0,"before":"2021-01-01T00:00:00Z"}`, 422, "most", "from 1 to 1000"},
		{"POST", "workers/w/done", `{"flow_run_id":"x"}`, 404, "", "x"},
		{"GET", "concurrency-limits/none", "", 404, "", "none"},
		{"PUT", "concurrency-limits/a/b", `{"slots":-1}`, 422, "slots", "at least 0"},
	} {
		if c.path == "work-pools/default" { // made with the first deployment
			continue
		}
		p := b.refused(c.method, c.path, c.body, c.status)
		if p.Field != c.field && !(c.field == "" && c.status == 422) || !strings.Contains(p.Message, c.says) {
			t.Errorf("%s %s %.80s: %+v; want %q of %q", c.method, c.path, c.body, p, c.says, c.field)
		}
	}
	if p := b.refused("DELETE", "work-pools/default", "", 409); !strings.Contains(p.Message, "1 deployments") {
		t.Errorf("%+v", p)
	}

	plain, err := http.NewRequest("POST", b.url+enginehttp.Prefix+"flow-runs", strings.NewReader(`{"flow":"hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	plain.Header.Set("Content-Type", "text/plain") // as a form of another site's page can send it
	b.send(plain, 415, nil)
	foreign, err := http.NewRequest("POST", b.url+enginehttp.Prefix+"flow-runs/"+run.ID+"/cancel", nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Header.Set("Origin", "https://elsewhere.example")
	b.send(foreign, 403, nil)
	if allow := b.call("PUT", "flow-runs", "", 405, nil).Get("Allow"); allow != "GET, POST" {
		t.Errorf("Allow: %s", allow)
	}
}
