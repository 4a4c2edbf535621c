package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
)

// upkeep looks after the records of flow runs while a server runs: those whose
// process is gone go on, those that ended long ago are removed.
type upkeep struct {
	app     *app
	history *history.Store
	log     *slog.Logger
	keep    time.Duration // 0: for ever
	resume  bool
	since   time.Time            // what crashed before is left to who noticed then
	seen    map[string]time.Time // when the runs ended that were looked at, by ID
}

const (
	reapPause  = 2 * time.Second // how long a run whose process has ended may be shown as running
	prunePause = time.Hour
)

func (a *app) newUpkeep(f serverFlags, log *slog.Logger) (*upkeep, error) {
	keep, err := parseAge(f.keepRuns)
	if err != nil {
		return nil, usage("--keep-runs %q: want a time such as 90d, or 0s", f.keepRuns)
	}
	if f.onCrash != "resume" && f.onCrash != "leave" {
		return nil, usage("--on-crash %q: want resume or leave", f.onCrash)
	}
	return &upkeep{app: a, log: log, keep: keep, resume: f.onCrash == "resume" && !f.noWorker, since: time.Now(), seen: map[string]time.Time{}}, nil
}

// run begins the work, which ends soon after ctx does.
func (u *upkeep) run(ctx context.Context, running *sync.WaitGroup) {
	every(ctx, running, reapPause, func() error { return u.recover(ctx) }, u.log)
	if u.keep > 0 {
		every(ctx, running, prunePause, func() error { return u.prune(ctx) }, u.log)
	}
}

// every does something now and again until ctx is done. Errors are logged.
func every(ctx context.Context, running *sync.WaitGroup, pause time.Duration, do func() error, log *slog.Logger) {
	running.Go(func() {
		for ctx.Err() == nil {
			if err := do(); err != nil && ctx.Err() == nil {
				log.Error("look after flow runs", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	})
}

// recover finds the runs whose process has ended, and has those go on that this
// program has the flow of, whoever noticed first.
func (u *upkeep) recover(ctx context.Context) error {
	if err := u.app.reap(ctx, u.history); err != nil {
		return err
	}
	crashed, err := u.history.Crashed(ctx, u.since)
	if err != nil {
		return err
	}
	for _, run := range crashed {
		known := slices.ContainsFunc(knownFlows(), func(f engine.Runnable) bool { return f.Info().Name == run.Flow })
		if !known || u.seen[run.ID].Equal(run.End) {
			continue
		}
		u.seen[run.ID] = run.End
		goesOn, err := u.history.Recover(ctx, run.ID, u.resume)
		if err != nil {
			return err
		}
		u.log.Info("found a flow run whose process has ended", "run", run.ID, "name", run.Name, "goes_on", goesOn)
	}
	return nil
}

func (u *upkeep) prune(ctx context.Context) error {
	gone, err := u.history.Prune(ctx, u.keep)
	if gone != (history.Pruned{}) {
		u.log.Info("removed old flow runs", "runs", gone.Runs, "cached", gone.Entries, "results", gone.Results, "bytes", gone.Bytes)
	}
	return err
}
