package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
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
