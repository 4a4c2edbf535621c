package engine

import (
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
	// run runs the body once. accept encodes its value and gives it to the
	// future; it is not called for an attempt that came too late.
	run func(ctx context.Context) (accept func() (*Result, error), err error)
}

// ErrTimedOut is wrapped by the error of an attempt that ran out of time.
var ErrTimedOut = errors.New("timed out")

// grace is how long a body may take to return after its context is done. Later
// its goroutine is abandoned and its result discarded.
const grace = 5 * time.Second

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
		c.err = &TaskError{FlowRunID: c.scope.run.record.ID, Key: c.key, Name: c.name, Err: err}
	}
}

// settle records the end of a call that err kept from recording one itself.
func (c *call) settle(ctx context.Context, err error) {
	switch {
	case c.settled || errors.Is(err, ErrSuperseded):
	case ctx.Err() != nil:
		c.enter(ctx, TypeCancelled, NameCancelled, context.Cause(ctx).Error())
	default:
		c.enter(ctx, TypeFailed, NameFailed, err.Error())
	}
}

// skip records that the call is not carried out. One that completed in an
// earlier process keeps its record, so that the next resume can reuse it.
func (c *call) skip(ctx context.Context, name, message string) {
	if c.again && c.prior.State.Type == TypeCompleted {
		c.record, c.settled = c.prior, true
		return
	}
	c.enter(ctx, TypeCancelled, name, message)
}

// recovered, deferred, turns a panic into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = Permanent(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
}

// upstreamError is the error of a call whose argument will never come. It reads
// as the failure that is the cause.
type upstreamError struct{ cause error }

func (e *upstreamError) Error() string { return e.cause.Error() }
func (e *upstreamError) Unwrap() error { return e.cause }

// awaitUpstream waits for the calls that this one depends on. When one has
// failed, this one has ended, and the error says why.
func (c *call) awaitUpstream(ctx context.Context) error {
	for _, u := range c.upstream {
		<-u.done
		if u.err != nil {
			c.skip(ctx, NameUpstreamFailed, u.name+" did not complete")
			return &upstreamError{u.err}
		}
	}
	return nil
}

func (c *call) carryOut(ctx context.Context, s spec) (err error) {
	defer recovered(&err)
	if c.again { // attempts and times go on from those of the earlier process
		c.record.Attempts, c.record.Start, c.record.State = c.prior.Attempts, c.prior.Start, c.prior.State
	}
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
	if hit, err := c.fromCache(ctx, s); hit || err != nil {
		return err
	}
	return c.attempts(ctx, s)
}

// reuse takes over what an earlier process recorded, if that completed for the
// same input.
func (c *call) reuse(s spec) bool {
	p := c.prior
	same := c.again && p.State.Type == TypeCompleted && p.InputDigest != "" && p.InputDigest == c.record.InputDigest &&
		p.Result != nil && p.Result.Codec == s.codec
	if same {
		c.record = p
		c.scope.run.tell(c.record)
	}
	return same
}

// cacheKey identifies the call among those of all runs.
func (c *call) cacheKey(s spec) string {
	version := s.cache.Version
	if version == "" {
		version = c.scope.run.engine.Version
	}
	return combine("cache", c.name, version, s.codec, c.record.InputDigest)
}

func (c *call) fromCache(ctx context.Context, s spec) (bool, error) {
	if !s.cache.On || c.scope.run.record.Refresh {
		return false, nil
	}
	entry, err := c.scope.run.engine.History.Cached(ctx, c.cacheKey(s))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the cache: %w", err)
	}
	c.record.Result = &entry.Result
	c.record.CachedFrom = entry.FlowRunID
	now := c.scope.run.engine.now()
	c.record.Start, c.record.End = now, now
	return true, c.put(ctx, TypeCompleted, NameCached, "from flow run "+entry.FlowRunID, nil)
}

