package engine

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// body runs a flow's function. What accept stores is kept if the attempt counts.
type body func(*Ctx) (accept func() error, err error)

// carryOut runs the body and takes the run to a final state, or out of this
// process. A run that had completed before stays as it is, unless its body does
// something new.
func (r *flowRun) carryOut(ctx context.Context, do body) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer r.tree.join(ctx, r, cancel)()
	before := r.snapshot()
	if before.State.Type == TypeCompleted {
		return r.replay(ctx, do)
	}
	if err := r.engine.wait(ctx, before.NextStart); err != nil {
		return r.end(ctx, context.Cause(ctx))
	}
	for retry := 0; ; retry++ {
		if err := r.begin(ctx); err != nil {
			return r.end(ctx, err)
		}
		err := r.attempt(ctx, do, retry)
		if err == nil || ctx.Err() != nil || !r.retry.wants(err, retry) {
			return r.end(ctx, err)
		}
		if again, err := r.again(ctx, err, retry); !again {
			return err
		}
	}
}

// replay runs the body of a run that had completed, for its value.
func (r *flowRun) replay(ctx context.Context, do body) error {
	err := r.attempt(ctx, do, r.retry.Max)
	r.mu.Lock()
	worked := r.worked
	r.mu.Unlock()
	if !worked && (err == nil || ctx.Err() != nil) {
		return err
	}
	if berr := r.begin(ctx); berr != nil {
		return errors.Join(err, berr)
	}
	return r.end(ctx, err)
}

// begin enters RUNNING.
func (r *flowRun) begin(ctx context.Context) error {
	if now := r.snapshot(); now.State.Type.Final() {
		if err := r.enter(ctx, TypeScheduled, NameResuming, "", nil); err != nil {
			return err
		}
	}
	name := NameRunning
	if r.snapshot().Attempts > 0 {
		name = NameRetrying
	}
	return r.enter(ctx, TypeRunning, name, "", func(run *FlowRun) {
		run.Attempts++
		run.NextStart, run.Waiting = time.Time{}, nil
		if run.Start.IsZero() {
			run.Start = run.State.Time
		}
	})
}

// again waits before the attempt that follows a failed one.
func (r *flowRun) again(ctx context.Context, cause error, retry int) (bool, error) {
	var err error
	if r.snapshot().State.Name != NameAwaitingRetry {
		err = r.awaitRetry(ctx, cause, retry)
	}
	if err == nil {
		err = r.engine.wait(ctx, r.snapshot().NextStart)
	}
	if err != nil {
		return false, r.end(ctx, err)
	}
	return true, nil
}

// awaitRetry enters AwaitingRetry.
func (r *flowRun) awaitRetry(ctx context.Context, cause error, retry int) error {
	delay := r.retry.delay(retry)
	r.logger("").Warn("attempt failed, retrying", "attempt", r.snapshot().Attempts, "after", delay.Round(time.Millisecond), "error", cause)
	return r.enter(ctx, TypeScheduled, NameAwaitingRetry, cause.Error(), func(run *FlowRun) {
		run.NextStart = run.State.Time.Add(delay)
	})
}

// attempt runs the function once and then waits for all it has called.
func (r *flowRun) attempt(ctx context.Context, do body, retry int) error {
	r.made.Store(0)
	var late error
	if r.timeout > 0 {
		late = &timeout{r.timeout}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.timeout, late)
		defer cancel()
	}
	s := newScope(ctx, r, "", nil)
	ended := make(chan struct{})
	var accept func() error
	err := errGoexit // unless it returns
	go func() {
		defer close(ended)
		func() {
			defer recovered(&err)
			accept, err = do(&Ctx{s})
		}()
		if unseen := s.join(); err == nil {
			err = unseen
		}
	}()
	select {
	case <-ended:
		switch {
		case err == nil:
			return accept()
		case ctx.Err() == nil, errors.Is(err, ErrSuperseded):
			return err
		}
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	timedOut := late != nil && cause == late
	if timedOut {
		if err := r.timedOut(ctx, cause, retry); err != nil {
			cause = errors.Join(cause, err)
		}
	}
	if !r.engine.outlive(ended) {
		s.abandon()
		r.logger("").Warn("the flow's function does not return: what it does from now on is discarded")
	} else if !timedOut && err == nil {
		return errors.Join(cause, accept()) // cancelled too late to lose the result
	}
	return cause
}

// timedOut says so at the deadline, not when the function deigns to notice.
func (r *flowRun) timedOut(ctx context.Context, cause error, retry int) error {
	if r.retry.wants(cause, retry) {
		return r.awaitRetry(ctx, cause, retry)
	}
	return r.enter(ctx, TypeFailed, NameTimedOut, cause.Error(), nil)
}

// end takes the run to the state that err asks for.
func (r *flowRun) end(ctx context.Context, err error) error {
	var refused *TransitionError
	var reschedule *Reschedule
	var suspended *suspension
	put := func(t StateType, name, message string, change func(*FlowRun)) error {
		perr := r.enter(ctx, t, name, message, change)
		if errors.As(perr, &refused) && refused.From.Type == TypeCancelling && t != TypeCancelled {
			return errors.Join(err, ErrCancelled, r.enter(ctx, TypeCancelled, NameCancelled, refused.From.Message, change))
		}
		return errors.Join(err, perr)
	}
	switch {
	case errors.Is(err, ErrSuperseded):
		return err
	case err == nil:
		name, message := NameCompleted, ""
		r.mu.Lock()
		if r.calls > 0 && r.cached == r.calls {
			name, message = NameCached, "every task came from the cache"
		}
		r.mu.Unlock()
		return put(TypeCompleted, name, message, nil)
	case errors.As(err, &refused) && refused.From.Type == TypeCancelling:
		return errors.Join(ErrCancelled, r.enter(ctx, TypeCancelled, NameCancelled, refused.From.Message, nil))
	case errors.As(err, &refused):
		return err
	case ctx.Err() != nil:
		message := context.Cause(ctx).Error()
		if now := r.snapshot().State.Type; now != TypeCancelling {
			if perr := r.enter(ctx, TypeCancelling, NameCancelling, message, nil); perr != nil && r.snapshot().State.Type != TypeCancelling {
				return errors.Join(err, perr)
			}
		}
		return put(TypeCancelled, NameCancelled, r.snapshot().State.Message, nil)
	case errors.As(err, &reschedule):
		return put(TypeScheduled, cmp.Or(reschedule.State, NameScheduled), reschedule.Reason, func(run *FlowRun) {
			run.NextStart = reschedule.At.UTC()
		})
	case errors.As(err, &suspended):
		return put(TypePaused, NameSuspended, suspended.Message, func(run *FlowRun) { run.Waiting = &suspended.Waiting })
	case errors.Is(err, ErrTimedOut) && r.snapshot().State.Name == NameTimedOut:
		return err
	}
	return put(TypeFailed, NameFailed, err.Error(), nil)
}
