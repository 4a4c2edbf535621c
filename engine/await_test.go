package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// The order in which calls end is the same when the run is carried out again, though
// nothing takes as long as it did.
func TestAsCompletedIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine.Engine{Version: "v1"}
		again := false
		slow := engine.Task[int, int]{Name: "Slow", Func: func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(n) * time.Second)
			if n == 2 && !again {
				return 0, errors.New("not yet")
			}
			return n, nil
		}}
		var orders [][]int
		f := engine.Flow[int, int]{Name: "race", Func: func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			futures := slow.Map(c, engine.Values(3, 1, 2))
			var order []int
			for i, err := range engine.AsCompleted(c, futures...) {
				if err != nil {
					return nil, err
				}
				_ = futures[i].Wait() // one of them fails
				order = append(order, i)
			}
			if orders = append(orders, order); !again {
				return nil, errors.New("once more")
			}
			return engine.Val(len(order)), nil
		}}
		_, run, err := f.Start(t.Context(), e, 0, engine.Options{})
		if err == nil || err.Error() != "once more" {
			t.Fatal(err)
		}
		again = true
		if _, _, err = f.Resume(t.Context(), e, run.ID); err != nil {
			t.Fatal(err)
		}
		for _, order := range orders {
			if !slices.Equal(order, []int{1, 2, 0}) {
				t.Errorf("order %v", order)
			}
		}
	})
}

func TestAny(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine.Engine{Version: "v1"}
		slow := engine.Task[int, int]{Name: "Slow", Func: func(_ context.Context, n int) (int, error) {
			if time.Sleep(time.Duration(max(n, -n)) * time.Second); n < 0 {
				return 0, errors.New("no")
			}
			return n, nil
		}}
		f := engine.Flow[[]int, int]{Name: "race", Func: func(c *engine.Ctx, in []int) (engine.Arg[int], error) {
			i, err := engine.Any(c, slow.Map(c, engine.Values(in...))...)
			return engine.Val(in[i]), err
		}}
		if got, _, err := f.Start(t.Context(), e, []int{5, -1, 3, -4}, engine.Options{}); err != nil || got != 3 {
			t.Errorf("%d, %v", got, err)
		}
		if _, run, err := f.Start(t.Context(), e, []int{-1, -2}, engine.Options{}); err == nil || strings.Count(err.Error(), "no") != 2 || run.State.Type != engine.TypeFailed {
			t.Errorf("%+v, %v", run.State, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, run, err := f.Start(ctx, e, []int{7}, engine.Options{}); err == nil || run.State.Type != engine.TypeCancelled {
			t.Errorf("%+v, %v", run.State, err)
		}
		time.Sleep(10 * time.Second) // until the deaf wake up
	})
}

func TestAll(t *testing.T) {
	e := &engine.Engine{Version: "v1"}
	half := engine.Task[int, int]{Name: "Half", Func: func(_ context.Context, n int) (int, error) {
		if n%2 == 1 {
			return 0, errors.New("odd")
		}
		return n / 2, nil
	}}
	f := engine.Flow[[]int, []int]{Name: "all", Func: func(c *engine.Ctx, in []int) (engine.Arg[[]int], error) {
		values, err := engine.All(c, half.Map(c, engine.Values(in...))...)
		return engine.Val(values), err
	}}
	if got, _, err := f.Start(t.Context(), e, []int{2, 4}, engine.Options{}); err != nil || !slices.Equal(got, []int{1, 2}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, _, err := f.Start(t.Context(), e, []int{2, 3}, engine.Options{}); err == nil || err.Error() != "odd" {
		t.Errorf("%v", err)
	}
}

// A flow that makes one call after the other still sees each end when it does.
func TestAsCompletedOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := engine.Task[int, int]{Name: "Slow", Func: func(_ context.Context, n int) (int, error) { time.Sleep(time.Second); return n, nil }}
		f := engine.Flow[int, int]{Name: "flow", Concurrency: 1, Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			begun := time.Now()
			for i, err := range engine.AsCompleted(c, slow.Map(c, engine.Values(1, 2, 3))...) {
				if took := time.Since(begun); err != nil || took != time.Duration(i+1)*time.Second {
					t.Errorf("%d: %v after %v", i, err, took)
				}
			}
			return engine.Val(n), nil
		}}
		if _, _, err := f.Start(t.Context(), &engine.Engine{Version: "v1"}, 0, engine.Options{}); err != nil {
			t.Error(err)
		}
	})
}
