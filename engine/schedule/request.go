package schedule

import (
	"encoding/json"
	"time"
)

// RunRequest asks for a run of a deployment.
type RunRequest struct {
	Parameters json.RawMessage // object laid over the deployment's; nil: none
	Name       string          // of the run; empty: one is found
	Tags       []string        // beside the deployment's
	At         time.Time       // when to begin; zero: now
	// ExpectedStart is the time the run takes its dates from; zero: At.
	ExpectedStart time.Time
	// IdempotencyKey, if set, makes at most one run.
	IdempotencyKey string
}

// Backfill asks for the runs that schedules of a deployment would have made.
type Backfill struct {
	From, To time.Time // both included
	// Schedule says when runs would have been due; nil: the deployment's own
	// schedules do, whether active or not.
	Schedule *Schedule
	Again    bool // also for instants that had a run
}
