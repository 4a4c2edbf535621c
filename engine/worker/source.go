package worker

import (
	"context"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Source is where a worker finds runs. Its methods are safe for concurrent use;
// each is one transaction. Package enginetest has the suite that sources pass.
type Source interface {
	// Beat says that the worker lives and carries out running. It makes the pool if
	// there is none. It returns those of running that the worker should end: they
	// are being cancelled, have ended, are deleted or are another's.
	Beat(ctx context.Context, w Info, running []string) (end []string, err error)
	// Leave says that the worker ends. What it had claimed and not begun is given
	// back.
	Leave(ctx context.Context, workerID string) error

	// Claim gives the worker up to most runs that are due until before, the most
	// urgent first: by priority of their queue, then by when they were due. Each is
	// then PENDING and this worker's. next is when the first of those that are not
	// due yet will be; zero: none is known.
	Claim(ctx context.Context, w Info, most int, before time.Time) (runs []engine.FlowRun, next time.Time, err error)
	// GiveBack gives back a run that was claimed and has not begun.
	GiveBack(ctx context.Context, workerID, runID string) error
	// Done says that nobody carries out the run any more, on the worker's side. A
	// run that has not ended by then, nor waits to be begun again, is CRASHED;
	// message says why, if anyone knows. It then goes on as its deployment says.
	Done(ctx context.Context, workerID, runID, message string) error

	// Wait returns when there may be more to claim than before, or when ctx is done.
	// It may return for no reason.
	Wait(ctx context.Context) error
}

// Planner keeps the runs of deployments planned: it makes those that schedules
// want ahead of time, and tends to those that nobody begins.
type Planner interface {
	// Plan makes what is missing at now, marks what is late, leaves out what its
	// deployment does not catch up on, and gives back what dead workers and
	// processes have left. It returns when it wants to be called again, at the
	// latest.
	Plan(ctx context.Context, now time.Time) (next time.Time, err error)
}
