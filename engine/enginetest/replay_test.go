package enginetest

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Flows that would not survive a resume are found out, each by what it does.
func TestReplayFindsOut(t *testing.T) {
	look := engine.Task[any, int]{Name: "Look", Func: func(context.Context, any) (int, error) { return 1, nil }}
	var counter atomic.Int64
	at := func(v any) func(*engine.Ctx, int) (engine.Arg[int], error) {
		return func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return look.Submit(c, engine.Val(v)), nil }
	}
	for _, test := range []struct {
		name, want string
		body       func(*engine.Ctx, int) (engine.Arg[int], error)
	}{
		{"time.Now", "call look has another input", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return at(time.Now())(c, n) }},
		{"rand", "call look has another input", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return at(mathrand.Int())(c, n) }},
		{"an ID", "call look has another input", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return at(engine.NewID())(c, n) }},
		{"a global", "call look has another input", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return at(counter.Add(1))(c, n) }},
		{"the order of a map", "has another input", func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			var last *engine.Future[int]
			for month := range map[string]bool{"2021-01": true, "2021-02": true, "2021-03": true, "2021-04": true} {
				last = look.Submit(c, engine.Val[any](month))
			}
			return last, nil
		}},
		{"a result", "it returns", func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return engine.Val(int(counter.Add(1))), nil }},
		{"a new call", "call look is new", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			if counter.Add(1) > 6 {
				return at(1)(c, n)
			}
			return engine.Val(n), nil
		}},
		{"a call left out", "call look is not made", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			if counter.Add(1) == 1 {
				look.Submit(c, engine.Val[any](1))
			}
			return engine.Val(n), nil
		}},
		{"a new subflow", "subflow inner is called by the new key inner", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			if counter.Add(1) > 1 {
				return engine.Flow[int, int]{Name: "inner", Func: at(1)}.Submit(c, engine.Val(n)), nil
			}
			return engine.Val(n), nil
		}},
		{"within a subflow", "call look has another input", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			return engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return at(time.Now())(c, n) }}.Submit(c, engine.Val(n)), nil
		}},
		{"what has no digest", "cannot be digested", at(func() {})},
		{"an artifact", "is new", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			_, err := engine.Publish(c, engine.Markdown(strings.ToLower(rand.Text()), "x"))
			return engine.Val(n), err
		}},
	} {
		counter.Store(0)
		err := replayed(t.Context(), &engine.Engine{Version: "v1"}, engine.Flow[int, int]{Name: "flow", Func: test.body}, 1)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}
