package enginetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// 9. A run that starts late, is retried and resumed forgets when it was due.
func expectedStart(t *testing.T, h engine.History) {
	due := now().Add(-48 * time.Hour)
	var seen []time.Time
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		seen = append(seen, c.ExpectedStart())
		if len(seen) < 3 {
			return nil, errors.New("not yet")
		}
		return engine.Val(n), nil
	})
	f.Retry = engine.Retry{Max: 1, Delay: time.Hour}
	e := newEngine(h)
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{ExpectedStart: due})
	if err == nil {
		t.Fatal("the run completed")
	}
	if run, err = f.Execute(t.Context(), e, run.ID); err != nil || !run.ExpectedStart.Equal(due) || len(seen) != 3 {
		t.Errorf("%+v, %v after %d attempts", run, err, len(seen))
	}
	for _, at := range seen {
		if !at.Equal(due) {
			t.Errorf("the flow saw %v, want %v", at, due)
		}
	}
}

// 10. A run that is carried out again waits again for input that it had.
func pauseOnce(t *testing.T, h engine.History) {
	type approval struct {
		Yes bool `json:"yes" required:"true"`
	}
	broken := true
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[bool], error) {
		in, err := engine.Input[approval](c, engine.Pause{Key: "approve", Message: "stage it?", Timeout: time.Hour})
		if err == nil && broken {
			err = errors.New("broken")
		}
		return engine.Val(in.Yes), err
	})
	e := newEngine(h)
	go answer(t, h, `{"yes":true}`)
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{})
	if err == nil || err.Error() != "broken" {
		t.Fatalf("Start = %v", err)
	}
	broken = false
	out, run, err := f.Resume(t.Context(), e, run.ID)
	if err != nil || !out {
		t.Errorf("%v, %v", out, err)
	}
	wantStates(t, h, run.ID, "", "Pending Running Paused Running Failed Resuming Retrying Completed")
}

// answer gives the newest run that is paused what it waits for, after something
// that it does not want.
func answer(t *testing.T, h engine.History, input string) {
	for {
		time.Sleep(time.Second)
		for _, run := range all(t, h) {
			if run.State.Type != engine.TypePaused {
				continue
			}
			var wrong *engine.ParameterError
			if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(`{"yes":3}`)}); !errors.As(err, &wrong) || wrong.Parameter != "yes" {
				t.Errorf("a wrong input: %v", err)
			}
			if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(input)}); err != nil {
				t.Error(err)
			}
			return
		}
	}
}

// all returns the runs at the top.
func all(t *testing.T, h engine.History) []engine.FlowRun {
	t.Helper()
	runs, err := h.(interface {
		List(ctx context.Context, flow string, limit int) ([]engine.FlowRun, error)
	}).List(t.Context(), "", 100)
	if err != nil {
		t.Error(err)
	}
	return runs
}

// 11. Two states of one run bear the same time, or an earlier one.
func timesIncrease(t *testing.T, h engine.History) {
	e := newEngine(h)
	still := now()
	e.Clock = func() time.Time { still = still.Add(-time.Second); return still } // runs backwards
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return task("One", func(_ context.Context, n int) (int, error) { return n, nil }).Submit(c, engine.Val(n)), nil
	})
	f.Concurrency = 1
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantStates(t, h, run.ID, "", "Pending Running Completed")
	wantStates(t, h, run.ID, "one", "Pending Running Completed")
}

// witness looks when it is told.
type witness struct{ taskRun func(engine.TaskRun) }

func (w *witness) FlowRun(engine.FlowRun)   {}
func (w *witness) TaskRun(t engine.TaskRun) { w.taskRun(t) }
func (w *witness) Progress(engine.Progress) {}
func (w *witness) Log(engine.LogLine)       {}

// 12. The parent's call of a subflow has ended before the subflow's run, and what
// it made, can be read.
func subflowResult(t *testing.T, h engine.History) {
	inner := flow("inner", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return task("Make", func(_ context.Context, n int) (int, error) { return n + 1, nil }).Submit(c, engine.Val(n)), nil
	})
	outer := flow("outer", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return inner.Submit(c, engine.Val(n)), nil })
	e, looked := newEngine(h), false
	e.Observer = &witness{func(call engine.TaskRun) {
		if call.Kind != engine.KindSubflow || !call.State.Type.Final() {
			return
		}
		looked = true
		sub, err := h.FlowRun(t.Context(), call.SubflowID)
		if err != nil || sub.State.Type != engine.TypeCompleted {
			t.Errorf("the subflow is %v, %v", sub.State, err)
		}
		calls, err := h.TaskRuns(t.Context(), sub.ID)
		if err != nil || len(calls) != 1 || calls[0].Result == nil {
			t.Errorf("its calls are %+v, %v", calls, err)
		} else if data, err := h.ReadResult(t.Context(), *calls[0].Result); err != nil || string(data) != "2" {
			t.Errorf("its result is %s, %v", data, err)
		}
	}}
	if out, _, err := outer.Start(t.Context(), e, 1, engine.Options{}); err != nil || out != 2 || !looked {
		t.Errorf("%d, %v; looked %v", out, err, looked)
	}
}

