package enginehttp_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
)

// The graph has every call, the subflow's and a task's own among them, and what
// leads from one to another.
func TestGraph(t *testing.T) {
	b := newBench(t)
	run := b.hand(`{"who":"you"}`)
	b.run(run.ID)
	var g enginehttp.Graph
	b.call("GET", "flow-runs/"+run.ID+"/graph", "", 200, &g)
	short := map[string]string{}
	for _, n := range g.Nodes {
		short[n.ID] = map[bool]string{true: "", false: "inner:"}[n.FlowRunID == run.ID] + n.Key
	}
	var edges, within []string
	for _, e := range g.Edges {
		edges = append(edges, short[e.From]+" "+e.Kind+" "+short[e.To])
	}
	for _, n := range g.Nodes {
		within = append(within, fmt.Sprintf("%s in %q layer %d", short[n.ID], short[n.Within], n.Layer))
	}
	slices.Sort(edges)
	slices.Sort(within)
	if want := "[inner control inner:say-hello inner data say-hello inner:say-hello control inner:say-hello/breathe say-hello control say-hello/breathe]"; fmt.Sprint(edges) != want {
		t.Errorf("edges %v\nwant  %v", edges, want)
	}
	if want := `[inner in "" layer 0 inner:say-hello in "inner" layer 0 inner:say-hello/breathe in "inner:say-hello" layer 0 say-hello in "" layer 1 say-hello/breathe in "say-hello" layer 0]`; fmt.Sprint(within) != want {
		t.Errorf("nodes %v\nwant  %v", within, want)
	}
	if g.Total[engine.TypeCompleted] != 5 || g.Hidden != 0 || len(g.Subflows) != 1 || !g.Whole {
		t.Errorf("%+v", g)
	}
	b.call("GET", "flow-runs/"+run.ID+"/graph?depth=0", "", 200, &g)
	if len(g.Nodes) != 3 {
		t.Errorf("%d nodes above the subflow", len(g.Nodes))
	}
}

// Of a run too large to be drawn, what failed and what goes on is there, and how
// many are not; then only what has changed.
func TestGraphOfManyCalls(t *testing.T) {
	b := newBench(t)
	work := engine.Task[int, int]{Name: "Work", Func: func(_ context.Context, n int) (int, error) {
		if n == 9000 {
			return 0, fmt.Errorf("no %d", n)
		}
		return n, nil
	}}
	flow := engine.Flow[int, int]{Name: "many", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		for i := range n {
			work.Submit(c, engine.Val(i))
		}
		return engine.Val(n), nil
	}}
	_, run, err := flow.Start(t.Context(), b.e, 10_000, engine.Options{})
	if err == nil {
		t.Fatal("it did not fail")
	}
	var g enginehttp.Graph
	begin := time.Now()
	b.call("GET", "flow-runs/"+run.ID+"/graph?limit=500", "", 200, &g)
	t.Logf("500 of 10,000 calls in %v", time.Since(begin))
	failed := slices.IndexFunc(g.Nodes, func(n enginehttp.Node) bool { return n.State.Type == engine.TypeFailed })
	if len(g.Nodes) != 500 || g.Hidden != 9500 || g.Total[engine.TypeCompleted] != 9999 || failed != 499 || g.Nodes[failed].Key != "work#9000" {
		t.Errorf("%d nodes, %d hidden, total %v, the failed one is %d", len(g.Nodes), g.Hidden, g.Total, failed)
	}
	begin = time.Now()
	b.call("GET", "flow-runs/"+run.ID+"/graph?limit=10000", "", 200, &g)
	t.Logf("10,000 calls in %v", time.Since(begin))
	if len(g.Nodes) != 10_000 || g.Hidden != 0 {
		t.Errorf("%d nodes, %d hidden", len(g.Nodes), g.Hidden)
	}
	var changed enginehttp.Graph
	b.call("GET", fmt.Sprintf("flow-runs/%s/graph?since=%d", run.ID, g.AsOf), "", 200, &changed)
	if len(changed.Nodes) != 0 || changed.Whole {
		t.Errorf("%d nodes have changed since", len(changed.Nodes))
	}
	b.call("GET", "flow-runs/"+run.ID+"/graph?state=FAILED", "", 200, &g)
	if len(g.Nodes) != 1 || g.Hidden != 9999 {
		t.Errorf("%d failed", len(g.Nodes))
	}
}
