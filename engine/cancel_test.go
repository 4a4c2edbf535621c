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

func TestCancel(t *testing.T) {
	stop := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	e := &engine.Engine{}
	flow := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
		f := engine.Task[int, int]{Name: "Wait", Retry: engine.Retry{Max: 9}, Func: func(ctx context.Context, _ int) (int, error) {
			cancel(stop)
			<-ctx.Done()
			return 0, ctx.Err()
		}}.Submit(c, engine.Val(0))
		return engine.Task[int, int]{Name: "After", Func: func(context.Context, int) (int, error) { return 1, nil }}.Submit(c, f), nil
	}}
	_, run, err := flow.Start(ctx, e, 0, engine.Options{})
	if !errors.Is(err, stop) || run.State.Type != engine.TypeCancelled {
		t.Errorf("run %v, err %v", run.State, err)
	}
	got := tasks(t, e, run)
	if got["wait"].State.Type != engine.TypeCancelled || got["wait"].Attempts != 1 || !got["after"].State.Type.Final() {
		t.Errorf("tasks: %+v", got)
	}
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
