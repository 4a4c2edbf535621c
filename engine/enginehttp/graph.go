package enginehttp

import (
	"context"
	"time"

	"github.com/taximeter/taximeter/engine"
)

type graphRecords interface {
	Graph(ctx context.Context, q engine.GraphQuery) (engine.Graph, error)
}

type graphQuery struct {
	Depth int                `json:"depth" min:"0" max:"10" default:"3" doc:"levels of subflows below the run"`
	State []engine.StateType `json:"state" doc:"calls in these only: RUNNING,FAILED"`
	Since int64              `json:"since" min:"0" doc:"as_of of an answer before: only the calls that have changed"`
	Limit int                `json:"limit" min:"1" max:"10000" default:"2000" doc:"nodes at most: failed and unfinished calls first, then as they were made"`
}

// Graph is what a picture of a run is drawn from, however it is laid out: a
// timeline by the times, a graph by edges and layers, a tree by within.
type Graph struct {
	FlowRun  FlowRun                  `json:"flow_run"`
	Subflows []FlowRun                `json:"subflows" doc:"the runs below it, to the depth asked for"`
	Nodes    []Node                   `json:"nodes" doc:"by flow run, as the calls were made"`
	Edges    []Edge                   `json:"edges" doc:"between these nodes"`
	Total    map[engine.StateType]int `json:"total" doc:"calls by state, with those that are not among the nodes"`
	Hidden   int                      `json:"hidden" doc:"calls that are not among the nodes"`
	AsOf     int64                    `json:"as_of" doc:"ID of the newest event by then: follow from it"`
	Whole    bool                     `json:"whole" doc:"these are not changes since, but all"`
}

// Node is one call: of a task, or of a flow as a subflow.
type Node struct {
	ID         string      `json:"id"`
	FlowRunID  string      `json:"flow_run_id"`
	Key        string      `json:"key"`
	Name       string      `json:"name"`
	RunName    string      `json:"run_name,omitempty"`
	Kind       engine.Kind `json:"kind" enum:"task,subflow,checkpoint"`
	Within     string      `json:"within,omitempty" doc:"ID of the call that made this one"`
	SubflowID  string      `json:"subflow_id,omitempty"`
	Layer      int         `json:"layer" doc:"longest way to it along data and order, among the nodes of its run"`
	Order      int         `json:"order"`
	State      State       `json:"state"`
	Attempts   int         `json:"attempts"`
	Start      *time.Time  `json:"start_time"`
	End        *time.Time  `json:"end_time"`
	Seconds    float64     `json:"seconds"`
	CachedFrom string      `json:"cached_from,omitempty"`
	Unseen     int         `json:"unseen,omitempty" doc:"calls that it depends on and that are not among the nodes"`
}

// Edge leads from one node to another.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Kind string `json:"kind" enum:"data,order,control" doc:"data: takes its result; order: waits for it only; control: was called by it"`
}

func (h *handler) addGraph() {
	add(h, aboutRuns, "GET flow-runs/{id}/graph", "getGraph", "Calls, subflows and what depends on what, for any layout", func(in request[graphQuery, none]) (Graph, error) {
		if err := checkStates(in.Query.State); err != nil {
			return Graph{}, err
		}
		run, err := h.find(in.Request)
		if err != nil {
			return Graph{}, err
		}
		g, err := h.records.Graph(in.Context(), engine.GraphQuery{FlowRunID: run.ID, Depth: in.Query.Depth, States: in.Query.State,
			Since: in.Query.Since, Limit: in.Query.Limit})
		if err != nil {
			return Graph{}, err
		}
		if len(g.Runs) == 0 { // deleted just now
			return Graph{}, &Problem{404, "not_found", "flow run " + run.ID + ": not found", ""}
		}
		shown := newGraph(g)
		shown.Whole = in.Query.Since == 0 || g.Whole
		return shown, nil
	})
}

func nodeID(runID, key string) string { return runID + ":" + key }

func newGraph(g engine.Graph) Graph {
	out := Graph{FlowRun: NewFlowRun(g.Runs[0]), Subflows: NewFlowRuns(g.Runs[1:]), Nodes: make([]Node, len(g.Calls)), Edges: []Edge{}, Total: g.Total, AsOf: g.Seq}
	callers := map[string]string{} // by flow run: the node that made it
	for _, r := range g.Runs[1:] {
		callers[r.ID] = nodeID(r.ParentID, r.ParentKey)
	}
	for _, n := range g.Total {
		out.Hidden += n
	}
	out.Hidden -= len(g.Calls)
	now := time.Now()
	places := make(map[string]int, len(g.Calls))
	for i, t := range g.Calls {
		shown := newTaskRun(t)
		n := Node{ID: nodeID(t.FlowRunID, t.Key), FlowRunID: t.FlowRunID, Key: t.Key, Name: t.Name, RunName: t.RunName, Kind: shown.Kind,
			Within: callers[t.FlowRunID], SubflowID: t.SubflowID, Order: t.Order, State: shown.State, Attempts: t.Attempts,
			Start: shown.Start, End: shown.End, Seconds: t.Duration(now).Seconds(), CachedFrom: t.CachedFrom}
		if caller := callerOf(t.Key); caller != "" {
			n.Within = nodeID(t.FlowRunID, caller)
		}
		out.Nodes[i], places[n.ID] = n, i
	}
	for i, t := range g.Calls {
		n := &out.Nodes[i]
		join := func(kind, from string) {
			at, there := places[from]
			switch {
			case there && kind != "control" && out.Nodes[at].FlowRunID == n.FlowRunID:
				// What a call depends on was made before it, and so has its layer already.
				n.Layer = max(n.Layer, out.Nodes[at].Layer+1)
				fallthrough
			case there:
				out.Edges = append(out.Edges, Edge{from, n.ID, kind})
			case kind != "control":
				n.Unseen++
			}
		}
		for _, key := range t.DependsOn {
			join("data", nodeID(t.FlowRunID, key))
		}
		for _, key := range t.After {
			join("order", nodeID(t.FlowRunID, key))
		}
		if n.Within != "" {
			join("control", n.Within)
		}
	}
	return out
}

// callerOf is the key of the task whose body made the call: what stands before the
// last slash that is in no brackets. It is empty for a call of the flow's body.
func callerOf(key string) string {
	depth := 0
	for i := len(key) - 1; i >= 0; i-- {
		switch key[i] {
		case ']':
			depth++
		case '[':
			depth--
		case '/':
			if depth <= 0 {
				return key[:i]
			}
		}
	}
	return ""
}
