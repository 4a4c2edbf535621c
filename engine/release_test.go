package engine_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/taximeter/taximeter/engine"
)

type frame struct{ Rows []int }

// A value that every call has taken is let go of while the flow goes on, and is
// read back for whoever asks again.
func TestValuesAreLetGoOf(t *testing.T) {
	var made atomic.Int64
	var first atomic.Pointer[weak.Pointer[frame]]
	read := engine.Task[int, *frame]{Name: "Read", Func: func(_ context.Context, n int) (*frame, error) {
		made.Add(1)
		f := &frame{Rows: make([]int, n)}
		w := weak.Make(f)
		first.CompareAndSwap(nil, &w)
		return f, nil
	}}
	count := engine.Task[*frame, int]{Name: "Count", Func: func(_ context.Context, f *frame) (int, error) { return len(f.Rows), nil }}
	for name, source := range map[string]func(c *engine.Ctx) *engine.Future[*frame]{
		"task": func(c *engine.Ctx) *engine.Future[*frame] { return read.Submit(c, engine.Val(1000)) },
		"subflow": func(c *engine.Ctx) *engine.Future[*frame] {
			return engine.Flow[int, *frame]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[*frame], error) {
				return read.Submit(c, engine.Val(n)), nil
			}}.Submit(c, engine.Val(1000))
		},
	} {
		made.Store(0)
		first.Store(nil)
		out, _, err := start(t, &engine.Engine{}, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			data := source(c)
			counts := []*engine.Future[int]{count.Submit(c, data), count.Submit(c, data)}
			for _, f := range counts {
				if err := f.Wait(); err != nil {
					return nil, err
				}
			}
			for range 10 { // the goroutine of the last call may not have ended yet
				runtime.GC()
				runtime.Gosched()
			}
			if first.Load().Value() != nil {
				t.Errorf("%s: the value is still in memory", name)
			}
			return count.Submit(c, data), nil
		}, 0)
		if err != nil || out != 1000 || made.Load() != 1 {
			t.Errorf("%s: %d, %v, made %d times", name, out, err, made.Load())
		}
	}
}