// 13. What a run works on changes under it.
func parametersStay(t *testing.T, h engine.History) {
	type params struct {
		Trials int    `json:"trials" default:"10" min:"1" max:"1000"`
		Taxi   string `json:"taxi,omitempty" default:"green" enum:"green,yellow"`
	}
	fail := true
	var seen []params
	f := engine.Flow[params, int]{Name: "flow", Func: func(c *engine.Ctx, p params) (engine.Arg[int], error) {
		seen = append(seen, p)
		if fail {
			return nil, errors.New("not yet")
		}
		return engine.Val(p.Trials), nil
	}}
	e := newEngine(h)
	_, run, _ := f.Start(t.Context(), e, params{Trials: 3}, engine.Options{})
	fail = false
	if out, _, err := f.Resume(t.Context(), e, run.ID); err != nil || out != 3 || !slices.Equal(seen, []params{{3, "green"}, {3, "green"}}) {
		t.Errorf("%d, %v; the flow saw %+v", out, err, seen)
	}
	_, run, err := f.Start(t.Context(), e, params{Trials: 3000}, engine.Options{})
	var wrong *engine.ParameterError
	if !errors.As(err, &wrong) || err.Error() != "parameter trials: want an integer from 1 to 1000, not 3000" || len(seen) != 2 {
		t.Errorf("an invalid run: %v after %d bodies", err, len(seen))
	}
	wantStates(t, h, run.ID, "", "Failed")
}

// 14. What depends on a failure waits for ever.
func upstreamFailed(t *testing.T, h engine.History) {
	bad := task("Bad", func(context.Context, int) (int, error) { return 0, errors.New("gone") })
	next := task("Next", func(_ context.Context, n int) (int, error) { return n, nil })
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		first := bad.Submit(c, engine.Val(n))
		other := next.Keyed("order").Submit(c, engine.Val(1), first)
		_ = other.Wait()
		return next.Keyed("data").Submit(c, first), nil
	})
	_, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if err == nil || err.Error() != "gone" || run.State.Type != engine.TypeFailed {
		t.Errorf("%v, %v", run.State, err)
	}
	tasks, err := h.TaskRuns(t.Context(), run.ID)
	for _, call := range tasks[1:] {
		if call.State.Name != engine.NameUpstreamFailed || call.State.Message != "Bad did not complete" {
			t.Errorf("%s is %+v", call.Key, call.State)
		}
	}
	if err != nil || len(tasks) != 3 || !slices.Equal(tasks[1].After, []string{"bad"}) || !slices.Equal(tasks[2].DependsOn, []string{"bad"}) {
		t.Errorf("%+v, %v", tasks, err)
	}
}

// 15. A run is deleted while it runs, and its tasks run on.
func deleting(t *testing.T, h engine.History) {
	var owned *engine.OwnedError
	var top string
	stuck := task("Stuck", func(ctx context.Context, n int) (int, error) {
		id := engine.From(ctx).RunID()
		if err := h.DeleteFlowRun(ctx, top); !errors.As(err, &owned) {
			t.Errorf("deleting a running flow = %v", err)
		}
		_, err := h.Signal(ctx, engine.Signal{FlowRunID: id, Kind: engine.SignalCancel})
		<-ctx.Done()
		return n, err
	})
	inner := flow("inner", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return stuck.Submit(c, engine.Val(n)), nil })
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		top = c.RunID()
		return inner.Submit(c, engine.Val(n)), nil
	})
	_, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if run.State.Type != engine.TypeFailed && run.State.Type != engine.TypeCancelled {
		t.Errorf("%v, %v", run.State, err)
	}
	sub, err := h.Subflow(t.Context(), run.ID, "inner")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteFlowRun(t.Context(), sub.ID); err == nil {
		t.Error("a part of a run was deleted")
	}
	if err := h.DeleteFlowRun(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{run.ID, sub.ID} {
		if _, err := h.FlowRun(t.Context(), id); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the deleted run: %v", err)
		}
		if tasks, err := h.TaskRuns(t.Context(), id); err != nil || len(tasks) != 0 {
			t.Errorf("the deleted run's tasks: %+v, %v", tasks, err)
		}
	}
}
