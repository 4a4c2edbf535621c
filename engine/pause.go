package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Pause says how a flow waits for input.
type Pause struct {
	// Key names the pause within its run; zero: "input", and "input-2" for the second
	// that has none. A run waits once for each: whoever asks for the same key again, as
	// when the run is carried out again, has the input that was given.
	Key     string
	Message string        // for who is to give it
	Timeout time.Duration // from the first time the run came here; zero: it waits for ever
	// Suspend ends the process's work on the run until the input is there. The run
	// is then carried out again by whoever executes it; what has completed is not
	// run again.
	Suspend bool
}

// ErrNeverResumed is wrapped by the error of a pause that ran out of time.
var ErrNeverResumed = errors.New("nobody has resumed the run in time")

// Input pauses the run until somebody gives a T, which the run's record describes
// in Waiting. Calls that run meanwhile go on.
func Input[T any](c *Ctx, p Pause) (in T, err error) {
	if p.Key == "" {
		p.Key = c.s.pauseKey()
	}
	schema, err := SchemaOf[T]()
	if err != nil {
		return in, fmt.Errorf("describe the input %s: %w", p.Key, err)
	}
	return checkpoint(c, "Pause", p.Key, func(ctx context.Context, since time.Time) (in T, err error) {
		w := Waiting{FlowRunID: c.RunID(), Key: p.Key, Message: p.Message, Schema: schema}
		if p.Timeout > 0 {
			w.Deadline = since.Add(p.Timeout)
		}
		data, err := c.s.run.input(ctx, w, p.Suspend)
		if err != nil {
			return in, err
		}
		full, err := schema.Resolve(data)
		if err != nil {
			return in, err
		}
		return in, decodeInto(full, &in)
	})
}

// pauseKey is the key of the next pause that has none of its own.
func (s *scope) pauseKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pauses++; s.pauses == 1 {
		return "input"
	}
	return fmt.Sprint("input-", s.pauses)
}

// suspension ends the work on a run that waits for input.
type suspension struct{ Waiting }

func (s *suspension) Error() string { return "the run is suspended until it has " + s.Key }

// input waits for what w wants.
func (r *flowRun) input(ctx context.Context, w Waiting, suspend bool) ([]byte, error) {
	id := r.born.ID
	if data, ok := r.tree.given(id, w.Key); ok {
		return data, nil
	}
	late := !w.Deadline.IsZero() && !r.engine.now().Before(w.Deadline)
	if suspend && !late {
		// The input may be recorded and not delivered yet, as after a restart.
		signals, err := r.engine.History.Signals(ctx, r.tree.rootID, -1)
		if err != nil {
			return nil, err
		}
		for _, s := range signals {
			if s.Kind == SignalResume && s.FlowRunID == id && s.Key == w.Key {
				return s.Input, nil
			}
		}
		return nil, &suspension{w}
	}
	if err := r.enter(ctx, TypePaused, NamePaused, w.Message, func(run *FlowRun) { run.Waiting = &w }); err != nil {
		return nil, err
	}
	if !w.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, time.Now().Add(w.Deadline.Sub(r.engine.now())), fmt.Errorf("%s: %w", w.Key, ErrNeverResumed))
		defer cancel()
	}
	for {
		changed := r.tree.input.next()
		if data, ok := r.tree.given(id, w.Key); ok {
			return data, r.enter(ctx, TypeRunning, NameRunning, "", func(run *FlowRun) { run.Waiting = nil })
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
