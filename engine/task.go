package engine

import (
	"context"
	"time"
)

// Task is a function that is observed, retried, cached and resumed. The zero
// settings are: no retry, no cache, no timeout, results as JSON. A Task is a
// value: copy it and change a field.
type Task[I, O any] struct {
	Name    string // for people, such as "Read taxi data"; keys are made from it
	Retry   Retry
	Cache   Cache
	Timeout time.Duration // for each attempt
	Codec   Codec[O]      // how the result is stored; zero: JSON
	// Func is the body. It should return soon after its context is done; one that
	// does not is abandoned, and what it returns later is discarded.
	Func func(ctx context.Context, in I) (O, error)

	key string
}

// Cache says whether results are taken over from earlier runs: from a call of
// the same task (by name), the same version and an equal input.
type Cache struct {
	On      bool
	TTL     time.Duration // zero: results do not expire
	Version string        // zero: the engine's, which is the build's identity
}

// Keyed returns the task with a key for its next call, instead of a number that
// depends on the order of calls.
func (t Task[I, O]) Keyed(key string) Task[I, O] {
	t.key = key
	return t
}

// Dependency is a call to wait for: any Future.
type Dependency interface{ calls() []*call }

// Submit calls the task and returns at once. The body runs when the argument's
// calls, and those in after, have completed.
func (t Task[I, O]) Submit(s Scope, in Arg[I], after ...Dependency) *Future[O] {
	sc := s.scope()
	c := sc.begin(t.Name, t.key, in, after)
	codec := t.Codec.orJSON()
	f := &Future[O]{call: c, id: c.resultDigest}
	c.drop = f.release
	f.load = func(ctx context.Context) (O, error) {
		v, err := loadResult(ctx, c, codec)
		if err == nil {
			return v, nil
		}
		// The record says completed, but the value cannot be had (a source moved, a
		// blob was collected). Tasks may run more than once, so make it again.
		c.taskCtx().Log().Warn("stored result cannot be read, running the task again", "error", err)
		return t.body(ctx, c, in)
	}
	run := func(ctx context.Context) (func() (*Result, error), error) {
		v, err := t.body(ctx, c, in)
		if err != nil {
			return nil, err
		}
		return func() (*Result, error) {
			data, digest, err := codec.encode(v)
			if err != nil {
				return nil, err
			}
			f.keep(v)
			return &Result{Codec: codec.name, Digest: digest, Size: int64(len(data)), Data: data, Ref: digestBytes(data)}, nil
		}, nil
	}
	go c.execute(spec{retry: t.Retry, cache: t.Cache, timeout: t.Timeout, codec: codec.name, digest: in.digest, run: run})
	return f
}

// Run calls the task and waits for its value.
func (t Task[I, O]) Run(s Scope, in Arg[I], after ...Dependency) (O, error) {
	return t.Submit(s, in, after...).Get(s.scope().ctx)
}

// body runs the task's function in a context that From understands.
func (t Task[I, O]) body(ctx context.Context, c *call, in Arg[I]) (out O, err error) {
	v, err := in.value(ctx)
	if err != nil {
		return out, err
	}
	tc := c.taskCtx()
	ctx = context.WithValue(ctx, taskKey{}, tc)
	tc.s.ctx = ctx
	out, err = t.Func(ctx, v)
	if nested := tc.s.join(); err == nil {
		err = nested
	}
	return out, err
}

func (c *call) taskCtx() *TaskCtx {
	return &TaskCtx{s: newScope(c.scope.ctx, c.scope.run, c.key+"/"), call: c}
}

// loadResult reads and decodes the stored result of a completed call.
func loadResult[O any](ctx context.Context, c *call, codec Codec[O]) (v O, err error) {
	data, err := c.scope.run.engine.History.ReadResult(ctx, *c.record.Result)
	if err != nil {
		return v, err
	}
	return codec.decode(ctx, data)
}

func (c *call) resultDigest() (string, error) {
	<-c.done
	if c.err != nil {
		return "", c.err
	}
	return c.record.Result.Digest, nil
}
