package enginehttp_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

func TestAPI(t *testing.T) {
	store, err := history.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	say := engine.Task[string, string]{Name: "Say hello", Func: func(ctx context.Context, who string) (string, error) {
		engine.From(ctx).Log().Info("hello " + who)
		return who, nil
	}}
	inner := engine.Flow[string, string]{Name: "inner", Func: func(c *engine.Ctx, who string) (engine.Arg[string], error) {
		return say.Submit(c, engine.Val(who)), nil
	}}
	outer := engine.Flow[string, string]{Name: "outer", Func: func(c *engine.Ctx, who string) (engine.Arg[string], error) {
		return say.Submit(c, inner.Submit(c, engine.Val(who))), nil
	}}
	_, run, err := outer.Start(t.Context(), &engine.Engine{History: store}, "you", engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(enginehttp.NewHandler(store, slog.New(slog.DiscardHandler)))
	defer server.Close()

	var list struct {
		FlowRuns []enginehttp.FlowRun `json:"flow_runs"`
	}
	get(t, server.URL+"/api/engine/v1/flow-runs", 200, &list)
	if len(list.FlowRuns) != 1 || list.FlowRuns[0].ID != run.ID || list.FlowRuns[0].State.Name != "Completed" ||
		string(list.FlowRuns[0].Parameters) != `"you"` {
		t.Errorf("flow-runs = %+v", list)
	}
	var d enginehttp.Details
	get(t, server.URL+"/api/engine/v1/flow-runs/"+run.ID, 200, &d)
	if len(d.TaskRuns) != 2 || d.TaskRuns[1].Key != "say-hello" || d.TaskRuns[1].DependsOn[0] != "inner" || d.TaskRuns[1].Attempts != 1 {
		t.Errorf("task runs = %+v", d.TaskRuns)
	}
	if len(d.Subflows) != 1 || d.Subflows[0].Flow != "inner" || d.TaskRuns[0].SubflowID != d.Subflows[0].ID {
		t.Errorf("subflows = %+v", d.Subflows)
	}
	var logs struct{ Logs []enginehttp.LogLine }
	get(t, server.URL+"/api/engine/v1/flow-runs/latest/logs", 200, &logs)
	if len(logs.Logs) != 1 || logs.Logs[0].Message != "hello you" || logs.Logs[0].TaskKey != "say-hello" {
		t.Errorf("logs = %+v", logs)
	}
	twin := engine.FlowRun{ID: "twin-0", RootID: "twin-0", Flow: "outer", Name: run.Name, Parameters: []byte("{}"), Created: run.Created, ExpectedStart: run.Created,
		State: engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: run.Created}}
	if _, err := store.CreateFlowRun(t.Context(), twin); err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{
		"flow-runs/" + run.Name: 400,
		"flow-runs/nobody":      404, "flow-runs?limit=0": 400, "flow-runs?limit=x": 400, "flows": 404, "flow-runs/nobody/logs": 404,
	} {
		var e struct{ Error string }
		get(t, server.URL+"/api/engine/v1/"+path, status, &e)
		if e.Error == "" {
			t.Errorf("%s: no error message", path)
		}
	}
}

func get(t *testing.T, url string, status int, into any) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != status {
		t.Errorf("GET %s = %d, want %d", url, res.StatusCode, status)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Errorf("GET %s: %v", url, err)
	}
}
