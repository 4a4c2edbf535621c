package enginehttp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/taximeter/taximeter/engine"
)

type flowRunRecords interface {
	Search(ctx context.Context, q engine.RunQuery) ([]engine.FlowRun, error)
	SearchTasks(ctx context.Context, q engine.TaskQuery) ([]engine.TaskRun, error)
	Find(ctx context.Context, ref string) (engine.FlowRun, error)
	Subflows(ctx context.Context, parentID string) ([]engine.FlowRun, error)
	TaskRuns(ctx context.Context, flowRunID string) ([]engine.TaskRun, error)
	States(ctx context.Context, flowRunID, taskKey string) ([]engine.State, error)
	Why(ctx context.Context, flowRunID string) (string, error)
	CreateFlowRun(ctx context.Context, run engine.FlowRun) (engine.FlowRun, error)
	Signal(ctx context.Context, s engine.Signal) (engine.FlowRun, error)
	Retry(ctx context.Context, id, message string) (engine.FlowRun, error)
	DeleteFlowRun(ctx context.Context, id string) error
}

const aboutRuns = "Flow runs"

type listFlowRuns struct {
	Flow          string             `json:"flow" doc:"name of the flow"`
	State         []engine.StateType `json:"state" doc:"types: RUNNING,FAILED"`
	StateName     []string           `json:"state_name" doc:"names: Late,TimedOut"`
	Deployment    string             `json:"deployment" doc:"name of the deployment"`
	Tag           []string           `json:"tag" doc:"all of these"`
	Name          string             `json:"name" doc:"a part of the run's name"`
	CreatedFrom   time.Time          `json:"created_from"`
	CreatedBefore time.Time          `json:"created_before"`
	Parent        string             `json:"parent" doc:"subflows of this run"`
	Subflows      bool               `json:"subflows" doc:"also the runs of subflows"`
	Scheduled     bool               `json:"scheduled" doc:"also runs that a schedule has made ahead and that have not begun"`
	Limit         int                `json:"limit" min:"1" max:"1000" default:"50"`
	After         string             `json:"after" doc:"next of the page before"`
}

type flowRunPage struct {
	FlowRuns []FlowRun `json:"flow_runs"`
	Next     string    `json:"next,omitempty" doc:"to be given as after; left out on the last page"`
}

// Details are one flow run with its calls and the runs those made.
type Details struct {
	FlowRun  FlowRun   `json:"flow_run"`
	Why      string    `json:"why,omitempty" doc:"why a run that is due has not been begun"`
	TaskRuns []TaskRun `json:"task_runs" doc:"the first 1000"`
	Subflows []FlowRun `json:"subflows"`
}

type createFlowRun struct {
	Flow           string          `json:"flow" required:"true"`
	Parameters     json.RawMessage `json:"parameters" doc:"as the flow's schema says"`
	Name           string          `json:"name" doc:"of the run; left out: one is found"`
	Tags           []string        `json:"tags"`
	StartAt        time.Time       `json:"start_at" doc:"left out: now"`
	Expected       time.Time       `json:"expected_start_time" doc:"what the run takes its dates from; left out: start_at"`
	IdempotencyKey string          `json:"idempotency_key" doc:"makes one run at most: asked again, the API answers with it"`
	Refresh        bool            `json:"refresh" doc:"use no cached result, and replace them"`
}

func (h *handler) addFlowRuns() {
	add(h, aboutRuns, "GET flow-runs", "listFlowRuns", "List flow runs, the newest first", h.listFlowRuns)
	add(h, aboutRuns, "POST flow-runs", "createFlowRun", "Make a run of a flow, for a worker of the default pool", h.createFlowRun).status = http.StatusCreated
	add(h, aboutRuns, "GET flow-runs/{id}", "getFlowRun", "One flow run with its calls and subflows", func(in request[none, none]) (Details, error) {
		run, err := h.find(in.Request)
		if err != nil {
			return Details{}, err
		}
		return h.inspect(in.Context(), run)
	})
	add(h, aboutRuns, "DELETE flow-runs/{id}", "deleteFlowRun", "Delete a run that nobody carries out, with all below it", func(in request[none, none]) (none, error) {
		run, err := h.find(in.Request)
		if err == nil {
			err = h.records.DeleteFlowRun(in.Context(), run.ID)
		}
		return none{}, err
	})
}

