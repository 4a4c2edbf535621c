package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
)

func TestMap(t *testing.T) {
	e := &engine.Engine{}
	add := engine.Task[[2]int, int]{Name: "Add", Func: func(_ context.Context, in [2]int) (int, error) { return in[0] + in[1], nil }}
	pair := func(a, b int) [2]int { return [2]int{a, b} }
	out, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
		broadcast, err := engine.Zip(engine.Values(1, 2, 3), engine.Same(engine.Val(10)), pair)
		if err != nil {
			return nil, err
		}
		sums := add.Map(c, broadcast)
		again, err := engine.Zip(engine.Args[int](sums[0], sums[1], sums[2]), engine.Values(100, 200, 300), pair)
		if err != nil {
			return nil, err
		}
		return add.Keyed("more").Map(c, again, sums).List(), nil
	}, 0)
	if err != nil || fmt.Sprint(out) != "[111 212 313]" {
		t.Errorf("%v, %v", out, err)
	}
	got := tasks(t, e, run)
	if last := got["add[more.2]"]; !slices.Equal(last.DependsOn, []string{"add[2]"}) || !slices.Equal(last.After, []string{"add[0]", "add[1]", "add[2]"}) {
		t.Errorf("%+v", got)
	}
	if _, err := engine.Zip(engine.Values(1, 2), engine.Values(1, 2, 3), pair); err == nil || err.Error() != "map over lists of different lengths: 2 and 3" {
		t.Errorf("lists of different lengths: %v", err)
	}
}

func TestConcurrencyOfAFlow(t *testing.T) {
	for limit, most := range map[int]int64{0: 9, 1: 1, 3: 3} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var running, seen int64
			var order []int
			work := engine.Task[int, int]{Name: "Work", Func: func(_ context.Context, n int) (int, error) {
				mu.Lock()
				running++
				seen = max(seen, running)
				order = append(order, n)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				running--
				return n, nil
			}}
			f := engine.Flow[int, []int]{Name: "flow", Concurrency: limit, Func: func(c *engine.Ctx, _ int) (engine.Arg[[]int], error) {
				return work.Map(c, engine.Values(1, 2, 3, 4, 5, 6, 7, 8, 9)).List(), nil
			}}
			if _, _, err := f.Start(t.Context(), &engine.Engine{Version: "test"}, 0, engine.Options{}); err != nil {
				t.Fatal(err)
			}
			if seen != most {
				t.Errorf("limit %d: %d at once, want %d", limit, seen, most)
			}
			if limit == 1 && !slices.IsSorted(order) {
				t.Errorf("one after the other, but in the order %v", order)
			}
		})
	}
}

func TestNamesTagsAndHooks(t *testing.T) {
	type params struct {
		Month string `json:"month"`
	}
	var mu sync.Mutex
	var told []string
	read := engine.Task[params, string]{
		Name: "Read", RunName: "Read {month}", Tags: []string{"io"},
		Func: func(_ context.Context, p params) (string, error) { return p.Month, nil },
		OnState: func(_ context.Context, r engine.TaskRun) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, "task "+r.State.Name)
		},
	}
	f := engine.Flow[params, string]{
		Name: "score", RunName: "{flow} {month} {else}", Tags: []string{"ml", "a"}, Description: "scores rides",
		Func: func(c *engine.Ctx, p params) (engine.Arg[string], error) { return read.Submit(c, engine.Val(p)), nil },
		OnState: func(_ context.Context, r engine.FlowRun) {
			mu.Lock()
			defer mu.Unlock()
			if told = append(told, "flow "+r.State.Name); r.State.Type == engine.TypeCompleted {
				panic("a hook's panic is only logged")
			}
		},
	}
	e := &engine.Engine{Version: "v7"}
	_, run, err := f.Start(t.Context(), e, params{"2021-01"}, engine.Options{Tags: []string{"adhoc", "a"}})
	if err != nil || run.Name != "score 2021-01 {else}" || !slices.Equal(run.Tags, []string{"a", "adhoc", "ml"}) || run.Version != "v7" {
		t.Errorf("%+v, %v", run, err)
	}
	if got := tasks(t, e, run)["read"]; got.RunName != "Read 2021-01" || got.Name != "Read" || !slices.Equal(got.Tags, []string{"io"}) {
		t.Errorf("%+v", got)
	}
	if want := "flow Running,task Running,task Completed,flow Completed"; strings.Join(told, ",") != want {
		t.Errorf("told %v, want %s", told, want)
	}
	f.RunName = ""
	if _, run, err = f.Start(t.Context(), e, params{}, engine.Options{}); err != nil || strings.Count(run.Name, "-") != 1 {
		t.Errorf("a name such as flashy-dove is %q, %v", run.Name, err)
	}
	if info := f.Info(); info.Name != "score" || info.Description != "scores rides" || info.Parameters.Properties["month"] == nil {
		t.Errorf("%+v", info)
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

func TestDelaysAndJitter(t *testing.T) {
	for _, test := range []struct {
		retry    engine.Retry
		min, max time.Duration
	}{
		{engine.Retry{Max: 4, Delays: []time.Duration{time.Second, 10 * time.Second}}, 31 * time.Second, 31 * time.Second},
		{engine.Retry{Max: 4, Delay: time.Second, Backoff: 2}, 15 * time.Second, 15 * time.Second},
		{engine.Retry{Max: 4, Delay: 10 * time.Second, Jitter: 0.5}, 20 * time.Second, 60 * time.Second},
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
