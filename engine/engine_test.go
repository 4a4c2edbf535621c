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

// double is a task that counts how often its body runs.
func double(runs *atomic.Int64) engine.Task[int, int] {
	return engine.Task[int, int]{Name: "Double", Func: func(_ context.Context, n int) (int, error) {
		runs.Add(1)
		return 2 * n, nil
	}}
}

func start[I, O any](t *testing.T, e *engine.Engine, body func(*engine.Ctx, I) (engine.Arg[O], error), in I) (O, engine.FlowRun, error) {
	t.Helper()
	f := engine.Flow[I, O]{Name: "flow", Func: body}
	return f.Start(t.Context(), e, in, engine.Options{})
}

func tasks(t *testing.T, e *engine.Engine, run engine.FlowRun) map[string]engine.TaskRun {
	t.Helper()
	list, err := e.History.TaskRuns(t.Context(), run.ID)
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]engine.TaskRun{}
	for _, task := range list {
		byKey[task.Key] = task
	}
	return byKey
}

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
	meet := engine.Task[int, int]{Name: "Meet", Timeout: 10 * time.Second, Func: func(_ context.Context, n int) (int, error) {
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

func TestTimeoutDiscardsTheLateResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine.Engine{Version: "test"}
		_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			return engine.Task[int, int]{Name: "Slow", Timeout: time.Second, Func: func(ctx context.Context, _ int) (int, error) {
				time.Sleep(time.Minute) // deaf to its context
				return 7, nil
			}}.Submit(c, engine.Val(0)), nil
		}, 0)
		if !errors.Is(err, engine.ErrTimedOut) {
			t.Errorf("err = %v, want ErrTimedOut", err)
		}
		time.Sleep(2 * time.Minute)
		if task := tasks(t, e, run)["slow"]; task.State.Name != engine.NameTimedOut || task.Result != nil {
			t.Errorf("task = %+v", task)
		}
	})
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

func TestCacheHitsOnContent(t *testing.T) {
	type file struct {
		SHA  string
		Path string `cache:"-"`
	}
	var runs atomic.Int64
	e := &engine.Engine{Version: "v1"}
	read := engine.Task[file, string]{Name: "Read", Cache: engine.Cache{On: true}, Func: func(_ context.Context, f file) (string, error) {
		runs.Add(1)
		return f.SHA, nil
	}}
	var first engine.FlowRun
	for i, test := range []struct {
		in      file
		version string
		refresh bool
		runs    int64
		state   string
	}{
		{file{"a", "/here"}, "v1", false, 1, "Completed"},
		{file{"a", "/there"}, "v1", false, 1, "Cached"},
		{file{"b", "/here"}, "v1", false, 2, "Completed"},
		{file{"a", "/here"}, "v2", false, 3, "Completed"},
		{file{"a", "/here"}, "v1", true, 4, "Completed"},
	} {
		e.Version = test.version
		flow := engine.Flow[file, string]{Name: "flow", Func: func(c *engine.Ctx, f file) (engine.Arg[string], error) {
			return read.Submit(c, engine.Val(f)), nil
		}}
		out, run, err := flow.Start(t.Context(), e, test.in, engine.Options{Refresh: test.refresh})
		if err != nil || out != test.in.SHA {
			t.Fatalf("%d: %q, %v", i, out, err)
		}
		task := tasks(t, e, run)["read"]
		if runs.Load() != test.runs || task.State.Name != test.state || run.State.Name != test.state {
			t.Errorf("%d: %d runs, task %s, run %s; want %d, %s", i, runs.Load(), task.State.Name, run.State.Name, test.runs, test.state)
		}
		if i == 0 {
			first = run
		}
		if i == 1 && (task.CachedFrom != first.ID || task.Attempts != 0) {
			t.Errorf("cached from %s after %d attempts, want %s and 0", task.CachedFrom, task.Attempts, first.ID)
		}
	}
}

