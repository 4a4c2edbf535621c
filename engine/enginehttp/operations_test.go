package enginehttp_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// A client does everything that there is to do, with runs that are really carried
// out; each answer is as the document says, and the document says no more than is
// done here.
func TestEveryOperation(t *testing.T) {
	b := newBench(t)
	b.runs()
	b.deployments()
	b.work()
	b.limits()
	b.leases()
	for path, methods := range b.doc.paths {
		for method, o := range methods {
			if name := o.(map[string]any)["operationId"].(string); !b.doc.seen[name] {
				t.Errorf("nobody asked for %s: %s %s", name, method, path)
			}
		}
	}
	if n := len(b.doc.seen); n < 55 {
		t.Errorf("%d operations", n)
	}
	for _, name := range []string{"FlowRun", "Graph", "Deployment", "Error"} {
		if b.doc.all[name] == nil {
			t.Errorf("%s has no name in the document", name)
		}
	}
}

func (b *bench) runs() {
	t := b.t
	var flows struct{ Flows []enginehttp.Flow }
	b.call("GET", "flows", "", 200, &flows)
	var flow enginehttp.Flow
	b.call("GET", "flows/hello", "", 200, &flow)
	if len(flows.Flows) != 2 || flow.Description != "Greets" || flow.Parameters.Properties["times"].Default == nil || flow.Parameters.Required[0] != "who" {
		t.Errorf("flows: %+v, %+v", flows, flow)
	}

	var run, again enginehttp.FlowRun
	body := `{"flow":"hello","parameters":{"who":"you"},"name":"first","tags":["a"],"idempotency_key":"k"}`
	b.call("POST", "flow-runs", body, 201, &run)
	b.call("POST", "flow-runs", body, 201, &again)
	if run.ID != again.ID || string(run.Parameters) != `{"times":1,"who":"you"}` || run.State.Type != engine.TypeScheduled || run.Expected != *run.NextStart {
		t.Errorf("%+v, again %+v", run, again)
	}
	var d enginehttp.Details
	b.call("GET", "flow-runs/first", "", 200, &d)
	if d.Why != "no worker of pool default is running" {
		t.Errorf("why: %q", d.Why)
	}
	b.fail = true
	if done := b.run(run.ID); done.State.Type != engine.TypeFailed {
		t.Fatalf("%+v", done.State)
	}
	b.fail = false
	b.call("POST", "flow-runs/first/retry", `{"message":"try again"}`, 200, &run)
	if run.State.Type != engine.TypeScheduled || run.State.Name != engine.NameResuming || run.State.Message != "try again" || run.End != nil {
		t.Errorf("retried: %+v", run)
	}
	if done := b.run(run.ID); done.State.Type != engine.TypeCompleted {
		t.Fatalf("%+v", done.State)
	}
	b.call("GET", "flow-runs/latest", "", 200, &d)
	if d.FlowRun.State.Type != engine.TypeCompleted || string(d.FlowRun.Result) != `"you"` || len(d.Subflows) != 1 || len(d.TaskRuns) != 3 || d.TaskRuns[1].DependsOn[0] != "inner" {
		t.Errorf("%+v", d)
	}
	var states struct{ States []enginehttp.State }
	b.call("GET", "flow-runs/first/states", "", 200, &states)
	if n := len(states.States); n < 6 || states.States[n-1] != d.FlowRun.State {
		t.Errorf("%+v", states)
	}
	var tasks struct {
		TaskRuns []enginehttp.TaskRun `json:"task_runs"`
		Next     string
	}
	var keys []string
	for after := ""; len(keys) == 0 || tasks.Next != ""; after = tasks.Next {
		tasks.Next = ""
		b.call("GET", "flow-runs/first/task-runs?limit=2&state=COMPLETED,FAILED&after="+after, "", 200, &tasks)
		for _, task := range tasks.TaskRuns {
			keys = append(keys, task.Key)
		}
	}
	if fmt.Sprint(keys) != "[inner say-hello say-hello/breathe]" {
		t.Errorf("calls %v", keys)
	}
	var call struct {
		TaskRun enginehttp.TaskRun `json:"task_run"`
		States  []enginehttp.State
	}
	b.call("GET", "flow-runs/first/task-runs/say-hello/breathe", "", 200, &call)
	if call.TaskRun.Name != "Breathe" || call.States[len(call.States)-1].Type != engine.TypeCompleted {
		t.Errorf("%+v", call)
	}
	b.logs(run.ID)
	b.artifacts(run)
	b.pages()
	b.control()
	var graph enginehttp.Graph
	b.call("GET", "flow-runs/first/graph", "", 200, &graph)
	b.call("GET", "events?after=0", "", 200, nil)
}

