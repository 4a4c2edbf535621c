package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

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

// meddler is a history that cancels the run while a call is being recorded.
type meddler struct {
	engine.MemoryHistory
	when   string
	cancel context.CancelFunc
}

func (m *meddler) PutTaskRun(ctx context.Context, put engine.TaskPut) error {
	if put.Task.State.Name == m.when {
		m.cancel()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.MemoryHistory.PutTaskRun(ctx, put)
}

func TestCancelWhileACallIsRecorded(t *testing.T) {
	for _, when := range []string{engine.NameRunning, engine.NameCompleted} {
		ctx, cancel := context.WithCancel(t.Context())
		e := &engine.Engine{History: &meddler{when: when, cancel: cancel}}
		flow := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			var runs atomic.Int64
			return double(&runs).Keyed("2").Submit(c, double(&runs).Keyed("1").Submit(c, engine.Val(n))), nil
		}}
		_, run, err := flow.Start(ctx, e, 1, engine.Options{})
		if err == nil || run.State.Type != engine.TypeCancelled {
			t.Errorf("cancelled as a call is %s: %v, %v", when, run.State, err)
		}
		got := tasks(t, e, run)
		if when == engine.NameCompleted && got["double[1]"].State.Name != when {
			t.Errorf("a finished call ended %v", got["double[1]"].State)
		}
		for key, task := range got {
			if !task.State.Type.Final() {
				t.Errorf("cancelled as a call is %s: %s was left %v", when, key, task.State)
			}
		}
	}
}

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
