package history

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Two stores in one directory are two processes as far as any of this goes: each
// has an owner's lock of its own.

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("waited long for %s", what)
		}
	}
}

// newest returns the newest run when it is in a state of the type.
func newest(t *testing.T, s *Store, want engine.StateType) (run engine.FlowRun) {
	t.Helper()
	until(t, "a run that is "+string(want), func() bool {
		runs, err := s.List(t.Context(), "", 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(runs) == 1 {
			run = runs[0]
		}
		return run.State.Type == want
	})
	return run
}

func TestCancelFromAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := open(t, dir), open(t, dir)
	wait := engine.Task[int, int]{Name: "Wait", Func: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }}
	inner := engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return wait.Submit(c, engine.Val(n)), nil }}
	outer := engine.Flow[int, int]{Name: "outer", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return inner.Submit(c, inner.Submit(c, engine.Val(n))), nil
	}}
	var wg sync.WaitGroup
	wg.Go(func() {
		_, run, err := outer.Start(t.Context(), &engine.Engine{History: theirs, Version: "v1"}, 1, engine.Options{})
		if !errors.Is(err, engine.ErrCancelled) || run.State.Type != engine.TypeCancelled {
			t.Errorf("%+v, %v", run.State, err)
		}
	})
	run := newest(t, mine, engine.TypeRunning)
	until(t, "the task", func() bool {
		sub, err := mine.Subflow(t.Context(), run.ID, "inner")
		if err != nil {
			return false
		}
		tasks, err := mine.TaskRuns(t.Context(), sub.ID)
		return err == nil && len(tasks) == 1 && tasks[0].State.Type == engine.TypeRunning
	})
	asked, err := mine.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalCancel, Message: "not now"})
	if err != nil || asked.State.Type != engine.TypeCancelling {
		t.Errorf("asked to cancel: %+v, %v", asked.State, err)
	}
	wg.Wait()
	tasks, err := mine.TaskRuns(t.Context(), run.ID)
	if err != nil || tasks[0].State.Type != engine.TypeCancelled || tasks[1].State.Type != engine.TypeCancelled {
		t.Errorf("tasks %+v, %v", tasks, err)
	}
	sub, err := mine.Subflow(t.Context(), run.ID, "inner")
	if err != nil || sub.State.Type != engine.TypeCancelled {
		t.Errorf("subflow %+v, %v", sub.State, err)
	}
	var refused *engine.TransitionError
	if _, err := mine.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalCancel}); !errors.As(err, &refused) {
		t.Errorf("cancelling what has ended = %v", err)
	}
}

// What nobody carries out is cancelled at once.
func TestCancelOfADeadRun(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := open(t, dir), open(t, dir)
	begun := make(chan bool)
	ctx, stop := context.WithCancel(t.Context())
	stuck := engine.Flow[int, int]{Name: "stuck", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		engine.Task[int, int]{Name: "Stuck", Func: func(context.Context, int) (int, error) { close(begun); <-ctx.Done(); return 0, nil }}.Submit(c, engine.Val(1))
		return engine.Val(n), nil
	}}
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _, err := stuck.Start(context.Background(), &engine.Engine{History: theirs, Version: "v1"}, 1, engine.Options{})
		if !errors.Is(err, engine.ErrSuperseded) {
			t.Errorf("the dead wrote: %v", err)
		}
	})
	<-begun
	until(t, "the start of the task", func() bool {
		tasks, err := mine.TaskRuns(t.Context(), newest(t, mine, engine.TypeRunning).ID)
		return err == nil && len(tasks) == 1
	})
	if err := theirs.owner.release(); err != nil { // as if it were gone
		t.Fatal(err)
	}
	run := newest(t, mine, engine.TypeRunning)
	asked, err := mine.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalCancel})
	if err != nil || asked.State.Type != engine.TypeCancelled {
		t.Errorf("%+v, %v", asked.State, err)
	}
	if tasks, err := mine.TaskRuns(t.Context(), run.ID); err != nil || tasks[0].State.Type != engine.TypeCancelled {
		t.Errorf("%+v, %v", tasks, err)
	}
	stop()
	wg.Wait()
}

