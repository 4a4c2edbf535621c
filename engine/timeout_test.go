package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
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

// An attempt that was abandoned makes no calls beside those of the next.
func TestAnAbandonedAttemptMakesNoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := make(chan error, 1)
		var attempts atomic.Int64
		inner := engine.Task[int, int]{Name: "Inner", Func: func(_ context.Context, n int) (int, error) { time.Sleep(20 * time.Second); return n, nil }}
		outer := engine.Task[int, int]{Name: "Outer", Timeout: 30 * time.Second, Retry: engine.Retry{Max: 1}, Func: func(ctx context.Context, n int) (int, error) {
			if attempts.Add(1) > 1 {
				return inner.Run(engine.From(ctx), engine.Val(n))
			}
			time.Sleep(40 * time.Second) // deaf; the second attempt's call is under way by then
			err := inner.Submit(engine.From(ctx), engine.Val(n)).Wait()
			late <- err
			return 0, err
		}}
		e := &engine.Engine{Version: "test", Grace: time.Second}
		out, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) { return outer.Submit(c, engine.Val(n)), nil }, 7)
		if err != nil || out != 7 {
			t.Errorf("%d, %v", out, err)
		}
		if err := <-late; err == nil || !strings.Contains(err.Error(), "was abandoned") {
			t.Errorf("the abandoned attempt's call: %v", err)
		}
		for key, call := range tasks(t, e, run) {
			if call.State.Name != engine.NameCompleted {
				t.Errorf("%s is %+v", key, call.State)
			}
		}
	})
}

// Who fails because a call of its own timed out has not timed out itself.
func TestOnlyTheCallWhoseTimeIsOverTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := engine.Task[int, int]{Name: "Slow", Timeout: time.Second, Func: func(ctx context.Context, n int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }}
		outer := engine.Task[int, int]{Name: "Outer", Timeout: time.Hour, Func: func(ctx context.Context, n int) (int, error) { return slow.Run(engine.From(ctx), engine.Val(n)) }}
		e := &engine.Engine{Version: "test"}
		_, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) { return outer.Submit(c, engine.Val(n)), nil }, 1)
		got := tasks(t, e, run)
		if !errors.Is(err, engine.ErrTimedOut) || run.State.Name != engine.NameFailed || got["outer"].State.Name != engine.NameFailed || got["outer/slow"].State.Name != engine.NameTimedOut {
			t.Errorf("%v: run %s, outer %s, slow %s", err, run.State.Name, got["outer"].State.Name, got["outer/slow"].State.Name)
		}
	})
}
