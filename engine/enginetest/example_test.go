package enginetest_test

import (
	"context"
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
)

// The suite that every history passes, in a test of its own.
func ExampleHistory() {
	_ = func(t *testing.T) {
		enginetest.History(t, func(*testing.T) engine.History { return &engine.MemoryHistory{} })
	}
	// Output:
}

// The suite that everything passes which keeps deployments and their work. open is
// whatever makes an empty one.
func ExampleWork() {
	var open func(t *testing.T) enginetest.WorkStore
	_ = func(t *testing.T) { enginetest.Work(t, open) }
	// Output:
}

// The check that every flow passes: it makes the same calls when it is carried out
// again.
func ExampleReplay() {
	double := engine.Task[int, int]{Name: "Double", Func: func(_ context.Context, n int) (int, error) { return 2 * n, nil }}
	flow := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return double.Submit(c, engine.Val(n)), nil
	}}
	_ = func(t *testing.T) { enginetest.Replay(t, &engine.Engine{}, flow, 21) }
	// Output:
}
