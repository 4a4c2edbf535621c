package engine_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// What is forgotten is named, and fails the run.
func TestMisuse(t *testing.T) {
	fine := func(_ context.Context, n int) (int, error) { return n, nil }
	inner := engine.Flow[int, int]{Name: "inner", Func: func(_ *engine.Ctx, n int) (engine.Arg[int], error) { return engine.Val(n), nil }}
	for want, body := range map[string]func(*engine.Ctx, int) (engine.Arg[int], error){
		"flow flow returned neither a result nor an error": func(*engine.Ctx, int) (engine.Arg[int], error) { return nil, nil },
		"task Empty has no Func": func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			return engine.Task[int, int]{Name: "Empty"}.Submit(c, engine.Val(n)), nil
		},
		"flow empty has no Func": func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			return engine.Flow[int, int]{Name: "empty"}.Submit(c, engine.Val(n)), nil
		},
		"a name wants a letter or a digit": func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			engine.Task[int, int]{Name: "!?", Func: fine}.Submit(c, engine.Val(n)) // and nobody looks
			return engine.Val(n), nil
		},
		"task Work is called without an argument": func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			return engine.Task[int, int]{Name: "Work", Func: fine}.Submit(c, nil), nil
		},
		"flow inner is called without an argument": func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return inner.Submit(c, nil), nil },
		"this context is not a task's": func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			return engine.Task[int, int]{Name: "Work", Func: func(_ context.Context, n int) (int, error) {
				engine.From(context.Background())
				return n, nil
			}}.Submit(c, engine.Val(n)), nil
		},
	} {
		if _, run, err := start(t, &engine.Engine{}, body, 1); err == nil || !strings.Contains(err.Error(), want) || run.State.Type != engine.TypeFailed {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, _, err := (engine.Flow[int, int]{}).Start(t.Context(), &engine.Engine{}, 1, engine.Options{}); err == nil || !strings.Contains(err.Error(), "wants a letter") {
		t.Errorf("a flow without a name: %v", err)
	}
}

// A value that has no JSON is no better the next time.
func TestAResultThatCannotBeStoredIsNotMadeAgain(t *testing.T) {
	e, bodies := &engine.Engine{}, 0
	rmse := engine.Task[int, float64]{Name: "RMSE", Retry: engine.Retry{Max: 3}, Func: func(context.Context, int) (float64, error) { bodies++; return math.NaN(), nil }}
	_, _, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[float64], error) { return rmse.Submit(c, engine.Val(n)), nil }, 1)
	if err == nil || !strings.Contains(err.Error(), "store the result") || bodies != 1 {
		t.Errorf("%v after %d bodies", err, bodies)
	}
}