func (b *bench) logs(id string) {
	var first, page struct {
		Logs []enginehttp.LogLine
		Next int64
		More bool
	}
	b.call("GET", "flow-runs/"+id+"/logs?limit=1&subflows=true&contains=HELLO&level=INFO", "", 200, &first)
	b.call("GET", fmt.Sprintf("flow-runs/%s/logs?subflows=true&after=%d", id, first.Next), "", 200, &page)
	if len(first.Logs) != 1 || !first.More || len(page.Logs) != 2 || page.More || page.Logs[0].ID <= first.Logs[0].ID || first.Logs[0].FlowRunID == id {
		b.t.Errorf("logs %+v, then %+v", first, page)
	}
	b.call("GET", "flow-runs/"+id+"/logs?task=say-hello", "", 200, &page)
	if len(page.Logs) != 1 || page.Logs[0].Message != "hello you" {
		b.t.Errorf("logs of one call: %+v", page)
	}
}

func (b *bench) artifacts(run enginehttp.FlowRun) {
	a := engine.Markdown("report", "# 5.19")
	a.ID, a.FlowRunID, a.Created = engine.NewID(), run.ID, run.Created
	a.Updated = a.Created
	if _, err := b.store.PutArtifact(b.t.Context(), a); err != nil {
		b.t.Fatal(err)
	}
	var list struct{ Artifacts []engine.Artifact }
	b.call("GET", "artifacts?run=first&type=markdown&latest=true", "", 200, &list)
	var one engine.Artifact
	b.call("GET", "artifacts/report@1", "", 200, &one)
	if len(list.Artifacts) != 1 || string(one.Data) != `"# 5.19"` || one.Version != 1 {
		b.t.Errorf("%+v, %+v", list, one)
	}
	b.refused("GET", "artifacts?type=film", "", 400)
	b.call("DELETE", "artifacts/"+one.ID, "", 204, nil)
	b.refused("GET", "artifacts/report", "", 404)
}

// pages reads a list of runs that grows meanwhile, page by page.
func (b *bench) pages() {
	want := []string{}
	for i := range 5 {
		b.call("POST", "flow-runs", fmt.Sprintf(`{"flow":"hello","parameters":{"who":"x"},"name":"page %d","tags":["paged"]}`, i), 201, nil)
		want = append(want, fmt.Sprint("page ", 4-i))
	}
	var page struct {
		FlowRuns []enginehttp.FlowRun `json:"flow_runs"`
		Next     string
	}
	var got []string
	for after := ""; len(got) == 0 || page.Next != ""; after = page.Next {
		page.Next = ""
		b.call("GET", "flow-runs?flow=hello&tag=paged&name=PAGE&state=SCHEDULED,PENDING&limit=2&after="+after, "", 200, &page)
		for _, run := range page.FlowRuns {
			got = append(got, run.Name)
		}
		b.call("POST", "flow-runs", `{"flow":"hello","parameters":{"who":"x"},"name":"page new","tags":["paged"]}`, 201, nil)
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("pages %q, want %q", got, want)
	}
	b.call("GET", "flow-runs?parent=first", "", 200, &page)
	if len(page.FlowRuns) != 1 || page.FlowRuns[0].Flow != "inner" {
		b.t.Errorf("%+v", page)
	}
}

