package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
)

func TestTimeoutDiscardsTheLateResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine.Engine{Version: "test"}
		_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			return engine.Task[int, int]{Name: "Slow", Timeout: time.Second, Func: func(ctx context.Context, _ int) (int, error) {
				time.Sleep(time.Minute) // deaf to its context
				return 7, nil
			}}.Submit(c, engine.Val(0)), nil
		}, 0)
		if !errors.Is(err, engine.ErrTimedOut) {
			t.Errorf("err = %v, want ErrTimedOut", err)
		}
		time.Sleep(2 * time.Minute)
		if task := tasks(t, e, run)["slow"]; task.State.Name != engine.NameTimedOut || task.Result != nil {
			t.Errorf("task = %+v", task)
		}
	})
}

// A task that has lent its slot, and waits to have it back, still ends at its
// deadline.
func TestDeadlineWhileASlotIsLent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &engine.MemoryHistory{}
		if err := h.SetLimit(t.Context(), "db", 1); err != nil {
			t.Fatal(err)
		}
		nap := func(name string, d time.Duration) engine.Task[int, int] {
			return engine.Task[int, int]{Name: name, Func: func(_ context.Context, n int) (int, error) { time.Sleep(d); return n, nil }}
		}
		lends := engine.Task[int, int]{Name: "Lends", Tags: []string{"db"}, Timeout: 3 * time.Second, Func: func(ctx context.Context, n int) (int, error) {
			return nap("Inner", 2*time.Second).Run(engine.From(ctx), engine.Val(n))
		}}
		borrows := nap("Borrows", time.Minute)
		borrows.Tags = []string{"db"}
		e := &engine.Engine{History: h, Version: "test"}
		begun := time.Now()
		_, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			first := lends.Submit(c, engine.Val(n))
			time.Sleep(time.Second)
			second := borrows.Submit(c, engine.Val(n))
			_ = first.Wait()
			return second, nil
		}, 1)
		if err != nil {
			t.Error(err)
		}
		got := tasks(t, e, run)["lends"]
		if late := got.State.Time.Sub(begun); got.State.Name != engine.NameTimedOut || late > 3*time.Second+time.Millisecond {
			t.Errorf("%+v, %v after the start", got.State, late)
		}
	})
}
