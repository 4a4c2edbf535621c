package engine_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
)

// What a flow takes from its Ctx is the same when its body runs again.
func TestFlowsThatTakeEverythingFromTheirCtxReplay(t *testing.T) {
	add := engine.Task[int, int]{Name: "Add", Func: func(_ context.Context, n int) (int, error) { return n + 1, nil }}
	show := engine.Task[string, string]{Name: "Show", Func: func(_ context.Context, s string) (string, error) { return s, nil }}
	inner := engine.Flow[int, []int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
		list := make([]int, 1+c.Rand().IntN(5))
		return add.Map(c, engine.Values(list...)).List(), nil
	}}
	enginetest.Replay(t, &engine.Engine{}, engine.Flow[int, []int]{Name: "outer", Func: func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
		now, err := c.Now()
		if err != nil {
			return nil, err
		}
		once, err := engine.Once(c, "dice", func(context.Context) (int, error) { return rand.IntN(1e9), nil })
		if err != nil {
			return nil, err
		}
		if err := c.Sleep(1); err != nil {
			return nil, err
		}
		a := show.Submit(c, engine.Val(c.UUID()+now.String()))
		nests := engine.Task[int, int]{Name: "Nests", Func: func(ctx context.Context, n int) (int, error) { return add.Run(engine.From(ctx), engine.Val(n)) }}
		return inner.Submit(c, nests.Submit(c, engine.Val(once)), a), nil
	}}, 1)
}
