package enginetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// A tree of runs is cancelled whose bodies do not listen: the grace passes once for all
// of them, and nothing of the tree is left as if it still ran.
func cancelledTree(t *testing.T, h engine.History) {
	deaf := task("Deaf", func(context.Context, int) (int, error) { time.Sleep(time.Hour); return 1, nil })
	nests := task("Nests", func(ctx context.Context, n int) (int, error) { return deaf.Run(engine.From(ctx), engine.Val(n)) })
	inner := flow("inner", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		nests.Submit(c, engine.Val(n))
		return deaf.Submit(c, engine.Val(n)), nil
	})
	middle := flow("middle", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		deaf.Submit(c, engine.Val(n))
		return deaf.Keyed("after").Submit(c, inner.Submit(c, engine.Val(n))), nil
	})
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		inner.Submit(c, engine.Val(n))
		time.Sleep(time.Hour) // nor does the flow listen
		return middle.Submit(c, engine.Val(n)), nil
	})
	for name, top := range map[string]engine.Flow[int, int]{"deaf": f, "nested": middle} {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(errors.New("enough")) })
		begun := time.Now()
		_, run, err := top.Start(ctx, newEngine(h), 1, engine.Options{})
		if took := time.Since(begun); err == nil || took > 66*time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
		allEnded(t, h, run.ID)
		time.Sleep(2 * time.Hour) // until the deaf wake up
		allEnded(t, h, run.ID)
	}
}

// allEnded checks that a run, its calls and its subflows are cancelled.
func allEnded(t *testing.T, h engine.History, id string) {
	t.Helper()
	run, err := h.FlowRun(t.Context(), id)
	if err != nil || run.State.Type != engine.TypeCancelled {
		t.Errorf("the run of %s is left %s, %v", run.Flow, run.State.Name, err)
	}
	calls, err := h.TaskRuns(t.Context(), id)
	if err != nil {
		t.Error(err)
	}
	for _, c := range calls {
		if c.State.Type != engine.TypeCancelled {
			t.Errorf("the call %s of %s is left %s", c.Key, run.Flow, c.State.Name)
		}
		if c.SubflowID != "" {
			allEnded(t, h, c.SubflowID)
		}
	}
}

// A flow runs out of time that may be tried again: it has not failed yet.
func timedOutRetried(t *testing.T, h engine.History) {
	attempts := 0
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		if attempts++; attempts == 1 {
			<-c.Context().Done()
			return nil, c.Context().Err()
		}
		return engine.Val(n), nil
	})
	f.Timeout, f.Retry = time.Minute, engine.Retry{Max: 1, Delay: time.Hour}
	begun := time.Now()
	out, run, err := f.Start(t.Context(), newEngine(h), 5, engine.Options{})
	if took := time.Since(begun); err != nil || out != 5 || took != 61*time.Minute {
		t.Errorf("%d, %v after %v", out, err, took)
	}
	wantStates(t, h, run.ID, "", "Pending Running AwaitingRetry Retrying Completed")
}
