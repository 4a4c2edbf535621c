package engine

import (
	"encoding/json"
	"strings"
	"time"
)

// FlowRun is the record of one run of a flow. Times are UTC.
type FlowRun struct {
	ID   string
	Flow string // the flow's name
	Name string // of this run, such as "flashy-dove"
	Tags []string
	// ParentID and ParentKey name the call that made this a subflow's run; RootID
	// is the run at the top, this one's own ID for a run that is no subflow.
	ParentID, ParentKey, RootID string
	// Deployment is the name of the deployment that made the run; "" for none.
	Deployment string
	// IdempotencyKey is unique among all runs that have one: a second run with the
	// same key is not created.
	IdempotencyKey string
	Parameters     json.RawMessage
	Version        string // identity of the program that started it
	Refresh        bool   // cached results are not used, but replaced
	State          State
	Attempts       int // times its body was begun
	// Recoveries counts the times in a row that the run went on by itself after its
	// process was gone.
	Recoveries    int
	Created       time.Time
	ExpectedStart time.Time // when it was due, whatever delayed it
	NextStart     time.Time // while it is SCHEDULED: when to begin it; zero: now
	Start, End    time.Time // zero where it has not begun, or not ended
	// Ran is the time spent RUNNING before the present state, whatever else passed
	// between Start and End.
	Ran     time.Duration
	Waiting *Waiting // what a PAUSED run waits for
	Result  json.RawMessage
}

// Duration is the time spent running until now.
func (r FlowRun) Duration(now time.Time) time.Duration { return ran(r.State, r.Ran, now) }

// Listed is where the run stands in lists: by when it was made or, where it was made
// ahead, by when it was due. It never changes.
func (r FlowRun) Listed() time.Time {
	if r.ExpectedStart.After(r.Created) {
		return r.ExpectedStart
	}
	return r.Created
}

// TaskRun is the record of one call of a task, or of a flow as a subflow.
type TaskRun struct {
	FlowRunID string
	Key       string // stable within the flow run: "read-taxi-data[train]"
	Name      string // of the task, for people: "Read taxi data"
	RunName   string // of this call, where the task has a template: "Read 2021-01"
	Kind      Kind
	Tags      []string
	Order     int // of the calls of the flow run, as they were made
	State     State
	// Attempts is how often its body was begun; 0 for a call answered from the cache. One
	// that was begun within milliseconds of the process's death may not count.
	Attempts int
	// InputDigest identifies the arguments; empty where they cannot be digested,
	// and then the call is neither cached nor reused.
	InputDigest string
	Result      *Result  // set once completed
	CachedFrom  string   // flow run at the top that produced the result (a subflow's first), where it came from the cache
	SubflowID   string   // run that this call made, for a subflow
	DependsOn   []string // keys of the calls whose results it takes
	After       []string // keys of the calls it waits for without taking their results
	Start, End  time.Time
	Ran         time.Duration // spent RUNNING before the present state
}

// Kind says what a call is of.
type Kind string

// Kinds of calls.
const (
	KindTask       Kind = "task"
	KindSubflow    Kind = "subflow"
	KindCheckpoint Kind = "checkpoint" // a time, a sleep or a value that the flow asked its Ctx for
)

// Duration is the time spent running until now.
func (t TaskRun) Duration(now time.Time) time.Duration { return ran(t.State, t.Ran, now) }

// ran adds the time in the present state, if that is RUNNING, to what went before.
func ran(s State, before time.Duration, now time.Time) time.Duration {
	if s.Type == TypeRunning {
		return before + max(0, now.Sub(s.Time))
	}
	return before
}

// Result is where the value of a completed call is kept.
type Result struct {
	Codec  string // name of the codec that encoded it
	Digest string // identifies the value; equal values have equal digests
	Size   int64  // bytes, encoded
	Ref    string // by which ReadResult finds it: SHA-256 of the encoded value, or see Inline
	Data   []byte // the encoded value, on its way into a History; else nil
}

// Inline returns the encoded value of a result that is small text, such as "=42": it
// is its own Ref, after a sign that no hash has, and needs no place of its own.
func (r Result) Inline() (data []byte, ok bool) {
	if text, ok := strings.CutPrefix(r.Ref, "="); ok {
		return []byte(text), true
	}
	return nil, false
}

// CacheEntry is a result that calls of later runs may take over.
type CacheEntry struct {
	Key       string // of the task's name, its version and its input
	FlowRunID string // the run, the one at the top, that produced the result
	Result    Result
	Expires   time.Time // zero: never
}

// LogLine is one line that a flow or a task wrote.
type LogLine struct {
	FlowRunID string
	TaskKey   string // empty for the flow's own
	Time      time.Time
	Level     string // slog's names: DEBUG INFO WARN ERROR
	Message   string
}

// Waiting is the input that a paused run waits for.
type Waiting struct {
	FlowRunID string    `json:"flow_run_id"` // run that waits: this one or a subflow
	Key       string    `json:"key"`         // of the pause: a run waits once for each
	Message   string    `json:"message,omitempty"`
	Schema    *Schema   `json:"schema,omitempty"` // of the input
	Deadline  time.Time `json:"deadline,omitzero"`
}

// Signal is what somebody asks of a run that may be another process's.
type Signal struct {
	Seq       int64  // given by the history; later signals have larger ones
	FlowRunID string // a root's or a subflow's
	Kind      SignalKind
	Key       string          // of the pause that Input is for
	Input     json.RawMessage // for SignalResume: what the run waits for
	Message   string          // who asks, and why
	Time      time.Time       // given by the history
}

// SignalKind says what is asked.
type SignalKind string

// What can be asked of a run.
const (
	SignalCancel SignalKind = "cancel" // it and all below it
	SignalPause  SignalKind = "pause"  // begin no more tasks
	SignalResume SignalKind = "resume" // after a pause
)

// Holder is a call that holds slots of concurrency limits.
type Holder struct{ FlowRunID, TaskKey string }

// Limit is how many task runs with a tag, or holders of a name, run at once, in
// all processes that share the history.
type Limit struct {
	Name    string
	Slots   int // 0: none may run, and what asks fails
	Holders []Holder
}
