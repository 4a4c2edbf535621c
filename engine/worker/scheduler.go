package worker

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// Scheduler calls a Planner whenever it wants to be called. Any number of them
// may run on one history: what one has made, the others find.
type Scheduler struct {
	Planner Planner
	Every   time.Duration // at least so often; zero: 5 s
	Log     *slog.Logger  // nil: slog's default
}

// Run plans until ctx is done. Errors are logged, and it tries again.
func (s *Scheduler) Run(ctx context.Context) {
	log := s.Log
	if log == nil {
		log = slog.Default()
	}
	every := cmp.Or(s.Every, 5*time.Second)
	for ctx.Err() == nil {
		now := time.Now()
		next, err := s.Planner.Plan(ctx, now)
		if err != nil && ctx.Err() == nil {
			log.Error("plan the runs of deployments", "error", err)
		}
		wait := every
		if err == nil && !next.IsZero() {
			wait = min(every, max(time.Millisecond, next.Sub(now)))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}
