package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// call is one call of a task or subflow, whatever its types.
type call struct {
	scope     *scope
	key, name string
	upstream  []need
	previous  *call    // in a flow that makes one call after the other
	refused   bool     // it is not made: it has ended already, with an error
	prior     *TaskRun // what was recorded for this call before; nil: nothing
	done      chan struct{}
	observed  atomic.Bool // somebody waits for the result and will see the error

	ending    sync.Mutex
	over      bool     // done is closed, or about to be
	listeners []func() // told then

	consumers atomic.Int64 // calls that take the result and have not ended
	drop      func()       // lets go of the value in memory
	onState   func(context.Context, TaskRun)

	slots holding
	turn  *turn // nil: it has not begun, or needs none

	// Written by the goroutine that executes the call; read after done.
	record   TaskRun
	recorded State     // as the history has it
	begun    time.Time // first attempt, by whatever process
	settled  bool      // its end is recorded
	err      error
}

// ended closes the call. What it took is let go of once no other call waits for
// it: should somebody ask again, it is read from where it is stored.
func (c *call) ended() {
	c.end()
	for _, u := range c.upstream {
		if u.consumers.Add(-1) == 0 {
			u.drop()
		}
	}
}

// refuse ends a call that cannot be made, and of which there is no record.
func (c *call) refuse(why error) *call {
	c.refused, c.err = true, fmt.Errorf("call %s: %w", c.name, why)
	c.end()
	return c
}

// wait waits for the call, or until ctx is done. A task that waits for a call of its
// own gives its slots to others meanwhile.
func (c *call) wait(ctx context.Context) error {
	select {
	case <-c.done:
		return nil
	default:
	}
	if by := c.scope.by; by != nil {
		by.lend()
		defer by.reclaim(c.scope.ctx)
	}
	return until(ctx, c.done)
}

// put records the call in a new state. It is written even when ctx is done: what
// was finished by then is not lost. A lazy write is on the disk with the next one.
func (c *call) put(ctx context.Context, t StateType, name, message string, how TaskPut) error {
	if c.scope.stale() {
		return fmt.Errorf("record that %s is %s: the attempt was abandoned: %w", c.key, name, ErrSuperseded)
	}
	s := c.scope.run.engine.next(c.record.State, t, name, message)
	if c.record.State.Time != c.recorded.Time {
		how.Via = append(how.Via, c.record.State)
	}
	c.record.Ran = ran(c.record.State, c.record.Ran, s.Time)
	c.record.State, how.From = s, c.recorded
	if t == TypeRunning && c.record.Start.IsZero() {
		c.record.Start = s.Time
	}
	if t.Final() {
		c.record.End = s.Time
	}
	how.Task = c.record
	err := c.turn.during(func() error {
		return c.scope.run.engine.History.PutTaskRun(context.WithoutCancel(ctx), how)
	})
	var refused *TransitionError
	if errors.As(err, &refused) {
		err = fmt.Errorf("%w: %w", ErrSuperseded, err) // somebody else has written this call
	}
	if err != nil {
		return fmt.Errorf("record that %s is %s: %w", c.key, name, err)
	}
	c.recorded, c.settled = s, t.Final()
	if c.record.Result != nil {
		kept := *c.record.Result
		kept.Data = nil // the history has it; the future has the value
		c.record.Result = &kept
	}
	c.scope.run.tell(c.record, false)
	c.hook(ctx)
	return nil
}

// hook calls the task's OnState.
func (c *call) hook(ctx context.Context) {
	if c.onState == nil {
		return
	}
	var err error
	func() {
		defer recovered(&err)
		c.onState(context.WithoutCancel(ctx), c.record)
	}()
	if err != nil {
		c.scope.run.engine.log().Error("call a task's OnState", "task", c.key, "error", err)
	}
}

// enter records a final state that is already decided; what cannot be written is
// only logged.
func (c *call) enter(ctx context.Context, t StateType, name, message string) {
	if err := c.put(ctx, t, name, message, TaskPut{}); err != nil && !errors.Is(err, ErrSuperseded) {
		c.scope.run.engine.log().Error("record a task's state", "task", c.key, "state", name, "error", err)
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

// skip records that the call is not carried out. One that completed before keeps
// its record, so that the next resume can reuse it.
func (c *call) skip(ctx context.Context, name, message string) {
	if c.prior != nil && c.prior.State.Type == TypeCompleted {
		c.record, c.settled = *c.prior, true
		return
	}
	c.enter(ctx, TypeCancelled, name, message)
}

// upstreamError is the error of a call whose argument will never come. It reads
// as the failure that is the cause.
type upstreamError struct{ cause error }

func (e *upstreamError) Error() string { return e.cause.Error() }
func (e *upstreamError) Unwrap() error { return e.cause }

// awaitUpstream waits for the calls that this one depends on. When one has
// failed, this one has ended, and the error says why.
func (c *call) awaitUpstream(ctx context.Context) error {
	if c.previous != nil {
		<-c.previous.done
	}
	told := false
	for _, u := range c.upstream {
		select {
		case <-u.done:
		default:
			if !told && c.recorded.Type == "" { // it may take long: show that it waits
				told = true
				_ = c.show(ctx)
			}
			<-u.done
		}
		if err := u.failed(); err != nil {
			c.skip(ctx, NameUpstreamFailed, u.name+" did not complete")
			return &upstreamError{err}
		}
	}
	return nil
}

// show records a new call as PENDING. Should that fail, so will the next write.
func (c *call) show(ctx context.Context) error {
	if c.scope.stale() {
		return ErrSuperseded
	}
	err := c.scope.run.engine.History.PutTaskRun(context.WithoutCancel(ctx), TaskPut{Task: c.record, Lazy: true})
	if err == nil {
		c.recorded = c.record.State
		c.scope.run.tell(c.record, false)
	}
	return err
}

// holding are the slots of a task whose body runs: one of its flow, and those of
// the limits that its tags name.
type holding struct {
	mu       sync.Mutex
	wanted   bool // from acquire to release
	held     bool
	flow     bool     // it has one of the flow's
	limits   []string // whose slots it has
	lent     int      // goroutines of the body that wait for calls of their own
	occupied int      // calls of Occupy
}
