package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/registry"
)

// loggedRuns are the runs of all models.
type loggedRuns struct {
	At   tracking
	Runs []TrackedRun
}

func newLoggedRuns(at tracking, runs []TrackedRun) loggedRuns { return loggedRuns{at, runs} }

// markBest marks the trial with the least error, and tells the parent run of it.
func (f *Flows) markBest() engine.Task[loggedRuns, struct{}] {
	return engine.Task[loggedRuns, struct{}]{
		Name:  "Mark the best trial",
		Retry: trackingRetry,
		Func: func(ctx context.Context, in loggedRuns) (none struct{}, err error) {
			var best *TrackedRun
			for i, r := range in.Runs {
				if r.Kind == models.GBT && r.Error == "" && (best == nil || r.RMSEValid < best.RMSEValid) {
					best = &in.Runs[i]
				}
			}
			if best == nil {
				return none, nil // there is nothing but the baseline
			}
			mark := registry.Batch{Tags: []registry.Tag{{Key: tagBestTrial, Value: "true"}}}
			if err := f.Tracker.LogBatch(ctx, best.RunID, mark); err != nil {
				return none, fmt.Errorf("mark %s as the best trial: %w", best.Name, err)
			}
			told := registry.Batch{
				Tags:    []registry.Tag{{Key: tagBestRun, Value: best.RunID}},
				Metrics: []registry.Metric{{Key: "best_rmse_valid", Value: best.RMSEValid, Timestamp: now().UnixMilli()}},
			}
			for _, key := range slices.Sorted(maps.Keys(best.Params)) {
				told.Params = append(told.Params, registry.Param{Key: "best_" + key, Value: fmt.Sprint(best.Params[key])})
			}
			if err := f.Tracker.LogBatch(ctx, in.At.ParentRunID, told); err != nil {
				return none, fmt.Errorf("log what the search found: %w", err)
			}
			return none, nil
		},
	}
}
