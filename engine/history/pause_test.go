package history

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

type approval struct {
	Yes bool   `json:"yes" required:"true"`
	Why string `json:"why" default:"because"`
}

func asking(p engine.Pause) engine.Flow[int, string] {
	return engine.Flow[int, string]{Name: "asks", Func: func(c *engine.Ctx, n int) (engine.Arg[string], error) {
		in, err := engine.Input[approval](c, p)
		return engine.Val(in.Why), err
	}}
}

func TestPauseIsAnsweredFromAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := open(t, dir), open(t, dir)
	e := &engine.Engine{History: theirs, Version: "v1"}
	var wg sync.WaitGroup
	wg.Go(func() {
		out, run, err := asking(engine.Pause{Message: "well?"}).Start(t.Context(), e, 1, engine.Options{})
		if err != nil || out != "because" || run.State.Type != engine.TypeCompleted {
			t.Errorf("%q, %+v, %v", out, run.State, err)
		}
	})
	run := newest(t, mine, engine.TypePaused)
	if w := run.Waiting; w == nil || w.Key != "input" || w.Message != "well?" || w.Schema.Properties["yes"] == nil {
		t.Errorf("it waits for %+v", w)
	}
	var wrong *engine.ParameterError
	if _, err := mine.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume}); !errors.As(err, &wrong) || wrong.Parameter != "yes" {
		t.Errorf("an answer that says nothing: %v", err)
	}
	if _, err := mine.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(`{"yes":true}`)}); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// A run that suspends itself is nobody's, is answered, and goes on wherever
// somebody executes it.
func TestSuspend(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := open(t, dir), open(t, dir)
	f := asking(engine.Pause{Key: "approve", Suspend: true})
	_, run, err := f.Start(t.Context(), &engine.Engine{History: theirs, Version: "v1"}, 1, engine.Options{})
	if err == nil || run.State.Name != engine.NameSuspended || run.Waiting == nil {
		t.Fatalf("%+v, %v", run, err)
	}
	theirs.Close()
	if reaped, err := mine.Reap(t.Context()); err != nil || len(reaped) != 0 {
		t.Errorf("Reap took a suspended run: %+v, %v", reaped, err)
	}
	resumed, err := mine.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(`{"yes":true,"why":"it is good"}`)})
	if err != nil || resumed.State.Name != engine.NameResuming || resumed.NextStart.IsZero() {
		t.Errorf("%+v, %v", resumed, err)
	}
	run, err = f.Execute(t.Context(), &engine.Engine{History: mine, Version: "v1"}, run.ID)
	if err != nil || string(run.Result) != `"it is good"` {
		t.Errorf("%+v, %v", run, err)
	}
}

// A subflow that suspends suspends the whole, which is answered at the top.
func TestSuspendInASubflow(t *testing.T) {
	s := open(t, t.TempDir())
	var before atomic.Int64
	inner := asking(engine.Pause{Suspend: true})
	outer := engine.Flow[int, string]{Name: "outer", Func: func(c *engine.Ctx, n int) (engine.Arg[string], error) {
		first := engine.Task[int, int]{Name: "First", Func: func(_ context.Context, n int) (int, error) { before.Add(1); return n, nil }}
		return inner.Submit(c, first.Submit(c, engine.Val(n))), nil
	}}
	e := &engine.Engine{History: s, Version: "v1"}
	for _, cancel := range []bool{false, true} {
		_, run, err := outer.Start(t.Context(), e, 1, engine.Options{})
		if err == nil || run.State.Name != engine.NameSuspended || run.Waiting == nil || run.Waiting.FlowRunID == run.ID {
			t.Fatalf("%+v, %v", run, err)
		}
		sub, err := s.Subflow(t.Context(), run.ID, "asks")
		if err != nil || sub.State.Name != engine.NameSuspended {
			t.Errorf("%+v, %v", sub, err)
		}
		if cancel {
			asked, err := s.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalCancel})
			below, serr := s.FlowRun(t.Context(), sub.ID)
			if err != nil || serr != nil || asked.State.Type != engine.TypeCancelled || below.State.Type != engine.TypeCancelled {
				t.Errorf("%+v, %+v, %v, %v", asked.State, below.State, err, serr)
			}
			continue
		}
		if _, err := s.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(`{"yes":true,"why":"so"}`)}); err != nil {
			t.Fatal(err)
		}
		run, err = outer.Execute(t.Context(), e, run.ID)
		if err != nil || string(run.Result) != `"so"` || before.Load() != 1 {
			t.Errorf("%+v, %v after %d", run, err, before.Load())
		}
	}
}