func (h *handler) listFlowRuns(in request[listFlowRuns, none]) (page flowRunPage, err error) {
	q := engine.RunQuery{
		Flow: in.Query.Flow, Deployment: in.Query.Deployment, States: in.Query.State, StateNames: in.Query.StateName, Tags: in.Query.Tag, Name: in.Query.Name,
		CreatedFrom: in.Query.CreatedFrom, CreatedBefore: in.Query.CreatedBefore, Subflows: in.Query.Subflows,
		Ahead: in.Query.Scheduled, Limit: in.Query.Limit + 1,
	}
	if err := checkStates(q.States); err != nil {
		return page, err
	}
	if q.After.Listed, q.After.ID, err = readPlace(in.Query.After); err != nil {
		return page, err
	}
	if in.Query.Parent != "" {
		parent, err := h.records.Find(in.Context(), in.Query.Parent)
		if err != nil {
			return page, err
		}
		q.ParentID = parent.ID
	}
	runs, err := h.records.Search(in.Context(), q)
	if len(runs) > in.Query.Limit {
		runs = runs[:in.Query.Limit]
		last := runs[len(runs)-1]
		page.Next = place(last.Listed().UnixMicro(), last.ID)
	}
	page.FlowRuns = NewFlowRuns(runs)
	return page, err
}

func checkStates(types []engine.StateType) error {
	for _, t := range types {
		if len(engine.StateNames(t)) == 0 {
			return badQuery("state", fmt.Sprintf("state: there is no type %q: there are %v", t, engine.StateTypes()))
		}
	}
	return nil
}

// place is where in a list to go on, as clients hand it back.
func place(number int64, word string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(number, 10) + " " + word))
}

func readPlace(text string) (at time.Time, id string, err error) {
	number, id, err := splitPlace(text)
	if err != nil || text == "" {
		return at, "", err
	}
	return time.UnixMicro(number).UTC(), id, nil
}

func splitPlace(text string) (number int64, word string, err error) {
	if text == "" {
		return 0, "", nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	first, word, ok := strings.Cut(string(data), " ")
	if err == nil {
		number, err = strconv.ParseInt(first, 10, 64)
	}
	if err != nil || !ok || word == "" {
		return 0, "", badQuery("after", "after: want next of the page before")
	}
	return number, word, nil
}

func (h *handler) createFlowRun(in request[none, createFlowRun]) (FlowRun, error) {
	f, err := h.flow(in.Body.Flow)
	if err != nil {
		return FlowRun{}, err
	}
	if err := known(f.Info().Parameters, in.Body.Parameters, "parameters"); err != nil {
		return FlowRun{}, err
	}
	run, err := f.NewRun(&engine.Engine{}, in.Body.Parameters, engine.Options{
		Name: in.Body.Name, Tags: in.Body.Tags, IdempotencyKey: in.Body.IdempotencyKey, Refresh: in.Body.Refresh,
	})
	if err != nil {
		return FlowRun{}, within("parameters", err)
	}
	run.State = engine.State{Type: engine.TypeScheduled, Name: engine.NameScheduled, Time: run.Created}
	run.NextStart = run.Created
	if at := in.Body.StartAt; !at.IsZero() {
		run.NextStart = at.UTC().Truncate(time.Microsecond)
	}
	run.ExpectedStart = run.NextStart
	if at := in.Body.Expected; !at.IsZero() {
		run.ExpectedStart = at.UTC().Truncate(time.Microsecond)
	}
	made, err := h.records.CreateFlowRun(in.Context(), run)
	return NewFlowRun(made), err
}

// find finds the run that the path names: by its ID, the beginning of one, a name
// or "latest".
func (h *handler) find(r *http.Request) (engine.FlowRun, error) {
	return h.records.Find(r.Context(), r.PathValue("id"))
}

// mostCalls is how many calls are shown with a run.
const mostCalls = 1000

func (h *handler) inspect(ctx context.Context, run engine.FlowRun) (d Details, err error) {
	tasks, err := h.records.SearchTasks(ctx, engine.TaskQuery{FlowRunID: run.ID, Limit: mostCalls})
	if err == nil {
		d, err = details(ctx, h.records, run, tasks)
	}
	if err == nil && run.State.Type == engine.TypeScheduled && run.ParentID == "" {
		d.Why, err = h.records.Why(ctx, run.ID)
	}
	return d, err
}

// Inspected are the records that Inspect reads.
type Inspected interface {
	Subflows(ctx context.Context, parentID string) ([]engine.FlowRun, error)
	TaskRuns(ctx context.Context, flowRunID string) ([]engine.TaskRun, error)
}

// Inspect gathers the details of run, with all its calls.
func Inspect(ctx context.Context, records Inspected, run engine.FlowRun) (Details, error) {
	tasks, err := records.TaskRuns(ctx, run.ID)
	if err != nil {
		return Details{}, err
	}
	return details(ctx, records, run, tasks)
}

func details(ctx context.Context, records Inspected, run engine.FlowRun, tasks []engine.TaskRun) (Details, error) {
	subflows, err := records.Subflows(ctx, run.ID)
	if err != nil {
		return Details{}, err
	}
	return Details{FlowRun: NewFlowRun(run), TaskRuns: NewTaskRuns(tasks), Subflows: NewFlowRuns(subflows)}, nil
}
