package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

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
