package engine

import (
	"context"
	"errors"
	"iter"
	"time"
)

// All waits for all futures and returns their values in their order, or the error of
// the first of them that failed. A call that only needs the values is given List
// instead, and nobody waits.
func All[T any](s Scope, futures ...*Future[T]) ([]T, error) {
	for _, f := range futures {
		_ = f.Wait() // read below, once all have ended
	}
	values := make([]T, len(futures))
	for i, f := range futures {
		var err error
		if values[i], err = f.Get(s.scope().ctx); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// Any waits for the first of the futures that completes and returns its index, the
// same each time that the run is carried out. The others go on, and that they fail
// does not fail the run. When all have failed it returns all their errors.
func Any[T any](s Scope, futures ...*Future[T]) (int, error) {
	for _, f := range futures {
		f.call.observed.Store(true)
	}
	var failed []error
	for i, err := range AsCompleted(s, futures...) {
		if err != nil {
			return 0, err
		}
		if err = futures[i].Wait(); err == nil {
			return i, nil
		}
		failed = append(failed, err)
	}
	if len(futures) == 0 {
		return 0, errors.New("wait for any of no calls")
	}
	return 0, errors.Join(failed...)
}

// AsCompleted ranges over the indexes of the futures in the order in which they end,
// failed ones too. The order is recorded, one checkpoint for each, so that a run
// that is carried out again sees the same. An error, as when the run is cancelled, is
// the last that it gives.
func AsCompleted[T any](s Scope, futures ...*Future[T]) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		ended := make(chan int, len(futures))
		for i, f := range futures {
			f.call.whenEnded(func() { ended <- i })
		}
		gone := make([]bool, len(futures))
		for range futures {
			i, err := checkpoint(s, "As completed", "", func(ctx context.Context, _ time.Time) (int, error) {
				for {
					select {
					case i := <-ended:
						if !gone[i] { // what an earlier process recorded comes out of turn
							return i, nil
						}
					case <-ctx.Done():
						return 0, context.Cause(ctx)
					}
				}
			})
			if err == nil && (i < 0 || i >= len(gone) || gone[i]) {
				err = errors.New("the flow has other calls than when their order was recorded")
			}
			if err != nil {
				yield(0, err)
				return
			}
			gone[i] = true
			if err := futures[i].call.wait(s.scope().ctx); err != nil { // at once, unless it is carried out again
				yield(0, err)
				return
			}
			if !yield(i, nil) {
				return
			}
		}
	}
}

// whenEnded calls do once the call has ended. do must not wait.
func (c *call) whenEnded(do func()) {
	c.ending.Lock()
	over := c.over
	if !over {
		c.listeners = append(c.listeners, do)
	}
	c.ending.Unlock()
	if over {
		do()
	}
}

// end closes done and tells who listens.
func (c *call) end() {
	c.ending.Lock()
	c.over = true
	listeners := c.listeners
	c.listeners = nil
	c.ending.Unlock()
	close(c.done)
	for _, do := range listeners {
		do()
	}
}
