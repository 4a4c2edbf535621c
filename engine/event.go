package engine

import "time"

// Event is something that a History has committed: a state that a run entered, or
// a change to what runs go by. Their numbers grow in the order of commits.
type Event struct {
	Seq     int64
	Topic   string // "flow-run", "task-run", "deployment", "work-pool", "work-queue", "worker", "concurrency-limit", "artifact"
	What    string // "state", "created", "changed", "deleted"
	Subject string // an ID or a name; of a task run its flow run's ID
	TaskKey string
	Time    time.Time
	// Of runs:
	Flow, RootID, RunName string
	State                 *State // that was entered
}
