package engine_test

import (
	"context"
	"errors"
	"fmt"
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

// A pause holds what is below the run, too.
func TestAPauseHoldsSubflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &engine.MemoryHistory{}
		signal := func(id string, kind engine.SignalKind) {
			if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: id, Kind: kind}); err != nil {
				t.Error(err)
			}
		}
		var steps atomic.Int64
		step := engine.Task[int, int]{Name: "Step", Func: func(_ context.Context, n int) (int, error) { time.Sleep(time.Minute); steps.Add(1); return n + 1, nil }}
		inner := engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			return step.Submit(c, step.Submit(c, step.Submit(c, engine.Val(n)))), nil
		}}
		begun := time.Now()
		out, _, err := start(t, &engine.Engine{History: h, Version: "test"}, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			time.AfterFunc(90*time.Second, func() { signal(c.RunID(), engine.SignalPause) })
			time.AfterFunc(time.Hour, func() {
				if n := steps.Load(); n != 2 {
					t.Errorf("%d steps were made in the pause", n)
				}
				signal(c.RunID(), engine.SignalResume)
			})
			return inner.Submit(c, engine.Val(n)), nil
		}, 0)
		if took := time.Since(begun); err != nil || out != 3 || took != time.Hour+time.Minute {
			t.Errorf("%d, %v after %v", out, err, took)
		}
	})
}

// Two questions without a key are two, and the answer to the first is none to the second.
func TestEachPauseWaitsForItsOwnInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &engine.MemoryHistory{}
		asked := 0
		f := engine.Flow[int, []int]{Name: "flow", Func: func(c *engine.Ctx, _ int) (engine.Arg[[]int], error) {
			first, err := engine.Input[int](c, engine.Pause{})
			if err != nil {
				return nil, err
			}
			second, err := engine.Input[int](c, engine.Pause{})
			return engine.Val([]int{first, second}), err
		}, OnState: func(ctx context.Context, run engine.FlowRun) {
			if run.State.Type != engine.TypePaused {
				return
			}
			asked++
			if _, err := h.Signal(ctx, engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Key: run.Waiting.Key, Input: fmt.Appendf(nil, "%d", 10*asked)}); err != nil {
				t.Error(err)
			}
		}}
		out, _, err := f.Start(t.Context(), &engine.Engine{History: h, Version: "test"}, 0, engine.Options{})
		if err != nil || fmt.Sprint(out) != "[10 20]" || asked != 2 {
			t.Errorf("%v, %v after %d questions", out, err, asked)
		}
	})
}
