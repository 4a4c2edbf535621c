package enginetest_test

import (
	"context"
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
)

// The suite that every history passes, and the check that every flow does.
func Example() {
	_ = func(t *testing.T) { // in a test of its own
		enginetest.History(t, func(*testing.T) engine.History { return &engine.MemoryHistory{} })
	}
	_ = func(t *testing.T) {
		double := engine.Task[int, int]{Name: "Double", Func: func(_ context.Context, n int) (int, error) { return 2 * n, nil }}
		enginetest.Replay(t, &engine.Engine{}, engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			return double.Submit(c, engine.Val(n)), nil
		}}, 21)
	}
	// Output:
}
