package history

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

func TestLimitsHoldAcrossProcesses(t *testing.T) {
	dir := t.TempDir()
	stores := []*Store{open(t, dir), open(t, dir)}
	if err := stores[0].SetLimit(t.Context(), "db", 2); err != nil {
		t.Fatal(err)
	}
	var running, most atomic.Int64
	work := engine.Task[int, int]{Name: "Work", Tags: []string{"db"}, Func: func(_ context.Context, n int) (int, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		time.Sleep(10 * time.Millisecond)
		return n, nil
	}}
	f := engine.Flow[int, []int]{Name: "flow", Func: func(c *engine.Ctx, _ int) (engine.Arg[[]int], error) {
		return work.Map(c, engine.Values(1, 2, 3, 4, 5, 6)).List(), nil
	}}
	var wg sync.WaitGroup
	for _, s := range stores {
		wg.Go(func() {
			if _, _, err := f.Start(t.Context(), &engine.Engine{History: s, Version: "v1"}, 1, engine.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d ran at once, in spite of a limit of 2", most.Load())
	}

	// A holder whose process is gone holds nothing.
	dead := open(t, dir)
	for _, key := range []string{"a", "b"} {
		if full, err := dead.TryAcquire(t.Context(), engine.Holder{FlowRunID: "gone", TaskKey: key}, []string{"db"}); err != nil || full.Name != "" {
			t.Fatal(full, err)
		}
	}
	if full, err := stores[0].TryAcquire(t.Context(), engine.Holder{FlowRunID: "x", TaskKey: "x"}, []string{"db"}); err != nil || full.Name != "db" || len(full.Holders) != 2 {
		t.Errorf("a full limit: %+v, %v", full, err)
	}
	dead.Close()
	if full, err := stores[0].TryAcquire(t.Context(), engine.Holder{FlowRunID: "x", TaskKey: "x"}, []string{"db"}); err != nil || full.Name != "" {
		t.Errorf("after the holder's end: %+v, %v", full, err)
	}
}

// Of calls that could share a result, one is carried out, in whatever process.
func TestOneFlightForACachedResult(t *testing.T) {
	dir := t.TempDir()
	var bodies atomic.Int64
	kept := engine.Task[int, int]{Name: "Kept", Cache: engine.Cache{On: true}, Func: func(_ context.Context, n int) (int, error) {
		bodies.Add(1)
		time.Sleep(20 * time.Millisecond)
		return n, nil
	}}
	f := engine.Flow[int, []int]{Name: "flow", Func: func(c *engine.Ctx, _ int) (engine.Arg[[]int], error) {
		return kept.Map(c, engine.Values(1, 1, 1, 1)).List(), nil
	}}
	var wg sync.WaitGroup
	for range 3 {
		s := open(t, dir)
		wg.Go(func() {
			if _, _, err := f.Start(t.Context(), &engine.Engine{History: s, Version: "v1"}, 1, engine.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if bodies.Load() != 1 {
		t.Errorf("%d bodies, want 1", bodies.Load())
	}
}
