package engine_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// halve fails for odd numbers.
var halve = engine.Task[int, int]{Name: "Halve", Func: func(_ context.Context, n int) (int, error) {
	if n%2 == 1 {
		return 0, fmt.Errorf("%d is odd", n)
	}
	return n / 2, nil
}}

// gated is a task that ends when its gate is opened.
func gated(gates ...chan struct{}) engine.Task[int, int] {
	return engine.Task[int, int]{Name: "Wait", Func: func(ctx context.Context, n int) (int, error) {
		select {
		case <-gates[n]:
			return n, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}}
}

// All waits for several calls where the flow itself needs their values.
func ExampleAll() {
	f := engine.Flow[[]int, int]{Name: "flow", Func: func(c *engine.Ctx, in []int) (engine.Arg[int], error) {
		halves, err := engine.All(c, halve.Map(c, engine.Values(in...))...)
		if err != nil {
			return nil, err
		}
		return engine.Val(max(halves[0], halves[1])), nil
	}}
	out, _, err := f.Start(context.Background(), quiet(), []int{4, 6}, engine.Options{})
	fmt.Println(out, err)
	_, _, err = f.Start(context.Background(), quiet(), []int{4, 7}, engine.Options{})
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// 7 is odd
}

// Any goes on with the first call that completes, which is the same when the run is
// carried out again.
func ExampleAny() {
	f := engine.Flow[[]int, int]{Name: "flow", Func: func(c *engine.Ctx, in []int) (engine.Arg[int], error) {
		futures := halve.Map(c, engine.Values(in...))
		first, err := engine.Any(c, futures...)
		if err != nil {
			return nil, err
		}
		return futures[first], nil
	}}
	out, run, err := f.Start(context.Background(), quiet(), []int{3, 8, 5}, engine.Options{})
	fmt.Println(out, run.State.Name, err)
	// Output: 4 Completed <nil>
}

// Results are used in the order in which they come, and a run that is carried out
// again uses them in the same order.
func ExampleAsCompleted() {
	gates := []chan struct{}{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	f := engine.Flow[int, int]{Name: "race", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		order := []int{1, 2, 0}
		close(gates[order[0]])
		for i, err := range engine.AsCompleted(c, gated(gates...).Map(c, engine.Values(0, 1, 2))...) {
			if err != nil {
				return nil, err
			}
			fmt.Println(i)
			if order = order[1:]; len(order) > 0 {
				close(gates[order[0]])
			}
		}
		return engine.Val(n), nil
	}}
	_, run, err := f.Start(context.Background(), quiet(), 0, engine.Options{})
	fmt.Println(run.State.Name, err)
	// Output:
	// 1
	// 2
	// 0
	// Completed <nil>
}

// A call that takes an outcome is made whether the other completes or not, and decides
// what that means.
func ExampleFuture_Outcome() {
	report := engine.Task[engine.Outcome[int], string]{Name: "Report", Func: func(_ context.Context, o engine.Outcome[int]) (string, error) {
		if o.Err != "" {
			return "no half: " + o.Err, nil
		}
		return fmt.Sprint("half is ", o.Value), nil
	}}
	f := engine.Flow[int, string]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[string], error) {
		return report.Submit(c, halve.Submit(c, engine.Val(n)).Outcome()), nil
	}}
	for _, n := range []int{6, 7} {
		out, run, err := f.Start(context.Background(), quiet(), n, engine.Options{})
		fmt.Println(out, run.State.Name, err)
	}
	// Output:
	// half is 3 Completed <nil>
	// no half: 7 is odd Completed <nil>
}

// What is to be done in any case waits for the end of other calls, and takes nothing.
func ExampleEnded() {
	clean := engine.Task[string, string]{Name: "Clean up", Func: func(_ context.Context, dir string) (string, error) { return dir + " is gone", nil }}
	f := engine.Flow[[]int, string]{Name: "flow", Func: func(c *engine.Ctx, in []int) (engine.Arg[string], error) {
		return clean.Submit(c, engine.Val("/scratch"), engine.Ended(halve.Map(c, engine.Values(in...)))), nil
	}}
	out, run, err := f.Start(context.Background(), quiet(), []int{1, 2, 3}, engine.Options{})
	fmt.Println(out, run.State.Name, err)
	// Output: /scratch is gone Completed <nil>
}

// A body that has not returned at its deadline has timed out, whatever it returns later.
func ExampleTask_timeout() {
	slow := gated(nil)
	slow.Timeout = time.Millisecond
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return slow.Submit(c, engine.Val(n)), nil }}
	e := quiet()
	_, run, err := f.Start(context.Background(), e, 0, engine.Options{})
	calls, _ := e.History.TaskRuns(context.Background(), run.ID)
	fmt.Println(err, errors.Is(err, engine.ErrTimedOut), calls[0].State.Name)
	// Output: timed out after 1ms true TimedOut
}

// Cancelled from anywhere, a run ends with all below it.
func ExampleHistory_Signal() {
	e := quiet()
	e.History = &engine.MemoryHistory{}
	wait := gated(nil)
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return wait.Submit(c, engine.Val(n)), nil }}
	f.OnState = func(ctx context.Context, run engine.FlowRun) {
		if fmt.Println(run.State.Name); run.State.Type == engine.TypeRunning {
			if _, err := e.History.Signal(ctx, engine.Signal{FlowRunID: run.ID, Kind: engine.SignalCancel, Message: "no longer wanted"}); err != nil {
				fmt.Println(err)
			}
		}
	}
	_, _, err := f.Start(context.Background(), e, 0, engine.Options{})
	fmt.Println(err)
	// Output:
	// Running
	// Cancelled
	// cancelled: no longer wanted
}
