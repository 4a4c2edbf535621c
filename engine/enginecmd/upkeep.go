package enginecmd

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
)

// UpkeepFlags say what a server does for the records of flow runs.
type UpkeepFlags struct{ keepRuns, onCrash string }

// Add adds the flags.
func (f *UpkeepFlags) Add(flags *pflag.FlagSet) {
	flags.StringVar(&f.keepRuns, "keep-runs", "365d", "how long flow runs that have ended are kept, such as 90d; 0s keeps them for ever")
	flags.StringVar(&f.onCrash, "on-crash", "resume", "what becomes of a run of no deployment whose process is gone: resume (3 times in a row at most) or leave")
}

// Upkeep looks after the records of flow runs while a server runs: those whose
// process is gone go on, those that ended long ago are removed.
type Upkeep struct {
	app     *App
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

// NewUpkeep checks the flags. work says that runs may go on: there is a worker.
func (a *App) NewUpkeep(f UpkeepFlags, work bool, log *slog.Logger) (*Upkeep, error) {
	keep, err := ParseAge(f.keepRuns)
	if err != nil {
		return nil, Usage("--keep-runs %q: want a time such as 90d, or 0s", f.keepRuns)
	}
	if f.onCrash != "resume" && f.onCrash != "leave" {
		return nil, Usage("--on-crash %q: want resume or leave", f.onCrash)
	}
	return &Upkeep{app: a, log: log, keep: keep, resume: f.onCrash == "resume" && work, since: time.Now(), seen: map[string]time.Time{}}, nil
}

// Run begins the work on h, which ends soon after ctx does.
func (u *Upkeep) Run(ctx context.Context, h *history.Store, running *sync.WaitGroup) {
	u.history = h
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
func (u *Upkeep) recover(ctx context.Context) error {
	if err := u.app.Reap(ctx, u.history); err != nil {
		return err
	}
	crashed, err := u.history.Crashed(ctx, u.since)
	if err != nil {
		return err
	}
	for _, run := range crashed {
		known := slices.ContainsFunc(u.app.Flows, func(f engine.Runnable) bool { return f.Info().Name == run.Flow })
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

func (u *Upkeep) prune(ctx context.Context) error {
	gone, err := u.history.Prune(ctx, u.keep)
	if gone != (history.Pruned{}) {
		u.log.Info("removed old flow runs", "runs", gone.Runs, "cached", gone.Entries, "results", gone.Results, "bytes", gone.Bytes)
	}
	return err
}
