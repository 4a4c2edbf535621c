package engine_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// counting counts the goroutines there are when a call is written.
type counting struct {
	*engine.MemoryHistory
	mu   sync.Mutex
	most int
}

func (h *counting) PutTaskRun(ctx context.Context, put engine.TaskPut) error {
	h.mu.Lock()
	h.most = max(h.most, runtime.NumGoroutine())
	h.mu.Unlock()
	runtime.Gosched()
	return h.MemoryHistory.PutTaskRun(ctx, put)
}

// Ten thousand calls that are made at once do not all begin at once.
func TestManyCalls(t *testing.T) {
	const n = 10_000
	h := &counting{MemoryHistory: &engine.MemoryHistory{}}
	one := engine.Task[int, int]{Name: "One", Func: func(_ context.Context, n int) (int, error) { return n, nil }}
	f := engine.Flow[int, int]{Name: "many", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		list := one.Map(c, engine.Values(make([]int, n)...)).List()
		return engine.Join2(list, engine.Val(0), func(list []int, _ int) int { return len(list) }), nil
	}}
	out, _, err := f.Start(t.Context(), &engine.Engine{History: h, Version: "v1"}, n, engine.Options{})
	if err != nil || out != n {
		t.Fatal(out, err)
	}
	if h.most > 5000 { // all at once are 20,000
		t.Errorf("%d goroutines at once", h.most)
	}
}

// Calls whose bodies wait for each other, or for calls of their own, all begin,
// however many they are.
func TestManyCallsThatWait(t *testing.T) {
	const n = 3000
	var all sync.WaitGroup
	all.Add(n)
	inner := engine.Task[int, int]{Name: "Inner", Func: func(_ context.Context, n int) (int, error) {
		all.Done()
		all.Wait()
		return n, nil
	}}
	outer := engine.Task[int, int]{Name: "Outer", Func: func(ctx context.Context, n int) (int, error) {
		return inner.Run(engine.From(ctx), engine.Val(n))
	}}
	f := engine.Flow[int, []int]{Name: "many", Func: func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
		return outer.Map(c, engine.Values(make([]int, n)...)).List(), nil
	}}
	if out, _, err := f.Start(t.Context(), &engine.Engine{Version: "v1"}, n, engine.Options{}); err != nil || len(out) != n {
		t.Fatal(len(out), err)
	}
}
