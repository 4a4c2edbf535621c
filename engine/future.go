package engine

import (
	"context"
	"sync"
)

// TaskError is the error of a call: which task, and what its body returned.
type TaskError struct {
	FlowRunID, Key, Name string
	Err                  error
}

// Error is the body's own message: which task it was, the fields and the record
// of the call tell.
func (e *TaskError) Error() string { return e.Err.Error() }
func (e *TaskError) Unwrap() error { return e.Err }

// Future is the result of a call that may still be running. It is an argument
// of type T for further calls.
type Future[T any] struct {
	call *call
	// load gives the value once the call has completed: the one that was just
	// made, or one decoded from where it is stored.
	load func(ctx context.Context) (T, error)
	// id identifies the value once the call has completed.
	id func() (string, error)

	mu    sync.Mutex
	has   bool
	saved T
}

// Wait waits for the call and returns its error, without needing its value.
func (f *Future[T]) Wait() error {
	f.call.observed.Store(true)
	_ = f.call.wait(context.Background()) // calls end when their run is cancelled
	return f.call.err
}

// Get waits for the call and returns its value. Once ctx is done it waits no longer;
// the call goes on.
func (f *Future[T]) Get(ctx context.Context) (v T, err error) {
	f.call.observed.Store(true)
	if err := f.call.wait(ctx); err != nil {
		return v, err
	}
	if f.call.err != nil {
		return v, f.call.err
	}
	return f.value(ctx)
}

// Origin is the flow run that produced the result: "" for the run that made
// this call, another's ID for a result that came from the cache.
func (f *Future[T]) Origin() Arg[string] { return origin{f.call} }

type origin struct{ c *call }

func (o origin) calls() []need                         { return []need{{call: o.c}} }
func (o origin) value(context.Context) (string, error) { return o.c.record.CachedFrom, nil }
func (o origin) digest() (string, error)               { return Digest(o.c.record.CachedFrom) }

// Key is the key of the call within its flow run.
func (f *Future[T]) Key() string { return f.call.key }

func (f *Future[T]) calls() []need { return []need{{call: f.call}} }

func (f *Future[T]) digest() (string, error) { return f.id() }

// value returns the value of a completed call, decoding it at most once.
func (f *Future[T]) value(ctx context.Context) (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.has {
		v, err := f.load(ctx)
		if err != nil {
			return v, err
		}
		f.saved, f.has = v, true
	}
	return f.saved, nil
}

// release lets go of the value.
func (f *Future[T]) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	var none T
	f.saved, f.has = none, false
}

func (f *Future[T]) keep(v T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saved, f.has = v, true
}
