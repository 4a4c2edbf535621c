package enginetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// 4. What holds a slot fails, panics, times out, is cancelled, or waits.
func slotsLeak(t *testing.T, h engine.History) {
	if err := h.SetLimit(t.Context(), "db", 1); err != nil {
		t.Fatal(err)
	}
	e := newEngine(h)
	var running, most atomic.Int64
	for name, body := range map[string]func(context.Context, int) (int, error){
		"fails":   func(context.Context, int) (int, error) { return 0, errors.New("no") },
		"panics":  func(context.Context, int) (int, error) { panic("no") },
		"waits":   func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() },
		"is deaf": func(context.Context, int) (int, error) { time.Sleep(time.Hour); return 0, nil },
		"works":   func(_ context.Context, n int) (int, error) { time.Sleep(time.Millisecond); return n, nil },
		"nests": func(ctx context.Context, n int) (int, error) {
			inner := task("Inner", func(_ context.Context, n int) (int, error) { return n, nil })
			inner.Tags = []string{"db"}
			return inner.Run(engine.From(ctx), engine.Val(n)) // would wait for itself, if it kept its slot
		},
	} {
		limited := task(name, func(ctx context.Context, n int) (int, error) {
			now := running.Add(1)
			defer running.Add(-1)
			most.Store(max(most.Load(), now))
			return body(ctx, n)
		})
		limited.Tags, limited.Timeout, limited.Retry = []string{"db"}, time.Second, engine.Retry{Max: 1, Delay: time.Second}
		f := flow(name, func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
			return limited.Map(c, engine.Values(1, 2, 3)).List(), nil
		})
		_, run, err := f.Start(t.Context(), e, 1, engine.Options{})
		if fails := name != "works" && name != "nests"; (err != nil) != fails {
			t.Errorf("%s: %v", name, err)
		}
		limits, err := h.Limits(t.Context())
		if err != nil || len(limits) != 1 || len(limits[0].Holders) != 0 {
			t.Errorf("%s: afterwards %+v, %v", name, limits, err)
		}
		if name == "works" {
			if most.Load() != 1 {
				t.Errorf("%d ran at once", most.Load())
			}
			var waited int
			for _, key := range []string{"works[0]", "works[1]", "works[2]"} {
				if strings.Contains(stateNames(t, h, run.ID, key), engine.NameAwaitingSlot) {
					waited++
				}
			}
			if waited == 0 {
				t.Error("nobody was seen to wait")
			}
		}
		running.Store(0) // the deaf still sleep
		most.Store(0)
	}
	if err := h.SetLimit(t.Context(), "db", 0); err != nil {
		t.Fatal(err)
	}
	none := task("None", func(_ context.Context, n int) (int, error) { return n, nil })
	none.Tags = []string{"db"}
	f := flow("none", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return none.Submit(c, engine.Val(n)), nil })
	if _, _, err := f.Start(t.Context(), e, 1, engine.Options{}); err == nil || !strings.Contains(err.Error(), "limit of db is 0") {
		t.Errorf("a limit of 0: %v", err)
	}
	time.Sleep(2 * time.Hour) // until the deaf wake up
}

// 7. A call that the cache answers waits for a slot, or spends a retry.
func cachedTakesNoSlot(t *testing.T, h engine.History) {
	kept := task("Kept", func(_ context.Context, n int) (int, error) { return n, nil })
	kept.Tags, kept.Cache = []string{"db"}, engine.Cache{On: true}
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return kept.Submit(c, engine.Val(n)), nil })
	first, producer, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SetLimit(t.Context(), "db", 0); err != nil {
		t.Fatal(err)
	}
	second, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if err != nil || second != first {
		t.Errorf("%d, %v", second, err)
	}
	wantStates(t, h, run.ID, "kept", "Pending Cached")
	if tasks, err := h.TaskRuns(t.Context(), run.ID); err != nil || tasks[0].Attempts != 0 || tasks[0].CachedFrom != producer.ID {
		t.Errorf("%+v, %v", tasks, err)
	}
}
