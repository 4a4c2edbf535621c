package engine_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// A panic fails the call it happens in, wherever that is.
func TestPanicsOutsideABody(t *testing.T) {
	bang := func(int) ([]byte, error) { panic("bang") }
	plain := engine.Task[int, int]{Name: "Call", Func: func(_ context.Context, n int) (int, error) { return n, nil }}
	encode := plain
	encode.Codec = engine.Bytes("bang/1", bang, func([]byte) (int, error) { return 0, nil })
	inner := engine.Flow[int, int]{Name: "call", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return engine.Val(n), nil }}
	join := engine.Join2(engine.Val(1), engine.Val(2), func(int, int) int { panic("bang") })
	for name, submit := range map[string]func(c *engine.Ctx) engine.Arg[int]{
		"codec":              func(c *engine.Ctx) engine.Arg[int] { return encode.Submit(c, engine.Val(1)) },
		"join of a task":     func(c *engine.Ctx) engine.Arg[int] { return plain.Submit(c, join) },
		"join of a subflow":  func(c *engine.Ctx) engine.Arg[int] { return inner.Submit(c, join) },
		"join of the result": func(c *engine.Ctx) engine.Arg[int] { return join },
	} {
		e := &engine.Engine{}
		_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return submit(c), nil }, 0)
		if err == nil || !strings.Contains(err.Error(), "bang") || run.State.Type != engine.TypeFailed {
			t.Errorf("%s: %v, %v", name, run.State.Name, err)
		}
		if task, ok := tasks(t, e, run)["call"]; ok && task.State.Type != engine.TypeFailed {
			t.Errorf("%s: the call ended %v", name, task.State)
		}
	}
}

// A body that ends its goroutine, as t.FailNow does, has failed.
func TestABodyEndsItsGoroutine(t *testing.T) {
	ends := engine.Task[int, int]{Name: "Ends", Func: func(context.Context, int) (int, error) { runtime.Goexit(); return 1, nil }}
	for name, body := range map[string]func(c *engine.Ctx, n int) (engine.Arg[int], error){
		"task": func(c *engine.Ctx, n int) (engine.Arg[int], error) { return ends.Submit(c, engine.Val(n)), nil },
		"flow": func(*engine.Ctx, int) (engine.Arg[int], error) { runtime.Goexit(); return nil, nil },
	} {
		if _, run, err := start(t, &engine.Engine{}, body, 1); err == nil || err.Error() != "the body ended its goroutine" || run.State.Type != engine.TypeFailed {
			t.Errorf("%s: %v, %v", name, run.State, err)
		}
	}
}
