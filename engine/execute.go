package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// spec is a task without its types.
type spec struct {
	retry   Retry
	cache   Cache
	timeout time.Duration
	codec   string
	digest  func() (string, error)
	// label gives the name of the call for people; nil: the task's.
	label func(ctx context.Context) (string, error)
	// run runs the body once. accept encodes its value and gives it to the
	// future; it is not called for an attempt that came too late.
	run func(ctx context.Context, t *TaskCtx) (accept func() (*Result, error), err error)
}

// ErrTimedOut is wrapped by the error of an attempt that ran out of time.
var ErrTimedOut = errors.New("timed out")

// timeout is why the context of an attempt that runs out of time is done. What it is
// part of, or what takes its result, fails by it and has not timed out itself.
type timeout struct{ after time.Duration }

func (t *timeout) Error() string { return fmt.Sprintf("%v after %v", ErrTimedOut, t.after) }
func (t *timeout) Unwrap() error { return ErrTimedOut }

// execute takes the call to a final state.
func (c *call) execute(s spec) {
	defer c.ended()
	ctx := c.scope.ctx
	if err := c.carryOut(ctx, s); err != nil {
		c.settle(ctx, err)
		var up *upstreamError
		if errors.As(err, &up) {
			c.err = err
			return
		}
		c.err = &TaskError{FlowRunID: c.scope.run.born.ID, Key: c.key, Name: c.name, Err: err}
	}
}

// recovered, deferred, turns a panic into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = Permanent(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
}

func (c *call) carryOut(ctx context.Context, s spec) (err error) {
	defer recovered(&err)
	c.takeUp()
	if err := c.awaitUpstream(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		c.skip(ctx, NameCancelled, "before it began")
		return context.Cause(ctx)
	}
	digest, err := s.digest()
	if err != nil {
		c.scope.run.logger(c.key).Warn("the input cannot be digested: this call is neither cached nor resumed", "error", err)
		s.cache.On = false
	}
	c.record.InputDigest = digest
	if c.reuse(s) {
		return nil
	}
	if s.label != nil {
		if c.record.RunName, err = s.label(ctx); err != nil {
			return err
		}
	}
	if !s.cache.On {
		return c.attempts(ctx, s)
	}
	return c.throughCache(ctx, s)
}

// takeUp goes on with attempts and times from where an earlier process, or an
// earlier attempt of the flow, left them. What has ended is begun again.
func (c *call) takeUp() {
	p := c.prior
	if p == nil {
		return
	}
	c.record.Attempts, c.record.Start, c.record.Ran = p.Attempts, p.Start, p.Ran
	c.record.State, c.recorded = p.State, p.State
	if p.State.Type.Final() {
		c.record.State = c.scope.run.engine.next(p.State, TypeScheduled, NameResuming, "")
	}
}

// reuse takes over what was recorded before, if that completed for the same
// input.
func (c *call) reuse(s spec) bool {
	p := c.prior
	same := p != nil && p.State.Type == TypeCompleted && p.InputDigest != "" && p.InputDigest == c.record.InputDigest &&
		p.Result != nil && p.Result.Codec == s.codec
	if same {
		c.record = *p
		c.scope.run.tell(c.record, true)
	}
	return same
}

// attempts runs the body until it succeeds or no retry is left.
func (c *call) attempts(ctx context.Context, s spec) error {
	defer c.release()
	var later *Reschedule
	for retry := 0; ; retry++ {
		if err := c.acquire(ctx); err != nil {
			return err
		}
		name := NameRunning
		if c.record.Attempts > 0 {
			name = NameRetrying
		}
		c.record.Attempts++
		if c.begun = c.record.Start; c.begun.IsZero() {
			c.begun = c.scope.run.engine.now()
		}
		if err := c.put(ctx, TypeRunning, name, "", TaskPut{Lazy: true}); err != nil {
			return err
		}
		late, err := c.attempt(ctx, s)
		c.release()
		if err == nil {
			return c.complete(ctx, s)
		}
		switch {
		case errors.Is(err, ErrSuperseded):
			return err
		case ctx.Err() != nil:
			c.outlive(late)
			c.enter(ctx, TypeCancelled, NameCancelled, context.Cause(ctx).Error())
			return context.Cause(ctx)
		case errors.As(err, &later): // it has not failed: its run comes back to it
			c.enter(ctx, TypeScheduled, cmp.Or(later.State, NameScheduled), later.Reason)
			c.settled = true
			return err
		case !s.retry.wants(err, retry):
			final := NameFailed
			if _, own := err.(*timeout); own {
				final = NameTimedOut
			}
			c.enter(ctx, TypeFailed, final, err.Error())
			c.outlive(late)
			return err
		}
		delay := s.retry.delay(retry)
		c.scope.run.logger(c.key).Warn("attempt failed, retrying", "attempt", c.record.Attempts, "of", c.record.Attempts+s.retry.Max-retry, "after", delay.Round(time.Millisecond), "error", err)
		if delay > 0 || late != nil {
			if err := c.put(ctx, TypeScheduled, NameAwaitingRetry, err.Error(), TaskPut{}); err != nil {
				return err
			}
		}
		c.outlive(late) // two attempts at once are two writers
		if err := sleep(ctx, delay); err != nil {
			c.enter(ctx, TypeCancelled, NameCancelled, err.Error())
			return err
		}
	}
}

// lateBody is a body that goes on though its context is done.
type lateBody struct {
	returned <-chan struct{}
	scope    *scope
}

// outlive waits for a late body, for the engine's grace; nil: for none.
func (c *call) outlive(late *lateBody) {
	if late == nil || c.scope.run.engine.outlive(late.returned) {
		return
	}
	late.scope.abandon()
	c.scope.run.logger(c.key).Warn("the task does not return; its result will be discarded")
}

// errGoexit fails a body that called runtime.Goexit.
var errGoexit = errors.New("the body ended its goroutine")

// attempt runs the body once and leaves its result in the record. Where its context
// ends first, the body may be late.
func (c *call) attempt(ctx context.Context, s spec) (late *lateBody, err error) {
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, &timeout{s.timeout})
		defer cancel()
	}
	t := c.taskCtx()
	returned := make(chan struct{})
	var accept func() (*Result, error)
	failed := errGoexit // unless it returns
	go func() {
		defer close(returned)
		defer recovered(&failed)
		accept, failed = s.run(ctx, t)
	}()
	select {
	case <-returned:
	case <-ctx.Done():
		return &lateBody{returned, t.s}, context.Cause(ctx)
	}
	switch {
	case failed != nil && ctx.Err() != nil && !errors.Is(failed, ErrSuperseded):
		return nil, context.Cause(ctx) // which is why it failed
	case failed != nil:
		return nil, failed
	}
	result, err := accept()
	if err != nil {
		return nil, Permanent(fmt.Errorf("store the result: %w", err))
	}
	c.record.Result = result
	return nil, nil
}

func (c *call) complete(ctx context.Context, s spec) error {
	var put TaskPut
	if s.cache.On {
		put.Entry = &CacheEntry{Key: c.cacheKey(s), FlowRunID: c.scope.run.born.RootID, Result: *c.record.Result}
		if s.cache.TTL > 0 {
			put.Entry.Expires = c.scope.run.engine.now().Add(s.cache.TTL)
		}
	}
	return c.put(ctx, TypeCompleted, NameCompleted, "", put)
}
