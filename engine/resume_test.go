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

// brokenAtTheEnd is a flow that doubles its input three times, two of them in a
// subflow, and adds one, which fails while it is broken. runs and late count the
// bodies that ran.
func brokenAtTheEnd(runs, late *atomic.Int64, broken *atomic.Bool) engine.Flow[int, int] {
	inner := engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return double(runs).Submit(c, double(runs).Submit(c, engine.Val(n))), nil
	}}
	return engine.Flow[int, int]{Name: "outer", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		sub := inner.Submit(c, double(runs).Submit(c, engine.Val(n)))
		return engine.Task[int, int]{Name: "Late", Func: func(_ context.Context, n int) (int, error) {
			late.Add(1)
			if broken.Load() {
				return 0, errors.New("not yet")
			}
			return n + 1, nil
		}}.Submit(c, sub), nil
	}}
}

func TestResumeRunsOnlyWhatIsLeft(t *testing.T) {
	var runs, late atomic.Int64
	var broken atomic.Bool
	broken.Store(true)
	flow := brokenAtTheEnd(&runs, &late, &broken)
	e := &engine.Engine{}
	_, run, err := flow.Start(t.Context(), e, 1, engine.Options{})
	if err == nil {
		t.Fatal("the broken run completed")
	}
	broken.Store(false)
	out, again, err := flow.Resume(t.Context(), e, run.ID)
	if err != nil || out != 9 || again.ID != run.ID {
		t.Fatalf("resumed = %d, %v", out, err)
	}
	if runs.Load() != 3 || late.Load() != 2 {
		t.Errorf("double ran %d times, late %d; want 3 and 2", runs.Load(), late.Load())
	}
	got := tasks(t, e, again)
	if got["late"].Attempts != 2 || got["double"].Attempts != 1 || got["inner"].Attempts != 1 {
		t.Errorf("attempts: late %d, double %d, inner %d", got["late"].Attempts, got["double"].Attempts, got["inner"].Attempts)
	}
	if out, _, err := flow.Resume(t.Context(), e, run.ID); err != nil || out != 9 || late.Load() != 2 {
		t.Errorf("resuming a completed run = %d, %v, late ran %d times", out, err, late.Load())
	}
}

// A run that failed at its end is resumed, interrupted before it comes to
// anything, and resumed again: what had completed is still not run again.
func TestInterruptedResumeKeepsWhatCompleted(t *testing.T) {
	var runs, late atomic.Int64
	var broken atomic.Bool
	broken.Store(true)
	flow := brokenAtTheEnd(&runs, &late, &broken)
	e := &engine.Engine{}
	_, run, err := flow.Start(t.Context(), e, 1, engine.Options{})
	if err == nil {
		t.Fatal("the broken run completed")
	}
	stopped, stop := context.WithCancelCause(t.Context())
	stop(errors.New("interrupted by the user"))
	if _, again, err := flow.Resume(stopped, e, run.ID); err == nil || again.State.Type != engine.TypeCancelled {
		t.Fatalf("the interrupted resume = %v, %v", again.State, err)
	}
	broken.Store(false)
	out, again, err := flow.Resume(t.Context(), e, run.ID)
	if err != nil || out != 9 || runs.Load() != 3 {
		t.Errorf("resumed = %d, %v; double ran %d times, want 3", out, err, runs.Load())
	}
	got := tasks(t, e, again)
	if got["late"].Attempts != 2 || got["double"].Attempts != 1 || got["inner"].Attempts != 1 {
		t.Errorf("attempts: late %d, double %d, inner %d; want 2, 1, 1", got["late"].Attempts, got["double"].Attempts, got["inner"].Attempts)
	}
}

func TestOneRunForAnIdempotencyKey(t *testing.T) {
	var bodies atomic.Int64
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { bodies.Add(1); return engine.Val(n), nil }}
	e := &engine.Engine{}
	first, run, err := f.Start(t.Context(), e, 1, engine.Options{IdempotencyKey: "monday"})
	if err != nil {
		t.Fatal(err)
	}
	second, again, err := f.Start(t.Context(), e, 2, engine.Options{IdempotencyKey: "monday"})
	if err != nil || again.ID != run.ID || second != first || bodies.Load() != 1 {
		t.Errorf("%d in run %s after %d bodies, %v; want %d in %s", second, again.ID, bodies.Load(), err, first, run.ID)
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
