package engine

import (
	"encoding/json"
	"time"
)

// FlowRun is the record of one run of a flow. Times are UTC.
type FlowRun struct {
	ID   string
	Flow string // the flow's name
	Name string // of this run, such as "flashy-dove"
	// ParentID and ParentKey name the call that made this a subflow's run; RootID
	// is the run at the top, this one's own ID for a run that is no subflow.
	ParentID, ParentKey, RootID string
	Parameters                  json.RawMessage
	Version                     string // identity of the program that started it
	Refresh                     bool   // cached results are not used, but replaced
	State                       State
	Attempts                    int // times its body was begun
	Created                     time.Time
	ExpectedStart               time.Time // when it was due, whatever delayed it
	Start, End                  time.Time // zero where it has not begun, or not ended
	Result                      json.RawMessage
}

// Duration is the time from start to end, or to now for one that runs.
func (r FlowRun) Duration(now time.Time) time.Duration { return duration(r.Start, r.End, now) }

// TaskRun is the record of one call of a task, or of a flow as a subflow.
type TaskRun struct {
	FlowRunID string
	Key       string // stable within the flow run: "read-taxi-data[train]"
	Name      string // for people: "Read taxi data"
	Order     int    // of the calls of the flow run, as they were made
	State     State
	Attempts  int // times its body was begun; 0 for a call answered from the cache
	// InputDigest identifies the arguments; empty where they cannot be digested,
	// and then the call is neither cached nor reused.
	InputDigest string
	Result      *Result  // set once completed
	CachedFrom  string   // flow run at the top that produced the result (a subflow's first), where it came from the cache
	SubflowID   string   // run that this call made, for a subflow
	DependsOn   []string // keys of the calls whose results it takes
	Start, End  time.Time
}

// Duration is the time from start to end, or to now for one that runs.
func (t TaskRun) Duration(now time.Time) time.Duration { return duration(t.Start, t.End, now) }

func duration(start, end, now time.Time) time.Duration {
	switch {
	case start.IsZero():
		return 0
	case end.IsZero():
		return max(0, now.Sub(start))
	}
	return max(0, end.Sub(start))
}

// Result is where the value of a completed call is kept.
type Result struct {
	Codec  string // name of the codec that encoded it
	Digest string // identifies the value; equal values have equal digests
	Size   int64  // bytes, encoded
	Ref    string // SHA-256 of the encoded value, by which ReadResult finds it
	Data   []byte // the encoded value, on its way into a History; else nil
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