func (c *call) attempts(ctx context.Context, s spec) error {
	for retry := 0; ; retry++ {
		name := NameRunning
		if retry > 0 || c.record.Attempts > 0 {
			name = NameRetrying
		}
		c.record.Attempts++
		if c.record.Start.IsZero() {
			c.record.Start = c.scope.run.engine.now()
		}
		if err := c.put(ctx, TypeRunning, name, "", nil); err != nil {
			return err
		}
		err := c.attempt(ctx, s)
		if err == nil {
			return c.complete(ctx, s)
		}
		switch {
		case errors.Is(err, ErrSuperseded):
			return err
		case ctx.Err() != nil:
			c.enter(ctx, TypeCancelled, NameCancelled, context.Cause(ctx).Error())
			return context.Cause(ctx)
		case !s.retry.wants(err, retry):
			final := NameFailed
			if errors.Is(err, ErrTimedOut) {
				final = NameTimedOut
			}
			c.enter(ctx, TypeFailed, final, err.Error())
			return err
		}
		delay := s.retry.delay(retry)
		c.scope.run.logger(c.key).Warn("attempt failed, retrying", "attempt", c.record.Attempts, "of", c.record.Attempts+s.retry.Max-retry, "after", delay.Round(time.Millisecond), "error", err)
		if delay > 0 {
			if err := c.put(ctx, TypeScheduled, NameAwaitingRetry, err.Error(), nil); err != nil {
				return err
			}
		}
		if err := sleep(ctx, delay); err != nil {
			c.enter(ctx, TypeCancelled, NameCancelled, err.Error())
			return err
		}
	}
}

// attempt runs the body once and leaves its result in the record.
func (c *call) attempt(ctx context.Context, s spec) error {
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("%w after %v", ErrTimedOut, s.timeout))
		defer cancel()
	}
	type outcome struct {
		accept func() (*Result, error)
		err    error
	}
	returned := make(chan outcome, 1)
	go func() {
		o := outcome{err: errors.New("the body ended its goroutine")} // unless it returns
		defer func() { returned <- o }()
		defer recovered(&o.err)
		o.accept, o.err = s.run(ctx)
	}()
	var o outcome
	select {
	case o = <-returned:
	case <-ctx.Done():
		select {
		case <-returned:
		case <-time.After(grace):
			c.scope.run.logger(c.key).Warn("the task does not return; its result will be discarded")
		}
		return context.Cause(ctx)
	}
	if o.err != nil {
		return o.err
	}
	result, err := o.accept()
	if err != nil {
		return fmt.Errorf("store the result: %w", err)
	}
	c.record.Result = result
	return nil
}

func (c *call) complete(ctx context.Context, s spec) error {
	c.record.End = c.scope.run.engine.now()
	var entry *CacheEntry
	if s.cache.On {
		entry = &CacheEntry{Key: c.cacheKey(s), FlowRunID: c.scope.run.record.RootID, Result: *c.record.Result}
		if s.cache.TTL > 0 {
			entry.Expires = c.record.End.Add(s.cache.TTL)
		}
	}
	return c.put(ctx, TypeCompleted, NameCompleted, "", entry)
}

// enter records a final state that is already decided; what cannot be written is
// only logged.
func (c *call) enter(ctx context.Context, t StateType, name, message string) {
	c.record.End = c.scope.run.engine.now()
	if err := c.put(ctx, t, name, message, nil); err != nil && !errors.Is(err, ErrSuperseded) {
		c.scope.run.engine.log().Error("record a task's state", "task", c.key, "state", name, "error", err)
	}
}

// put records the call in a new state. It is written even when ctx is done: what
// was finished by then is not lost.
func (c *call) put(ctx context.Context, t StateType, name, message string, entry *CacheEntry) error {
	c.record.State = c.scope.run.next(c.record.State, t, name, message)
	if err := c.scope.run.engine.History.PutTaskRun(context.WithoutCancel(ctx), c.record, entry); err != nil {
		return fmt.Errorf("record that %s is %s: %w", c.key, name, err)
	}
	c.settled = t.Final()
	if c.record.Result != nil {
		kept := *c.record.Result
		kept.Data = nil // the history has it; the future has the value
		c.record.Result = &kept
	}
	c.scope.run.tell(c.record)
	return nil
}
