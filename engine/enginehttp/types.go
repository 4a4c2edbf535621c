package enginehttp

import (
	"encoding/json"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// State is a state as the API shows it.
type State struct {
	Type    engine.StateType `json:"type" enum:"SCHEDULED,PENDING,RUNNING,PAUSED,CANCELLING,COMPLETED,FAILED,CRASHED,CANCELLED"`
	Name    string           `json:"name" doc:"says more within the type: Late, Retrying, TimedOut"`
	Message string           `json:"message"`
	Time    time.Time        `json:"time"`
}

// FlowRun is a flow run as the API shows it.
type FlowRun struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Flow           string          `json:"flow"`
	Tags           []string        `json:"tags"`
	State          State           `json:"state"`
	ParentID       string          `json:"parent_id,omitempty" doc:"of a subflow's run"`
	ParentKey      string          `json:"parent_key,omitempty" doc:"key of the call that made a subflow's run"`
	RootID         string          `json:"root_id" doc:"the run at the top; its own ID for one that is no subflow's"`
	Deployment     string          `json:"deployment,omitempty" doc:"name of the deployment that made it"`
	IdempotencyKey string          `json:"idempotency_key,omitempty"`
	Version        string          `json:"version,omitempty" doc:"of the program that started it"`
	Refresh        bool            `json:"refresh,omitempty" doc:"cached results are not used, but replaced"`
	Attempts       int             `json:"attempts" doc:"times its body was begun"`
	Recoveries     int             `json:"recoveries,omitempty" doc:"times in a row that it went on after a crash"`
	Created        time.Time       `json:"created"`
	Expected       time.Time       `json:"expected_start_time" doc:"when it was due, whatever delayed it"`
	NextStart      *time.Time      `json:"next_start_time,omitempty" doc:"when to begin it, while it is SCHEDULED"`
	Start          *time.Time      `json:"start_time"`
	End            *time.Time      `json:"end_time"`
	Seconds        float64         `json:"seconds" doc:"spent running until now"`
	RanSeconds     float64         `json:"ran_seconds" doc:"spent running before the present state"`
	Parameters     json.RawMessage `json:"parameters"`
	Waiting        *engine.Waiting `json:"waiting,omitempty" doc:"the input that a paused run waits for"`
	Result         json.RawMessage `json:"result,omitempty"`
}

// TaskRun is a task run as the API shows it: one call of a task, or of a flow as
// a subflow.
type TaskRun struct {
	Key        string      `json:"key" doc:"stable within the flow run"`
	Name       string      `json:"name"`
	RunName    string      `json:"run_name,omitempty"`
	Kind       engine.Kind `json:"kind" enum:"task,subflow,checkpoint"`
	Tags       []string    `json:"tags"`
	Order      int         `json:"order"`
	State      State       `json:"state"`
	Attempts   int         `json:"attempts"`
	Start      *time.Time  `json:"start_time"`
	End        *time.Time  `json:"end_time"`
	Seconds    float64     `json:"seconds" doc:"spent running until now"`
	RanSeconds float64     `json:"ran_seconds" doc:"spent running before the present state"`
	Input      string      `json:"input_digest,omitempty" doc:"identifies its arguments"`
	Result     *Result     `json:"result,omitempty" doc:"once it has completed"`
	CachedFrom string      `json:"cached_from,omitempty" doc:"the flow run that produced the result"`
	SubflowID  string      `json:"subflow_id,omitempty"`
	DependsOn  []string    `json:"depends_on" doc:"keys of the calls whose results it takes"`
	After      []string    `json:"after" doc:"keys of the calls that it waits for only"`
}

// Result says what a call has returned, and where that is kept.
type Result struct {
	Codec  string `json:"codec" doc:"how it is encoded"`
	Digest string `json:"digest" doc:"identifies the value"`
	Size   int64  `json:"size" doc:"bytes, encoded"`
	Ref    string `json:"ref" doc:"SHA-256 of the encoded value, or = and the value itself where it is a small text"`
}

// LogLine is a line of a log as the API shows it.
type LogLine struct {
	ID        int64     `json:"id" doc:"from which a reader goes on"`
	FlowRunID string    `json:"flow_run_id"`
	TaskKey   string    `json:"task_key,omitempty"`
	Time      time.Time `json:"time"`
	Level     string    `json:"level" enum:"DEBUG,INFO,WARN,ERROR"`
	Message   string    `json:"message"`
}

// NewFlowRuns shows a list of runs.
func NewFlowRuns(runs []engine.FlowRun) []FlowRun {
	list := make([]FlowRun, len(runs))
	for i, r := range runs {
		list[i] = NewFlowRun(r)
	}
	return list
}

