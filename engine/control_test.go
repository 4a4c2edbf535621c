package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Paused from outside, a run begins no more tasks; those that run go on.
func TestPauseFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &engine.MemoryHistory{}
		e := &engine.Engine{History: h, Version: "test"}
		step := engine.Task[int, int]{Name: "Step", Func: func(ctx context.Context, n int) (int, error) {
			if n == 1 {
				if _, err := h.Signal(ctx, engine.Signal{FlowRunID: engine.From(ctx).RunID(), Kind: engine.SignalPause, Message: "lunch"}); err != nil {
					t.Error(err)
				}
			}
			time.Sleep(time.Second)
			return n + 1, nil
		}}
		f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			return step.Submit(c, step.Submit(c, engine.Val(n))), nil
		}}
		begun := time.Now()
		id := make(chan string, 1)
		f.OnState = func(_ context.Context, run engine.FlowRun) {
			if run.State.Type == engine.TypePaused {
				id <- run.ID
			}
		}
		go func() {
			run := <-id
			time.Sleep(time.Hour)
			tasks, err := h.TaskRuns(t.Context(), run)
			if err != nil || tasks[0].State.Type != engine.TypeCompleted || tasks[1].State.Type != engine.TypePending {
				t.Errorf("in the pause: %+v, %v", tasks, err)
			}
			if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: run, Kind: engine.SignalResume}); err != nil {
				t.Error(err)
			}
		}()
		out, run, err := f.Start(t.Context(), e, 1, engine.Options{})
		if err != nil || out != 3 || time.Since(begun) < time.Hour {
			t.Errorf("%d, %v after %v", out, err, time.Since(begun))
		}
		// What counts is the time that it ran, not the pause.
		if d := run.Duration(time.Now()); d > time.Minute {
			t.Errorf("it ran for %v", d)
		}
	})
}

func TestAPauseEndsWhenNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, run, err := start(t, &engine.Engine{Version: "test"}, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			in, err := engine.Input[int](c, engine.Pause{Key: "well?", Timeout: time.Hour})
			return engine.Val(in), err
		}, 0)
		if !errors.Is(err, engine.ErrNeverResumed) || run.State.Type != engine.TypeFailed || time.Since(begun) != time.Hour {
			t.Errorf("%+v, %v after %v", run.State, err, time.Since(begun))
		}
	})
}

// A body that does not listen holds a cancelled run up for the grace, no longer.
func TestCancelHasAGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		deaf := engine.Task[int, int]{Name: "Deaf", Func: func(context.Context, int) (int, error) { time.Sleep(time.Hour); return 1, nil }}
		f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return deaf.Submit(c, engine.Val(n)), nil }}
		time.AfterFunc(time.Minute, func() { cancel(errors.New("enough")) })
		e, begun := &engine.Engine{Version: "test", Grace: 30 * time.Second}, time.Now()
		_, run, err := f.Start(ctx, e, 1, engine.Options{})
		if took := time.Since(begun); err == nil || run.State.Type != engine.TypeCancelled || took < 89*time.Second || took > 91*time.Second {
			t.Errorf("%+v, %v after %v", run.State, err, took)
		}
		time.Sleep(2 * time.Hour)
	})
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

// An execution of a run that waits for its time waits for it, and can be cancelled
// meanwhile.
func TestExecuteWaitsForTheRunsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &engine.MemoryHistory{}
		e := &engine.Engine{History: h, Version: "test"}
		f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return engine.Val(n), nil }}
		for _, cancelled := range []bool{false, true} {
			run, err := f.NewRun(e, []byte("5"), engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			run.State = engine.State{Type: engine.TypeScheduled, Name: engine.NameScheduled, Time: run.Created}
			run.NextStart = run.Created.Add(time.Hour)
			if _, err := h.CreateFlowRun(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			if cancelled {
				time.AfterFunc(time.Minute, func() {
					if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalCancel}); err != nil {
						t.Error(err)
					}
				})
			}
			begun := time.Now()
			done, err := f.Execute(t.Context(), e, run.ID)
			took := time.Since(begun)
			if !cancelled && (err != nil || took != time.Hour || string(done.Result) != "5") {
				t.Errorf("%+v, %v after %v", done, err, took)
			}
			if cancelled && (done.State.Type != engine.TypeCancelled || took != time.Minute) {
				t.Errorf("%+v, %v after %v", done, err, took)
			}
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
