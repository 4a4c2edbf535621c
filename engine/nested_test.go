package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

func TestNestedTasks(t *testing.T) {
	var runs atomic.Int64
	e := &engine.Engine{}
	out, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return engine.Task[int, int]{Name: "Outer", Func: func(ctx context.Context, n int) (int, error) {
			return double(&runs).Run(engine.From(ctx), engine.Val(n))
		}}.Submit(c, engine.Val(n)), nil
	}, 2)
	if err != nil || out != 4 {
		t.Fatalf("flow = %d, %v", out, err)
	}
	if _, ok := tasks(t, e, run)["outer/double"]; !ok {
		t.Errorf("calls: %v", tasks(t, e, run))
	}
}

// A call of a task's own task is made once, however often the outer one is tried.
func TestNestedCallsOutliveAnAttempt(t *testing.T) {
	var inner, outer atomic.Int64
	e := &engine.Engine{}
	out, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return engine.Task[int, int]{Name: "Outer", Retry: engine.Retry{Max: 2}, Func: func(ctx context.Context, n int) (int, error) {
			v, err := double(&inner).Run(engine.From(ctx), engine.Val(n))
			if err == nil && outer.Add(1) < 3 {
				err = errors.New("not yet")
			}
			return v, err
		}}.Submit(c, engine.Val(n)), nil
	}, 2)
	if err != nil || out != 4 || inner.Load() != 1 || outer.Load() != 3 || tasks(t, e, run)["outer"].Attempts != 3 {
		t.Errorf("%d, %v; inner ran %d times, outer %d", out, err, inner.Load(), outer.Load())
	}
}
