package worker

import (
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Pool is where workers find runs. There is one type, "process": its workers
// begin a process for each run, or run it in their own.
type Pool struct {
	Name        string    `json:"name"`
	Type        string    `json:"type"`
	Description string    `json:"description,omitempty"`
	Limit       int       `json:"limit,omitempty"` // runs at once, of all workers; 0: any number
	Paused      bool      `json:"paused"`
	Created     time.Time `json:"created"`
}

// Process is the type of pools.
const Process = "process"

// Queue is a part of a pool. Runs of a queue with a smaller Priority go first.
type Queue struct {
	Pool     string    `json:"pool"`
	Name     string    `json:"name"`
	Priority int       `json:"priority"`        // 1 is the most urgent
	Limit    int       `json:"limit,omitempty"` // runs at once; 0: any number
	Paused   bool      `json:"paused"`
	Created  time.Time `json:"created"`
	Polled   time.Time `json:"polled,omitzero"` // when a worker last looked for work here
}

// DefaultPriority is that of a queue made without one.
const DefaultPriority = 100

// Info is a worker as a source knows it.
type Info struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Pool    string    `json:"pool"`
	Queues  []string  `json:"queues,omitempty"` // that it takes runs of; none: all
	Flows   []string  `json:"flows,omitempty"`  // that it can carry out; none: all
	Limit   int       `json:"limit,omitempty"`  // runs at once; 0: any number
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Every   Seconds   `json:"heartbeat_seconds"` // how often it says that it lives
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen,omitzero"` // given by the source
}

// Seconds is a duration that is written as a number of seconds.
type Seconds float64

// SecondsOf returns d in seconds.
func SecondsOf(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Duration returns s as one.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Missed is how many heartbeats a worker may leave out before it counts as gone.
const Missed = 3

// Online reports whether the worker lives at now, as far as one can tell from
// its heartbeats.
func (i Info) Online(now time.Time) bool {
	return now.Sub(i.Seen) <= Missed*i.Every.Duration()
}

// Status is a worker and how it is.
type Status struct {
	Info
	Online  bool `json:"online"`
	Running int  `json:"running"` // runs it has claimed
}

// Due is a run that waits for a worker, and why it still does.
type Due struct {
	engine.FlowRun
	Queue string
	Why   string
}
