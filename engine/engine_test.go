package engine_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// double is a task that counts how often its body runs.
func double(runs *atomic.Int64) engine.Task[int, int] {
	return engine.Task[int, int]{Name: "Double", Func: func(_ context.Context, n int) (int, error) {
		runs.Add(1)
		return 2 * n, nil
	}}
}

func start[I, O any](t *testing.T, e *engine.Engine, body func(*engine.Ctx, I) (engine.Arg[O], error), in I) (O, engine.FlowRun, error) {
	t.Helper()
	f := engine.Flow[I, O]{Name: "flow", Func: body}
	return f.Start(t.Context(), e, in, engine.Options{})
}

func tasks(t *testing.T, e *engine.Engine, run engine.FlowRun) map[string]engine.TaskRun {
	t.Helper()
	list, err := e.History.TaskRuns(t.Context(), run.ID)
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]engine.TaskRun{}
	for _, task := range list {
		byKey[task.Key] = task
	}
	return byKey
}
