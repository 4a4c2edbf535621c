// Package enginehttp speaks the engine's REST API. It does not know where the
// records come from.
package enginehttp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Records are the records that the API shows. *history.Store has them.
type Records interface {
	List(ctx context.Context, flow string, limit int) ([]engine.FlowRun, error)
	Find(ctx context.Context, ref string) (engine.FlowRun, error)
	Subflows(ctx context.Context, parentID string) ([]engine.FlowRun, error)
	TaskRuns(ctx context.Context, flowRunID string) ([]engine.TaskRun, error)
	Logs(ctx context.Context, flowRunID string) ([]engine.LogLine, error)
}

// Prefix is where the API lives.
const Prefix = "/api/engine/v1/"

// NewHandler returns the API on records, for requests below Prefix. Errors in
// reading them are logged to log and answered with 500.
func NewHandler(records Records, log *slog.Logger) http.Handler {
	h := &handler{records, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix+"flow-runs", h.list)
	mux.HandleFunc("GET "+Prefix+"flow-runs/{id}", h.inspect)
	mux.HandleFunc("GET "+Prefix+"flow-runs/{id}/logs", h.logs)
	mux.HandleFunc(Prefix, func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, r.Method+" "+r.URL.Path+" is not part of the API")
	})
	return mux
}

type handler struct {
	records Records
	log     *slog.Logger
}

const maxLimit = 1000

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	limit := 50
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			fail(w, http.StatusBadRequest, "limit: want a number from 1 to "+strconv.Itoa(maxLimit)+", not "+strconv.Quote(text))
			return
		}
		limit = n
	}
	runs, err := h.records.List(r.Context(), r.URL.Query().Get("flow"), limit)
	if err != nil {
		h.broken(w, r, err)
		return
	}
	reply(w, map[string]any{"flow_runs": NewFlowRuns(runs)})
}

func (h *handler) inspect(w http.ResponseWriter, r *http.Request) {
	run, ok := h.find(w, r)
	if !ok {
		return
	}
	d, err := Inspect(r.Context(), h.records, run)
	if err != nil {
		h.broken(w, r, err)
		return
	}
	reply(w, d)
}

func (h *handler) logs(w http.ResponseWriter, r *http.Request) {
	run, ok := h.find(w, r)
	if !ok {
		return
	}
	lines, err := h.records.Logs(r.Context(), run.ID)
	if err != nil {
		h.broken(w, r, err)
		return
	}
	logs := make([]LogLine, len(lines))
	for i, l := range lines {
		logs[i] = LogLine{TaskKey: l.TaskKey, Time: l.Time, Level: l.Level, Message: l.Message}
	}
	reply(w, map[string]any{"logs": logs})
}

func (h *handler) find(w http.ResponseWriter, r *http.Request) (engine.FlowRun, bool) {
	run, err := h.records.Find(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, engine.ErrNotFound):
		fail(w, http.StatusNotFound, err.Error())
		return run, false
	case errors.Is(err, engine.ErrAmbiguous):
		fail(w, http.StatusBadRequest, err.Error())
		return run, false
	}
	if err != nil {
		h.broken(w, r, err)
		return run, false
	}
	return run, true
}

func (h *handler) broken(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the client has gone
	}
	h.log.Error("answer a request to the engine's API", "path", r.URL.Path, "error", err)
	fail(w, http.StatusInternalServerError, "the engine's records cannot be read; the server's log says why")
}

func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // only a connection that broke can fail it
}

// State is a state as the API shows it.
type State struct {
	Type    engine.StateType `json:"type"`
	Name    string           `json:"name"`
	Message string           `json:"message"`
}

// FlowRun is a flow run as the API shows it.
type FlowRun struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Flow       string          `json:"flow"`
	State      State           `json:"state"`
	ParentID   string          `json:"parent_id,omitempty"`
	Attempts   int             `json:"attempts"`
	Created    time.Time       `json:"created"`
	Expected   time.Time       `json:"expected_start_time"`
	Start      *time.Time      `json:"start_time"`
	End        *time.Time      `json:"end_time"`
	Seconds    float64         `json:"seconds"`
	Parameters json.RawMessage `json:"parameters"`
}

// TaskRun is a task run as the API shows it.
type TaskRun struct {
	Key        string     `json:"key"`
	Name       string     `json:"name"`
	State      State      `json:"state"`
	Attempts   int        `json:"attempts"`
	Start      *time.Time `json:"start_time"`
	End        *time.Time `json:"end_time"`
	Seconds    float64    `json:"seconds"`
	CachedFrom string     `json:"cached_from,omitempty"`
	SubflowID  string     `json:"subflow_id,omitempty"`
	DependsOn  []string   `json:"depends_on"`
}

// LogLine is a line of a log as the API shows it.
type LogLine struct {
	TaskKey string    `json:"task_key,omitempty"`
	Time    time.Time `json:"time"`
	Level   string    `json:"level"`
	Message string    `json:"message"`
}

// Details are one flow run with its calls and the runs those made.
type Details struct {
	FlowRun  FlowRun   `json:"flow_run"`
	TaskRuns []TaskRun `json:"task_runs"`
	Subflows []FlowRun `json:"subflows"`
}

// Inspect gathers the details of run.
func Inspect(ctx context.Context, records Records, run engine.FlowRun) (Details, error) {
	tasks, err := records.TaskRuns(ctx, run.ID)
	if err != nil {
		return Details{}, err
	}
	subflows, err := records.Subflows(ctx, run.ID)
	if err != nil {
		return Details{}, err
	}
	d := Details{FlowRun: newFlowRun(run), TaskRuns: make([]TaskRun, len(tasks)), Subflows: NewFlowRuns(subflows)}
	for i, t := range tasks {
		d.TaskRuns[i] = newTaskRun(t)
	}
	return d, nil
}

// NewFlowRuns shows a list of runs.
func NewFlowRuns(runs []engine.FlowRun) []FlowRun {
	list := make([]FlowRun, len(runs))
	for i, r := range runs {
		list[i] = newFlowRun(r)
	}
	return list
}

func newFlowRun(r engine.FlowRun) FlowRun {
	return FlowRun{
		ID: r.ID, Name: r.Name, Flow: r.Flow, State: newState(r.State), ParentID: r.ParentID, Attempts: r.Attempts,
		Created: r.Created, Expected: r.ExpectedStart, Start: known(r.Start), End: known(r.End),
		Seconds: r.Duration(time.Now()).Seconds(), Parameters: r.Parameters,
	}
}

func newTaskRun(t engine.TaskRun) TaskRun {
	show := TaskRun{
		Key: t.Key, Name: t.Name, State: newState(t.State), Attempts: t.Attempts, Start: known(t.Start), End: known(t.End),
		Seconds: t.Duration(time.Now()).Seconds(), CachedFrom: t.CachedFrom, SubflowID: t.SubflowID, DependsOn: t.DependsOn,
	}
	if show.DependsOn == nil {
		show.DependsOn = []string{}
	}
	return show
}

func newState(s engine.State) State { return State{Type: s.Type, Name: s.Name, Message: s.Message} }

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