// A run that its flow puts off keeps what it did, and when it was due.
func TestReschedule(t *testing.T) {
	s := open(t, t.TempDir())
	published := false
	var looks atomic.Int64
	look := engine.Task[int, int]{Name: "Look", Func: func(_ context.Context, n int) (int, error) { looks.Add(1); return n, nil }}
	due := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
	f := engine.Flow[int, int]{Name: "waits", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		first := look.Submit(c, engine.Val(n))
		if !published {
			return nil, &engine.Reschedule{At: time.Now().Add(50 * time.Millisecond), State: engine.NameAwaitingData, Reason: "2021-03 is not published"}
		}
		return first, nil
	}}
	e := &engine.Engine{History: s, Version: "v1"}
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{ExpectedStart: due})
	var later *engine.Reschedule
	if !errors.As(err, &later) || run.State.Type != engine.TypeScheduled || run.State.Name != engine.NameAwaitingData || run.State.Message != "2021-03 is not published" {
		t.Fatalf("%+v, %v", run.State, err)
	}
	if reaped, err := s.Reap(t.Context()); err != nil || len(reaped) != 0 {
		t.Errorf("Reap took it: %+v, %v", reaped, err)
	}
	published = true
	run, err = f.Execute(t.Context(), e, run.ID)
	if err != nil || run.State.Type != engine.TypeCompleted || !run.ExpectedStart.Equal(due) || looks.Load() != 1 || run.Recoveries != 0 {
		t.Errorf("%+v, %v after %d looks", run, err, looks.Load())
	}
	if began := run.State.Time; began.Before(later.At) {
		t.Errorf("it went on at %v, before %v", began, later.At)
	}
	states, err := s.States(t.Context(), run.ID, "")
	var names []string
	for _, st := range states {
		names = append(names, st.Name)
	}
	if want := "Pending Running AwaitingData Resuming Retrying Completed"; err != nil || strings.Join(names, " ") != want {
		t.Errorf("%v, %v; want %s", names, err, want)
	}
}

// A run that brings its process down goes on by itself three times, and then only
// when somebody asks for it.
func TestRecoveriesEnd(t *testing.T) {
	dir := t.TempDir()
	var bodies atomic.Int64
	release := make(chan struct{})
	f := engine.Flow[int, int]{Name: "fatal", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		if bodies.Add(1) <= 4 {
			<-release
		}
		return engine.Val(n), nil
	}}
	var wg sync.WaitGroup
	id := ""
	for i := range 4 { // each process is gone while it runs the flow
		s := open(t, dir)
		e := &engine.Engine{History: s, Version: "v1"}
		wg.Go(func() {
			if i == 0 {
				_, _, _ = f.Start(context.Background(), e, 1, engine.Options{}) // superseded
				return
			}
			reaped, err := s.Reap(context.Background())
			if err != nil || len(reaped) != 1 || reaped[0].Recoveries != i-1 {
				t.Errorf("%d: %+v, %v", i, reaped, err)
			}
			_ = engine.Recover(context.Background(), e, reaped, f) // superseded
		})
		until(t, "the body", func() bool { return bodies.Load() == int64(i+1) })
		id = newest(t, s, engine.TypeRunning).ID
		if err := s.owner.release(); err != nil {
			t.Fatal(err)
		}
	}
	last := open(t, dir)
	e := &engine.Engine{History: last, Version: "v1"}
	reaped, err := last.Reap(t.Context())
	if err != nil || len(reaped) != 1 || reaped[0].Recoveries != engine.MaxRecoveries {
		t.Fatalf("%+v, %v", reaped, err)
	}
	if err := engine.Recover(t.Context(), e, reaped, f); err != nil || bodies.Load() != 4 {
		t.Errorf("%v after %d bodies", err, bodies.Load())
	}
	if _, run, err := f.Resume(t.Context(), e, id); err != nil || run.Recoveries != 0 || bodies.Load() != 5 {
		t.Errorf("asked for: %+v, %v after %d bodies", run, err, bodies.Load())
	}
	close(release)
	wg.Wait()
}
