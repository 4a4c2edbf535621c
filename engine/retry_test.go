package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
)

func TestRetries(t *testing.T) {
	fault := errors.New("no answer")
	for _, test := range []struct {
		name     string
		failures int64
		retry    engine.Retry
		attempts int
		state    string
	}{
		{"third time", 2, engine.Retry{Max: 3, Delay: time.Second, Backoff: 2}, 3, "Completed"},
		{"never", 9, engine.Retry{Max: 3, Delay: time.Second}, 4, "Failed"},
		{"not worth it", 9, engine.Retry{Max: 3, If: func(error) bool { return false }}, 1, "Failed"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			e := &engine.Engine{Version: "test"}
			begun := time.Now()
			_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
				return engine.Task[int, int]{Name: "Call", Retry: test.retry, Func: func(context.Context, int) (int, error) {
					if n.Add(1) <= test.failures {
						return 0, fault
					}
					return 1, nil
				}}.Submit(c, engine.Val(0)), nil
			}, 0)
			task := tasks(t, e, run)["call"]
			if task.Attempts != test.attempts || task.State.Name != test.state || run.State.Name != test.state {
				t.Errorf("%s: %d attempts, task %s, run %s", test.name, task.Attempts, task.State.Name, run.State.Name)
			}
			if (err == nil) != (test.state == "Completed") || err != nil && !errors.Is(err, fault) {
				t.Errorf("%s: err = %v", test.name, err)
			}
			if test.name == "third time" && time.Since(begun) != 3*time.Second {
				t.Errorf("waited %v between attempts, want 1s + 2s", time.Since(begun))
			}
		})
	}
}

func TestPermanentErrorsAndPanicsAreNotRetried(t *testing.T) {
	for name, body := range map[string]func(context.Context, int) (int, error){
		"permanent": func(context.Context, int) (int, error) { return 0, engine.Permanent(errors.New("broken for good")) },
		"panic":     func(context.Context, int) (int, error) { panic("broken for good") },
	} {
		e := &engine.Engine{}
		_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			return engine.Task[int, int]{Name: "Call", Retry: engine.Retry{Max: 5}, Func: body}.Submit(c, engine.Val(0)), nil
		}, 0)
		if task := tasks(t, e, run)["call"]; task.Attempts != 1 || err == nil || !strings.Contains(err.Error(), "broken for good") {
			t.Errorf("%s: %d attempts, %v", name, task.Attempts, err)
		}
	}
}

func TestDelaysAndJitter(t *testing.T) {
	for _, test := range []struct {
		retry    engine.Retry
		min, max time.Duration
	}{
		{engine.Retry{Max: 4, Delays: []time.Duration{time.Second, 10 * time.Second}}, 31 * time.Second, 31 * time.Second},
		{engine.Retry{Max: 4, Delay: time.Second, Backoff: 2}, 15 * time.Second, 15 * time.Second},
		{engine.Retry{Max: 4, Delay: 10 * time.Second, Jitter: 0.5}, 20 * time.Second, 60 * time.Second},
		{engine.Retry{Max: 4, Delay: time.Second, Backoff: 10, MaxDelay: 20 * time.Second}, 51 * time.Second, 51 * time.Second},
		{engine.Retry{Max: 2, Delay: 48 * time.Hour, Backoff: 2}, 96 * time.Hour, 96 * time.Hour},
		{engine.Retry{Max: 1100, Backoff: 2}, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			bad := engine.Task[int, int]{Name: "Bad", Retry: test.retry, Func: func(context.Context, int) (int, error) { return 0, errors.New("no") }}
			_, _, err := start(t, &engine.Engine{Version: "test"}, func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return bad.Submit(c, engine.Val(0)), nil }, 0)
			took := time.Since(begun)
			if err == nil || took < test.min || took > test.max {
				t.Errorf("%+v: waited %v", test.retry, took)
			}
			if test.retry.Jitter > 0 && took%time.Second == 0 {
				t.Errorf("%+v: waited %v, to the second", test.retry, took)
			}
		})
	}
}

func TestAPredicateThatPanicsMeansNo(t *testing.T) {
	bad := engine.Task[int, int]{Name: "Bad", Retry: engine.Retry{Max: 3, If: func(error) bool { panic("what") }},
		Func: func(context.Context, int) (int, error) { return 0, errors.New("no") }}
	e := &engine.Engine{}
	_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) { return bad.Submit(c, engine.Val(0)), nil }, 0)
	if err == nil || err.Error() != "no" || tasks(t, e, run)["bad"].Attempts != 1 {
		t.Errorf("%v after %d attempts", err, tasks(t, e, run)["bad"].Attempts)
	}
}
