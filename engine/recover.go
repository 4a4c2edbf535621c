package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// MaxRecoveries is how often in a row a run goes on by itself after its process
// was gone: one that brings its process down would do so for ever.
const MaxRecoveries = 3

// Recover goes on with runs that were found CRASHED, all at once, and waits for
// them. Left as they are: runs that were recovered MaxRecoveries times already,
// runs of flows that are not among flows, and those that somebody else has taken.
// What failed is joined in the error.
func Recover(ctx context.Context, e *Engine, crashed []FlowRun, flows ...Runnable) error {
	byName := map[string]Runnable{}
	for _, f := range flows {
		byName[f.Info().Name] = f
	}
	var mu sync.Mutex
	var all error
	var wg sync.WaitGroup
	for _, run := range crashed {
		f, known := byName[run.Flow]
		if !known || run.Recoveries >= MaxRecoveries || run.State.Type != TypeCrashed {
			e.log().Warn("a run whose process is gone is left as it is", "run", run.ID, "flow", run.Flow, "recoveries", run.Recoveries, "flow is known", known)
			continue
		}
		wg.Go(func() {
			_, err := f.Execute(ctx, e, run.ID)
			var owned *OwnedError
			if err == nil || errors.As(err, &owned) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all = errors.Join(all, fmt.Errorf("go on with flow run %s: %w", run.ID, err))
		})
	}
	wg.Wait()
	return all
}