// NewFlowRun shows a run.
func NewFlowRun(r engine.FlowRun) FlowRun {
	parameters := r.Parameters
	if len(parameters) == 0 {
		parameters = json.RawMessage("null")
	}
	return FlowRun{
		ID: r.ID, Name: r.Name, Flow: r.Flow, Tags: orEmpty(r.Tags), State: newState(r.State), ParentID: r.ParentID, ParentKey: r.ParentKey, RootID: r.RootID,
		Deployment: r.Deployment, IdempotencyKey: r.IdempotencyKey, Version: r.Version, Refresh: r.Refresh, Attempts: r.Attempts, Recoveries: r.Recoveries,
		Created: r.Created, Expected: r.ExpectedStart, NextStart: orNil(r.NextStart), Start: orNil(r.Start), End: orNil(r.End),
		Seconds: r.Duration(time.Now()).Seconds(), RanSeconds: r.Ran.Seconds(), Parameters: parameters, Waiting: r.Waiting, Result: r.Result,
	}
}

// Record is the run as package engine has it.
func (r FlowRun) Record() engine.FlowRun {
	return engine.FlowRun{
		ID: r.ID, Name: r.Name, Flow: r.Flow, Tags: orNone(r.Tags), State: engine.State(r.State), ParentID: r.ParentID, ParentKey: r.ParentKey, RootID: r.RootID,
		Deployment: r.Deployment, IdempotencyKey: r.IdempotencyKey, Version: r.Version, Refresh: r.Refresh, Attempts: r.Attempts, Recoveries: r.Recoveries,
		Created: r.Created, ExpectedStart: r.Expected, NextStart: orZero(r.NextStart), Start: orZero(r.Start), End: orZero(r.End),
		Ran: seconds(r.RanSeconds), Parameters: r.Parameters, Waiting: r.Waiting, Result: r.Result,
	}
}

// NewTaskRuns shows a list of calls.
func NewTaskRuns(tasks []engine.TaskRun) []TaskRun {
	list := make([]TaskRun, len(tasks))
	for i, t := range tasks {
		list[i] = newTaskRun(t)
	}
	return list
}

func newTaskRun(t engine.TaskRun) TaskRun {
	kind := t.Kind
	if kind == "" {
		kind = engine.KindTask
	}
	return TaskRun{
		Key: t.Key, Name: t.Name, RunName: t.RunName, Kind: kind, Tags: orEmpty(t.Tags), Order: t.Order, State: newState(t.State), Attempts: t.Attempts,
		Start: orNil(t.Start), End: orNil(t.End), Seconds: t.Duration(time.Now()).Seconds(), RanSeconds: t.Ran.Seconds(), Input: t.InputDigest, Result: newResult(t.Result),
		CachedFrom: t.CachedFrom, SubflowID: t.SubflowID, DependsOn: orEmpty(t.DependsOn), After: orEmpty(t.After),
	}
}

// Record is the call of flow run flowRunID as package engine has it.
func (t TaskRun) Record(flowRunID string) engine.TaskRun {
	return engine.TaskRun{
		FlowRunID: flowRunID, Key: t.Key, Name: t.Name, RunName: t.RunName, Kind: t.Kind, Tags: orNone(t.Tags), Order: t.Order, State: engine.State(t.State),
		Attempts: t.Attempts, InputDigest: t.Input, Result: t.Result.record(), CachedFrom: t.CachedFrom, SubflowID: t.SubflowID,
		DependsOn: orNone(t.DependsOn), After: orNone(t.After), Start: orZero(t.Start), End: orZero(t.End), Ran: seconds(t.RanSeconds),
	}
}

func newResult(r *engine.Result) *Result {
	if r == nil {
		return nil
	}
	return &Result{r.Codec, r.Digest, r.Size, r.Ref}
}

func (r *Result) record() *engine.Result {
	if r == nil {
		return nil
	}
	return &engine.Result{Codec: r.Codec, Digest: r.Digest, Size: r.Size, Ref: r.Ref}
}

// seconds is a time as records have it, to the microsecond.
func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Microsecond)
}

func newState(s engine.State) State { return State(s) }

// NewStates shows a list of states.
func NewStates(list []engine.State) []State {
	states := make([]State, len(list))
	for i, s := range list {
		states[i] = newState(s)
	}
	return states
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// orEmpty is the list, [] in JSON where it is empty.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// orNone is the list, nil where it is empty.
func orNone[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