func (b *bench) control() {
	t := b.t
	run := b.hand(`{"who":"later"}`)
	var now enginehttp.FlowRun
	b.call("POST", "flow-runs/"+run.ID+"/cancel", `{"message":"no"}`, 200, &now)
	if now.State.Type != engine.TypeCancelled || now.State.Message != "no" {
		t.Errorf("cancelled: %+v", now.State)
	}
	b.call("DELETE", "flow-runs/"+run.ID, "", 204, nil)
	b.refused("GET", "flow-runs/"+run.ID, "", 404)

	b.call("POST", "flow-runs", `{"flow":"ask"}`, 201, &now)
	if got := b.run(now.ID); got.State.Name != engine.NameSuspended {
		t.Fatalf("%+v", got.State)
	}
	if p := b.refused("POST", "flow-runs/"+now.ID+"/resume", `{"input":"many"}`, 422); p.Field != "input" {
		t.Errorf("%+v", p)
	}
	b.call("POST", "flow-runs/"+now.ID+"/resume", `{"input":3}`, 200, &now)
	if got := b.run(now.ID); string(got.Result) != "3" {
		t.Errorf("%+v", got)
	}

	// A run that is carried out is paused, and goes on.
	hold, begun := make(chan struct{}), make(chan string, 1)
	slow := engine.Flow[struct{}, int]{Name: "slow", Func: func(c *engine.Ctx, _ struct{}) (engine.Arg[int], error) {
		begun <- c.RunID()
		<-hold
		return engine.Val(1), nil
	}}
	ended := make(chan error, 1)
	go func() {
		_, _, err := slow.Start(t.Context(), b.e, struct{}{}, engine.Options{})
		ended <- err
	}()
	id := <-begun
	b.call("POST", "flow-runs/"+id+"/pause", "", 200, nil)
	for state := engine.TypeRunning; state != engine.TypePaused; state = now.State.Type {
		var d enginehttp.Details
		b.call("GET", "flow-runs/"+id, "", 200, &d)
		now = d.FlowRun
	}
	b.refused("DELETE", "flow-runs/"+id, "", 409)
	b.call("POST", "flow-runs/"+id+"/resume", "", 200, nil)
	close(hold)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func (b *bench) deployments() {
	t := b.t
	var list struct{ Deployments []schedule.Record }
	b.call("POST", "deployments", `{"deployments":[{"flow":"hello","name":"daily","parameters":{"who":"you"},"schedules":[{"slug":"d","cron":"@daily"}]}]}`, 200, &list)
	b.call("GET", "deployments?flow=hello", "", 200, &list)
	ref := url.PathEscape("hello/daily")
	var d schedule.Record
	b.call("GET", "deployments/"+ref, "", 200, &d)
	if len(list.Deployments) != 1 || d.ID != list.Deployments[0].ID {
		t.Errorf("%+v, %+v", list, d)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/pause", "", 200, `"paused":true`},
		{"POST", "/resume", "", 200, `"paused":false`},
		{"POST", "/schedules", `{"slug":"hourly","interval":"1h"}`, 201, `"slug":"hourly"`},
		{"PUT", "/schedules/hourly", `{"interval":"2h"}`, 200, `"interval":"2h"`},
		{"PATCH", "/schedules/hourly", `{"active":false}`, 200, `"active":false`},
		{"DELETE", "/schedules/hourly", "", 200, ""},
		{"PUT", "", `{"flow":"hello","name":"daily","parameters":{"who":"me"},"schedules":[{"slug":"d","cron":"@daily"}]}`, 200, `"who":"me"`},
	} {
		b.call(c.method, "deployments/"+ref+c.path, c.body, c.status, &d)
		if text, err := json.Marshal(d); err != nil || !strings.Contains(string(text), c.says) {
			t.Errorf("%s %s: %s, %v; want %s", c.method, c.path, text, err, c.says)
		}
	}
	var run enginehttp.FlowRun
	b.call("POST", "deployments/daily/runs", `{"parameters":{"times":2}}`, 201, &run)
	if string(run.Parameters) != `{"times":2,"who":"me"}` || run.Deployment != "daily" {
		t.Errorf("%+v", run)
	}
	var runs struct {
		FlowRuns []enginehttp.FlowRun `json:"flow_runs"`
	}
	b.call("GET", "deployments/daily/runs?upcoming=true", "", 200, &runs)
	if len(runs.FlowRuns) < 3 || runs.FlowRuns[0].ID != run.ID {
		t.Errorf("upcoming: %+v", runs)
	}
	b.call("POST", "deployments/daily/backfill", `{"from":"2021-01-01T00:00:00Z","to":"2021-01-03T00:00:00Z"}`, 201, &runs)
	if len(runs.FlowRuns) != 3 {
		t.Errorf("backfilled: %+v", runs)
	}
	b.call("DELETE", "deployments/daily", "", 204, nil)
	runs.FlowRuns = nil
	b.call("GET", "flow-runs?deployment=daily&scheduled=true", "", 200, &runs)
	if len(runs.FlowRuns) != 4 { // what somebody asked for stays
		t.Errorf("%d runs of a deployment that is deleted", len(runs.FlowRuns))
	}
}

func (b *bench) work() {
	t := b.t
	b.call("GET", "work-pools", "", 200, nil)
	b.call("POST", "work-pools", `{"name":"big"}`, 201, nil)
	var p worker.Pool
	b.call("PATCH", "work-pools/big", `{"paused":true,"limit":3}`, 200, &p)
	b.call("GET", "work-pools/big", "", 200, &p)
	if !p.Paused || p.Limit != 3 {
		t.Errorf("%+v", p)
	}
	b.call("POST", "work-pools/big/queues", `{"name":"q"}`, 201, nil)
	b.call("PATCH", "work-pools/big/queues/q", `{"priority":1}`, 200, nil)
	var queues struct {
		Queues []worker.Queue `json:"work_queues"`
	}
	b.call("GET", "work-queues?pool=big", "", 200, &queues)
	if len(queues.Queues) != 2 || queues.Queues[0].Priority != 1 {
		t.Errorf("%+v", queues)
	}
	b.call("DELETE", "work-pools/big", "", 204, nil)

	var due struct{ Due []enginehttp.Due }
	b.call("GET", "work-pools/default/preview", "", 200, &due)
	if len(due.Due) == 0 || due.Due[0].Why != "no worker of pool default is running" {
		t.Errorf("%+v", due)
	}
	info := worker.Info{ID: "w1", Name: "w", Pool: "default", Every: 60, Started: time.Now()}
	text, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	b.call("POST", "workers/beat", `{"worker":`+string(text)+`,"running":["gone"]}`, 200, nil)
	var list struct{ Workers []worker.Status }
	b.call("GET", "workers", "", 200, &list)
	if len(list.Workers) != 1 || !list.Workers[0].Online {
		t.Errorf("%+v", list)
	}
	var got struct {
		FlowRuns []enginehttp.FlowRun `json:"flow_runs"`
	}
	b.call("POST", "workers/claim", `{"worker":`+string(text)+`,"most":2,"before":"`+time.Now().Add(time.Minute).Format(time.RFC3339)+`"}`, 200, &got)
	if len(got.FlowRuns) != 2 {
		t.Fatalf("claimed %+v", got)
	}
	b.call("POST", "workers/w1/give-back", `{"flow_run_id":"`+got.FlowRuns[0].ID+`"}`, 204, nil)
	b.call("POST", "workers/w1/done", `{"flow_run_id":"`+got.FlowRuns[1].ID+`","message":"exit status 1"}`, 204, nil)
	b.call("POST", "workers/wait?seconds=0.01", "", 204, nil)
	b.call("POST", "plan", "", 200, nil)
	b.call("DELETE", "workers/w1", "", 204, nil)
}

func (b *bench) limits() {
	b.call("PUT", "concurrency-limits/a/b", `{"slots":2}`, 200, nil)
	if _, err := b.store.TryAcquire(b.t.Context(), engine.Holder{FlowRunID: "r", TaskKey: "k"}, []string{"a/b"}); err != nil {
		b.t.Fatal(err)
	}
	var l enginehttp.Limit
	b.call("GET", "concurrency-limits/a/b", "", 200, &l)
	if l.Slots != 2 || l.Active != 1 || l.Holders[0].TaskKey != "k" {
		b.t.Errorf("%+v", l)
	}
	b.call("GET", "concurrency-limits", "", 200, nil)
	b.call("DELETE", "concurrency-limits/a/b", "", 204, nil)
	b.refused("PUT", "concurrency-limits/", `{"slots":1}`, 405)
	b.call("GET", "openapi.json", "", 200, nil)
	for _, path := range []string{"flow-runs/first/logs/stream", "events/stream"} {
		b.stream(path, "").close()
	}
}
