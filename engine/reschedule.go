package engine

import (
	"fmt"
	"time"
)

// Reschedule is an error with which a flow, or a task whose error it passes on,
// says that it cannot go on yet: its run becomes SCHEDULED again, to be carried out
// from At on, and has not failed. Its ExpectedStart stays. Calls that have
// completed are not made again.
//
// Start and Execute return it, so that a program without a worker knows when to
// come back.
type Reschedule struct {
	At     time.Time
	State  string // name of the state, such as NameAwaitingData; zero: Scheduled
	Reason string
}

func (r *Reschedule) Error() string {
	return fmt.Sprintf("rescheduled to %s: %s", r.At.UTC().Format(time.RFC3339), r.Reason)
}