func TestACachedSubflowNamesItsOrigin(t *testing.T) {
	var runs atomic.Int64
	e := &engine.Engine{}
	kept := double(&runs)
	kept.Cache.On = true
	inner := engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return kept.Submit(c, kept.Submit(c, engine.Val(n))), nil
	}}
	var ids []string
	for range 2 {
		_, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) { return inner.Submit(c, engine.Val(n)), nil }, 1)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, run.ID)
	}
	if task := tasks(t, e, engine.FlowRun{ID: ids[1]})["inner"]; task.State.Name != engine.NameCached || task.CachedFrom != ids[0] || runs.Load() != 2 {
		t.Errorf("inner is %s from %q after %d runs, want Cached from %s after 2", task.State.Name, task.CachedFrom, runs.Load(), ids[0])
	}
}

func TestWhatCannotBeDigestedIsNotCached(t *testing.T) {
	var runs atomic.Int64
	e := &engine.Engine{}
	for range 2 {
		_, _, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			call := engine.Task[func() int, int]{Name: "Call", Cache: engine.Cache{On: true}, Func: func(_ context.Context, f func() int) (int, error) {
				runs.Add(1)
				return f(), nil
			}}
			return call.Submit(c, engine.Val(func() int { return 1 })), nil
		}, 0)
		if err != nil {
			t.Fatal(err)
		}
	}
	if runs.Load() != 2 {
		t.Errorf("%d runs, want 2", runs.Load())
	}
}

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

func TestUnreadableResultIsMadeAgain(t *testing.T) {
	var runs atomic.Int64
	moved := false
	made := engine.Task[int, string]{
		Name: "Make", Cache: engine.Cache{On: true},
		Codec: engine.Recipe("text/1",
			func(s string) int { return len(s) },
			func(_ context.Context, n int) (string, error) {
				if moved {
					return "", errors.New("the source has moved")
				}
				return strings.Repeat("x", n), nil
			}),
		Func: func(_ context.Context, n int) (string, error) {
			runs.Add(1)
			return strings.Repeat("x", n), nil
		},
	}
	e := &engine.Engine{}
	for i, want := range []int64{1, 1, 2} {
		moved = i == 2
		out, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[string], error) {
			return made.Submit(c, engine.Val(n)), nil
		}, 3)
		if err != nil || out != "xxx" || runs.Load() != want {
			t.Errorf("%d: %q, %v after %d runs, want %d", i, out, err, runs.Load(), want)
		}
		if state := tasks(t, e, run)["make"].State.Name; state != []string{"Completed", "Cached", "Completed"}[i] {
			t.Errorf("%d: %s", i, state)
		}
	}
}

func TestNestedTasks(t *testing.T) {
	var runs atomic.Int64
	e := &engine.Engine{}
	out, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return engine.Task[int, int]{Name: "Outer", Func: func(ctx context.Context, n int) (int, error) {
			return double(&runs).Run(engine.From(ctx), engine.Val(n))
		}}.Submit(c, engine.Val(n)), nil
	}, 2)
	if err != nil || out != 4 {
		t.Fatalf("flow = %d, %v", out, err)
	}
	if _, ok := tasks(t, e, run)["outer/double"]; !ok {
		t.Errorf("calls: %v", tasks(t, e, run))
	}
}

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

func TestLogsAndProgressReachTheObserver(t *testing.T) {
	w := &watcher{}
	h := &engine.MemoryHistory{}
	e := &engine.Engine{History: h, Observer: w}
	_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
		c.Log().Info("begin", "n", 1)
		return engine.Task[int, int]{Name: "Work", Func: func(ctx context.Context, _ int) (int, error) {
			engine.From(ctx).Progress("rows", 1, 2)
			engine.From(ctx).Log().With("month", "2021-01").Warn("few rows")
			return 0, nil
		}}.Submit(c, engine.Val(0)), nil
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := h.Logs(t.Context(), run.ID)
	if len(lines) != 2 || lines[0].Message != "begin n=1" || lines[1].Message != "few rows month=2021-01" || lines[1].TaskKey != "work" {
		t.Errorf("logs = %+v", lines)
	}
	if w.progress.Done != 1 || w.progress.TaskName != "Work" || w.lines != 2 {
		t.Errorf("observer saw %+v", w)
	}
}

type watcher struct {
	mu       sync.Mutex
	progress engine.Progress
	lines    int
}

func (w *watcher) FlowRun(engine.FlowRun) {}
func (w *watcher) TaskRun(engine.TaskRun) {}
func (w *watcher) Progress(p engine.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress = p
}
func (w *watcher) Log(engine.LogLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines++
}
