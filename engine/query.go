package engine

import "time"

// RunQuery says which flow runs are wanted, newest first by Listed. The zero value of a
// field wants all.
type RunQuery struct {
	Flow, Deployment string
	States           []StateType
	StateNames       []string
	Tags             []string // all of these
	Name             string   // a part of it, in any case
	CreatedFrom      time.Time
	CreatedBefore    time.Time
	ParentID         string // subflows of this run
	Subflows         bool   // also runs that have a parent
	Ahead            bool   // also runs that a schedule has made and that have not begun
	After            Place  // goes on after this run
	Limit            int    // how many at most
}

// Place is where in a list of runs to go on.
type Place struct {
	Listed time.Time
	ID     string
}

// TaskQuery says which calls of a flow run are wanted, in their order.
type TaskQuery struct {
	FlowRunID string
	States    []StateType
	Name      string // a part of it, in any case
	Key       string
	After     TaskPlace
	Limit     int
}

// TaskPlace is where in a list of calls to go on.
type TaskPlace struct {
	Order int
	Key   string
}

// LogQuery says which lines are wanted, oldest first.
type LogQuery struct {
	FlowRunID string
	Subflows  bool // also those of its subflows, for a run at the top
	TaskKey   string
	Levels    []string
	Contains  string // in any case
	After     int64  // Seq of the last line one has
	Limit     int
}

// NumberedLine is a line of a log and its place among all lines.
type NumberedLine struct {
	Seq int64
	LogLine
}
