package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
)

func TestFuturesAreArguments(t *testing.T) {
	var runs atomic.Int64
	e := &engine.Engine{}
	out, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		a := double(&runs).Submit(c, engine.Val(n))
		b := double(&runs).Submit(c, a)
		return double(&runs).Keyed("sum").Submit(c, engine.Join2(a, b, func(a, b int) int { return a + b })), nil
	}, 1)
	if err != nil || out != 12 {
		t.Fatalf("flow = %d, %v; want 12", out, err)
	}
	if run.State.Name != engine.NameCompleted || string(run.Result) != "12" {
		t.Errorf("run = %+v", run)
	}
	got := tasks(t, e, run)
	if deps := fmt.Sprint(got["double[sum]"].DependsOn); deps != "[double double#1]" {
		t.Errorf("double[sum] depends on %s (calls: %v)", deps, got)
	}
}

func TestIndependentTasksOverlap(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	meet := engine.Task[int, int]{Name: "Meet", Timeout: 5 * time.Minute, Func: func(_ context.Context, n int) (int, error) {
		both.Done()
		both.Wait() // returns only when the other body runs too
		return n, nil
	}}
	out, _, err := start(t, &engine.Engine{}, func(c *engine.Ctx, _ int) (engine.Arg[[]int], error) {
		return engine.List[int](meet.Submit(c, engine.Val(1)), meet.Submit(c, engine.Val(2))), nil
	}, 0)
	if err != nil || fmt.Sprint(out) != "[1 2]" {
		t.Errorf("flow = %v, %v", out, err)
	}
}

func TestDownstreamOfAFailureEnds(t *testing.T) {
	var runs atomic.Int64
	fault := errors.New("gone")
	e := &engine.Engine{}
	_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
		bad := engine.Task[int, int]{Name: "Bad", Func: func(context.Context, int) (int, error) { return 0, fault }}.Submit(c, engine.Val(0))
		return double(&runs).Submit(c, bad), nil
	}, 0)
	if !errors.Is(err, fault) || err.Error() != "gone" {
		t.Errorf("err = %v", err)
	}
	got := tasks(t, e, run)
	if got["double"].State.Name != engine.NameUpstreamFailed || runs.Load() != 0 {
		t.Errorf("double = %+v, %d runs", got["double"].State, runs.Load())
	}
	if run.State.Type != engine.TypeFailed {
		t.Errorf("run = %+v", run.State)
	}
}

func TestAFailureNobodySawFailsTheFlow(t *testing.T) {
	bad := engine.Task[int, int]{Name: "Bad", Func: func(context.Context, int) (int, error) { return 0, errors.New("gone") }}
	for name, look := range map[string]bool{"unseen": false, "seen": true} {
		_, run, err := start(t, &engine.Engine{}, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			f := bad.Submit(c, engine.Val(0))
			if look {
				_ = f.Wait()
			}
			return engine.Val(1), nil
		}, 0)
		if (err == nil) != look || (run.State.Type == engine.TypeCompleted) != look {
			t.Errorf("%s: %v, %v", name, err, run.State)
		}
	}
}

func TestGetWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := engine.Task[int, int]{Name: "Slow", Func: func(_ context.Context, n int) (int, error) { time.Sleep(time.Hour); return n, nil }}
		out, _, err := start(t, &engine.Engine{Version: "test"}, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			ctx, cancel := context.WithTimeout(c.Context(), time.Second)
			defer cancel()
			begun, f := time.Now(), slow.Submit(c, engine.Val(n))
			if _, err := f.Get(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
			return f, nil // it goes on
		}, 3)
		if err != nil || out != 3 {
			t.Errorf("%d, %v", out, err)
		}
	})
}

// A goroutine that a body leaves behind adds nothing to a run that has ended.
func TestCallsThatComeTooLateAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		late := make(chan error, 2)
		work := double(&runs)
		inner := engine.Flow[int, int]{Name: "inner", Func: func(*engine.Ctx, int) (engine.Arg[int], error) { runs.Add(1); return engine.Val(1), nil }}
		e := &engine.Engine{Version: "test"}
		_, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			go func() {
				time.Sleep(time.Hour)
				late <- work.Submit(c, engine.Val(n)).Wait()
				_, err := inner.Run(c, engine.Val(n))
				late <- err
			}()
			return engine.Val(n), nil
		}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-late; err == nil || !strings.Contains(err.Error(), "the body that makes the call has ended") {
				t.Errorf("a late call: %v", err)
			}
		}
		if got := tasks(t, e, run); len(got) != 0 || runs.Load() != 0 {
			t.Errorf("%v, %d bodies", got, runs.Load())
		}
	})
}
