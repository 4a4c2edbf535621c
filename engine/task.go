package engine

import (
	"context"
	"fmt"
	"time"
)

// Task is a function that is observed, retried, cached and resumed. The zero
// settings are: no retry, no cache, no timeout, results as JSON. A Task is a
// value: copy it and change a field.
type Task[I, O any] struct {
	Name string // for people, such as "Read taxi data"; keys are made from it
	// RunName names calls for people, such as "Read {month}": what stands in braces
	// is a field of the input, by its JSON name, which may be within another, as in
	// {train.month}; {input} the whole; {name} or {key}. Zero: Name.
	RunName string
	Tags    []string // also names of concurrency limits
	Retry   Retry
	Cache   Cache
	Timeout time.Duration // for each attempt
	Codec   Codec[O]      // how the result is stored; zero: JSON
	// Func is the body. It should return soon after its context is done; one that
	// does not is abandoned, and what it returns later is discarded.
	Func func(ctx context.Context, in I) (O, error)
	// OnState, if set, is called after each state of a call, and holds it up while
	// it runs. Its panics are logged.
	OnState func(ctx context.Context, run TaskRun)

	key  string
	kind Kind // zero: KindTask
}

// Keyed returns the task with a key for its next call, instead of a number that
// depends on the order of calls.
func (t Task[I, O]) Keyed(key string) Task[I, O] {
	t.key = key
	return t
}

// Dependency is a call to wait for: any Future, or what Map returns. Where it fails,
// what depends on it ends as UpstreamFailed; see Ended.
type Dependency interface{ calls() []need }

// Submit calls the task and returns at once. The body runs when the argument's
// calls, and those in after, have completed.
func (t Task[I, O]) Submit(s Scope, in Arg[I], after ...Dependency) *Future[O] {
	if in == nil {
		panic(fmt.Sprintf("task %s is called without an argument: want engine.Val or a future", t.Name))
	}
	c := s.scope().begin(t.kind, t.Name, t.key, in, after)
	c.record.Tags, c.onState = t.Tags, t.OnState
	codec := t.Codec.orJSON()
	f := &Future[O]{call: c, id: c.resultDigest}
	c.drop = f.release
	run := spec{retry: t.Retry, cache: t.Cache, timeout: t.Timeout, codec: codec.name, digest: in.digest, label: t.label(c, in)}
	run.run = func(ctx context.Context, tc *TaskCtx) (func() (*Result, error), error) {
		v, err := t.body(ctx, tc, in)
		if err != nil {
			return nil, err
		}
		return func() (*Result, error) {
			r, err := codec.result(v)
			if err == nil {
				f.keep(v)
			}
			return r, err
		}, nil
	}
	f.load = func(ctx context.Context) (O, error) {
		v, err := loadResult(ctx, c, codec)
		if err == nil {
			return v, nil
		}
		return t.remake(ctx, c, run, in, err)
	}
	switch {
	case c.refused:
	case t.kind == KindCheckpoint: // the flow waits for it, and others do not
		go c.execute(run)
	default:
		c.scope.run.tree.turns.run(func(mine *turn) {
			c.turn = mine
			c.execute(run)
		})
	}
	return f
}

// Run calls the task and waits for its value.
func (t Task[I, O]) Run(s Scope, in Arg[I], after ...Dependency) (O, error) {
	return t.Submit(s, in, after...).Get(s.scope().ctx)
}

// remake carries a completed call out once more, with the task's own retries and
// timeout: its value cannot be had, because a source moved or a file was
// collected. Tasks may run more than once.
func (t Task[I, O]) remake(ctx context.Context, c *call, s spec, in Arg[I], cause error) (v O, err error) {
	again := &call{
		scope: c.scope, key: c.key, name: c.name, done: c.done, drop: c.drop, onState: c.onState,
		record: c.record, recorded: c.record.State,
	}
	again.record.CachedFrom = ""
	c.taskCtx().Log().Warn("stored result cannot be read, running the task again", "error", cause)
	s.run = func(ctx context.Context, tc *TaskCtx) (func() (*Result, error), error) {
		made, err := t.body(ctx, tc, in)
		if err != nil {
			return nil, err
		}
		return func() (*Result, error) {
			v = made
			return t.Codec.orJSON().result(made)
		}, nil
	}
	if err := again.attempts(ctx, s); err != nil {
		again.settle(ctx, err)
		return v, &TaskError{FlowRunID: c.scope.run.born.ID, Key: c.key, Name: c.name, Err: err}
	}
	return v, nil
}

// label returns what names a call for people, or nil.
func (t Task[I, O]) label(c *call, in Arg[I]) func(context.Context) (string, error) {
	if t.RunName == "" {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		v, err := in.value(ctx)
		if err != nil {
			return "", err
		}
		data, _ := marshal(v) // what has no JSON has no fields
		return fillIn(t.RunName, data, map[string]string{"name": t.Name, "key": c.key}), nil
	}
}

// body runs the task's function in a context that From understands.
func (t Task[I, O]) body(ctx context.Context, tc *TaskCtx, in Arg[I]) (out O, err error) {
	v, err := in.value(ctx)
	if err != nil {
		return out, err
	}
	if t.Func == nil {
		return out, Permanent(fmt.Errorf("task %s has no Func", t.Name))
	}
	ctx = context.WithValue(ctx, taskKey{}, tc)
	tc.s.ctx = ctx
	out, err = t.Func(ctx, v)
	if nested := tc.s.join(); err == nil {
		err = nested
	}
	return out, err
}

func (c *call) taskCtx() *TaskCtx {
	return &TaskCtx{s: newScope(c.scope.ctx, c.scope.run, c.key+"/", c), call: c, attempt: c.record.Attempts}
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
