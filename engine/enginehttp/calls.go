package enginehttp

import (
	"encoding/json"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// call is one thing that an engine elsewhere asks of its records: one of its fields
// is set. Each is a method of engine.History.
type call struct {
	CreateFlowRun *FlowRun         `json:"create_flow_run,omitempty"`
	AdoptFlowRun  *runID           `json:"adopt_flow_run,omitempty"`
	GetFlowRun    *runID           `json:"get_flow_run,omitempty"`
	GetSubflow    *runKey          `json:"get_subflow,omitempty" doc:"that the call key of a run has made"`
	PutFlowRun    *putFlowRun      `json:"put_flow_run,omitempty"`
	DeleteFlowRun *runID           `json:"delete_flow_run,omitempty"`
	GetTaskRuns   *runID           `json:"get_task_runs,omitempty"`
	PutTaskRun    *putTaskRun      `json:"put_task_run,omitempty"`
	GetCached     *cacheKey        `json:"get_cached,omitempty"`
	AppendLogs    []line           `json:"append_logs,omitempty"`
	PutArtifact   *engine.Artifact `json:"put_artifact,omitempty"`
	GetArtifacts  *artifactsOf     `json:"get_artifacts,omitempty"`
	Signal        *signal          `json:"signal,omitempty"`
	Acquire       *acquire         `json:"acquire,omitempty"`
	Release       *Holder          `json:"release,omitempty"`
	SetLimit      *limitSlots      `json:"set_concurrency_limit,omitempty"`
	GetLimits     *struct{}        `json:"get_concurrency_limits,omitempty"`
}

type callList struct {
	Calls []call `json:"calls" required:"true"`
}

type runID struct {
	FlowRunID string `json:"flow_run_id" required:"true"`
}

type runKey struct {
	FlowRunID string `json:"flow_run_id" required:"true"`
	Key       string `json:"key" required:"true"`
}

type cacheKey struct {
	Key string `json:"key" required:"true"`
}

type putFlowRun struct {
	FlowRun FlowRun `json:"flow_run" required:"true"`
	From    *State  `json:"from" doc:"state that the records have of it"`
}

type putTaskRun struct {
	FlowRunID string      `json:"flow_run_id" required:"true"`
	TaskRun   TaskRun     `json:"task_run" required:"true"`
	From      *State      `json:"from,omitempty" doc:"state that the records have of it; left out: it is new"`
	Via       []State     `json:"via,omitempty" doc:"states in between"`
	Data      []byte      `json:"data,omitempty" doc:"its result, where that is small and has not been sent before"`
	HasData   bool        `json:"has_data,omitempty" doc:"data is the result, though it may be empty"`
	Entry     *cacheEntry `json:"cache,omitempty" doc:"keep the result for later runs"`
	Lazy      bool        `json:"lazy,omitempty" doc:"may be recorded with the next call that is not lazy"`
}

type cacheEntry struct {
	Key       string     `json:"key"`
	FlowRunID string     `json:"flow_run_id" doc:"that produced the result"`
	Result    Result     `json:"result"`
	Expires   *time.Time `json:"expires,omitempty"`
}

// line is a line of a log that has no place in it yet.
type line struct {
	FlowRunID string    `json:"flow_run_id" required:"true"`
	TaskKey   string    `json:"task_key,omitempty"`
	Time      time.Time `json:"time"`
	Level     string    `json:"level" enum:"DEBUG,INFO,WARN,ERROR"`
	Message   string    `json:"message"`
}

type artifactsOf struct {
	Key       string              `json:"key,omitempty"`
	Type      engine.ArtifactType `json:"type,omitempty"`
	FlowRunID string              `json:"flow_run_id,omitempty"`
	TaskKey   string              `json:"task_key,omitempty"`
	Latest    bool                `json:"latest,omitempty"`
	Limit     int                 `json:"limit,omitempty" min:"0"`
}

type acquire struct {
	Holder
	Names []string `json:"names" doc:"of limits: a slot of each that is set, all or none"`
}

type limitSlots struct {
	Name  string `json:"name" required:"true"`
	Slots int    `json:"slots" doc:"negative: no limit"`
}

// answer is what comes of a call: nothing, what it wanted, or why not.
type answer struct {
	FlowRun   *FlowRun          `json:"flow_run,omitempty"`
	TaskRuns  []TaskRun         `json:"task_runs,omitempty"`
	Entry     *cacheEntry       `json:"cache,omitempty"`
	Artifact  *engine.Artifact  `json:"artifact,omitempty"`
	Artifacts []engine.Artifact `json:"artifacts,omitempty"`
	Full      *Limit            `json:"full,omitempty" doc:"a limit that has no slot free"`
	Limits    []Limit           `json:"concurrency_limits,omitempty"`
	Error     *callProblem      `json:"error,omitempty"`
}

type answerList struct {
	Answers []answer `json:"answers" doc:"to each call, in their order"`
}

// callProblem is why a call was refused, with what a program needs to know of it.
type callProblem struct {
	Problem
	Run  string `json:"run,omitempty" doc:"that the refusal is about"`
	From *State `json:"from,omitempty" doc:"code wrong_state: the state that it is in"`
	To   *State `json:"to,omitempty" doc:"code wrong_state: the state that it was to enter"`
	PID  int    `json:"pid,omitempty" doc:"code owned: the process that carries it out"`
	Want string `json:"want,omitempty" doc:"code invalid: what the field must be"`
	Got  string `json:"got,omitempty" doc:"code invalid: what it was"`
}

// signal is something that is asked of a run.
type signal struct {
	Seq       int64             `json:"seq,omitempty" doc:"grows with each"`
	FlowRunID string            `json:"flow_run_id" required:"true"`
	Kind      engine.SignalKind `json:"kind" enum:"cancel,pause,resume"`
	Key       string            `json:"key,omitempty" doc:"of the pause that input is for"`
	Input     json.RawMessage   `json:"input,omitempty"`
	Message   string            `json:"message,omitempty"`
	Time      time.Time         `json:"time"`
}

type signalList struct {
	Signals []signal `json:"signals"`
}
