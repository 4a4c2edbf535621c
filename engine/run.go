package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// flowRun is a flow run while it runs in this process.
type flowRun struct {
	settings
	engine *Engine
	tree   *tree
	made   atomic.Int64 // calls begun by this attempt
	epoch  atomic.Int64 // of the attempt: what an abandoned one writes is refused
	slots  chan struct{}
	gate   gate
	// changed is told of each new state, after it is recorded; nil: nobody is.
	changed func(ctx context.Context) error

	born   FlowRun    // as this process found it, for what does not change
	state  sync.Mutex // held while a state is recorded and told
	record FlowRun

	mu     sync.Mutex
	prior  map[string]TaskRun // the latest record of each call, by key
	worked bool               // a call did something, instead of being reused
	cached int                // calls answered from the cache
	from   string             // the run that produced the first of those
	calls  int
}

// newRun loads what earlier processes did for this run.
func (e *Engine) newRun(ctx context.Context, s settings, record FlowRun, parent *flowRun) (*flowRun, error) {
	r := &flowRun{settings: s, engine: e, born: record, record: record, prior: map[string]TaskRun{}}
	if s.concurrency > 1 {
		r.slots = make(chan struct{}, s.concurrency)
	}
	if parent != nil {
		r.tree = parent.tree
	} else {
		r.tree = &tree{history: e.History, log: e.log(), rootID: record.ID, runs: map[string]member{}, inputs: map[[2]string]json.RawMessage{}}
	}
	if record.Attempts == 0 && record.State.Type == TypePending {
		return r, nil // nothing was done yet
	}
	tasks, err := e.History.TaskRuns(ctx, record.ID)
	if err != nil {
		return nil, fmt.Errorf("read the calls of flow run %s: %w", record.ID, err)
	}
	for _, t := range tasks {
		r.prior[t.Key] = t
	}
	return r, nil
}

func (r *flowRun) snapshot() FlowRun {
	r.state.Lock()
	defer r.state.Unlock()
	return r.record
}

func (r *flowRun) setResult(data []byte) {
	r.state.Lock()
	defer r.state.Unlock()
	r.record.Result = data
}

// latest returns what is recorded of a call.
func (r *flowRun) latest(key string) (t TaskRun, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok = r.prior[key]
	return t, ok
}

// tell counts a call's new state and passes it on. reused says that an earlier
// process has recorded it.
func (r *flowRun) tell(t TaskRun, reused bool) {
	r.mu.Lock()
	r.prior[t.Key] = t
	if t.State.Type.Final() && t.Kind != KindCheckpoint {
		r.calls++
		if t.State.Name == NameCached {
			r.cached++
			r.from = cmp.Or(r.from, t.CachedFrom)
		}
	}
	r.worked = r.worked || !reused
	r.mu.Unlock()
	if o := r.engine.Observer; o != nil {
		o.TaskRun(t)
	}
}

// enter records the flow run in a new state, written even when ctx is done.
// change, which may be nil, changes the record too.
func (r *flowRun) enter(ctx context.Context, t StateType, name, message string, change func(*FlowRun)) error {
	r.state.Lock()
	defer r.state.Unlock()
	from, next := r.record.State, r.record
	next.State = r.engine.next(from, t, name, message)
	next.Ran = ran(from, next.Ran, next.State.Time)
	switch {
	case t.Final():
		next.End, next.Waiting = next.State.Time, nil
	case t != TypeCancelling:
		next.End = time.Time{}
	}
	if change != nil {
		change(&next)
	}
	err := CheckFlow(from, next.State)
	if err == nil {
		err = r.engine.History.PutFlowRun(context.WithoutCancel(ctx), next, from)
	}
	var refused *TransitionError
	if errors.As(err, &refused) && refused.From.Type != "" {
		r.record.State = refused.From // somebody else has asked it to end
	}
	if err != nil {
		return err
	}
	r.record = next
	if o := r.engine.Observer; o != nil {
		o.FlowRun(next)
	}
	if r.changed != nil {
		err = r.changed(ctx)
	}
	r.hook(ctx, next)
	return err
}

// hook calls the flow's OnState.
func (r *flowRun) hook(ctx context.Context, run FlowRun) {
	if r.onState == nil {
		return
	}
	var err error
	func() {
		defer recovered(&err)
		r.onState(context.WithoutCancel(ctx), run)
	}()
	if err != nil {
		r.engine.log().Error("call a flow's OnState", "flow", run.Flow, "run", run.ID, "error", err)
	}
}

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
		err := r.attempt(ctx, do)
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
	err := r.attempt(ctx, do)
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
	delay := r.retry.delay(retry)
	r.logger("").Warn("attempt failed, retrying", "attempt", r.snapshot().Attempts, "after", delay.Round(time.Millisecond), "error", cause)
	err := r.enter(ctx, TypeScheduled, NameAwaitingRetry, cause.Error(), func(run *FlowRun) {
		run.NextStart = run.State.Time.Add(delay)
	})
	if err == nil {
		err = sleep(ctx, delay)
	}
	if err != nil {
		return false, r.end(ctx, err)
	}
	return true, nil
}

// attempt runs the function once and then waits for all it has called.
func (r *flowRun) attempt(ctx context.Context, do body) error {
	epoch := r.epoch.Add(1)
	r.made.Store(0)
	late := error(nil)
	if r.timeout > 0 {
		late = fmt.Errorf("%w after %v", ErrTimedOut, r.timeout)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.timeout, late)
		defer cancel()
	}
	s := newScope(ctx, r, "", nil, epoch)
	returned := make(chan struct{})
	var accept func() error
	err := errors.New("the flow's function ended its goroutine") // unless it returns
	go func() {
		defer close(returned)
		func() {
			defer recovered(&err)
			accept, err = do(&Ctx{s})
		}()
		if unseen := s.join(); err == nil {
			err = unseen
		}
	}()
	select {
	case <-returned:
		if err == nil {
			return accept()
		}
		return err
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	if cause == late && late != nil {
		// At the deadline, not when the function deigns to notice.
		err := r.enter(ctx, TypeFailed, NameTimedOut, cause.Error(), nil)
		cause = errors.Join(cause, err)
	}
	if !r.engine.outlive(returned) {
		r.epoch.Add(1)
		r.logger("").Warn("the flow's function does not return: what it does from now on is discarded")
	} else if cause != late && err == nil {
		return errors.Join(cause, accept()) // cancelled too late to lose the result
	}
	return cause
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
