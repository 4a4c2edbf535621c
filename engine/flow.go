package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Flow is a function that calls tasks and other flows. Called within a flow
// with Submit, it is a subflow with a run record of its own; a run at the top is
// begun with Start. The zero settings are: no retry, no timeout, no limit.
//
// The body returns an Arg, so that a result may be made of futures that nobody
// has needed yet; Val makes one of a value. A run fails when its body returns an
// error, or when a call failed and nobody has looked at its error.
type Flow[I, O any] struct {
	Name        string
	Description string
	Tags        []string // every run has them
	// RunName names runs, such as "train {date}": what stands in braces is a
	// parameter, as for Task.RunName, {flow} or {expected_start}. Zero: a name such as
	// "flashy-dove".
	RunName string
	// Concurrency is how many bodies of this flow's tasks run at once; zero: no
	// limit. With 1, calls are carried out one after the other, as they were made.
	Concurrency int
	Retry       Retry         // of the whole body; calls that completed are not made again
	Timeout     time.Duration // for each attempt
	Func        func(c *Ctx, in I) (Arg[O], error)
	// OnState, if set, is called after each state of a run has been recorded, and
	// holds the run up while it runs. Its panics are logged.
	OnState func(ctx context.Context, run FlowRun)
}

// Start runs the flow from the top, in a new run, and waits for it. The record
// is returned with an error too, once there is one. Parameters that the flow's
// schema does not allow end the run before it has begun, with a ParameterError. What
// the body is given is decoded from the run's record, now as when it is resumed.
func (f Flow[I, O]) Start(ctx context.Context, e *Engine, in I, o Options) (out O, run FlowRun, err error) {
	params, err := marshal(in)
	if err != nil {
		return out, run, fmt.Errorf("encode the parameters of %s: %w", f.Name, err)
	}
	run, err = f.NewRun(e, params, o)
	var invalid *ParameterError
	if errors.As(err, &invalid) {
		return out, run, errors.Join(err, f.refuse(ctx, e, &run, err))
	}
	if err != nil {
		return out, run, err
	}
	if in, err = f.parameters(run); err != nil {
		return out, run, err
	}
	made, err := e.History.CreateFlowRun(ctx, run)
	if err != nil {
		return out, run, fmt.Errorf("record a run of %s: %w", f.Name, err)
	}
	if made.ID != run.ID { // the same run was asked for before
		return f.Resume(ctx, e, made.ID)
	}
	return f.top(ctx, e, in, made)
}

// refuse records a run whose parameters are not allowed.
func (f Flow[I, O]) refuse(ctx context.Context, e *Engine, run *FlowRun, cause error) error {
	run.State = State{Type: TypeFailed, Name: NameFailed, Message: cause.Error(), Time: run.Created}
	run.End = run.Created
	_, err := e.History.CreateFlowRun(ctx, *run)
	return err
}

// Resume runs the body of an earlier run again, with the parameters it was
// started with. Calls that completed are not run again. A run that has completed
// hands back its result; one whose owner lives is refused with an OwnedError.
func (f Flow[I, O]) Resume(ctx context.Context, e *Engine, id string) (out O, run FlowRun, err error) {
	run, err = f.adopt(ctx, e, id)
	switch {
	case err != nil:
		return out, run, err
	case run.State.Type == TypeCompleted:
		return out, run, decodeInto(run.Result, &out)
	}
	run.Recoveries, run.NextStart = 0, time.Time{} // somebody asked for it, now
	in, err := f.parameters(run)
	if err != nil {
		return out, run, err
	}
	return f.top(ctx, e, in, run)
}

// parameters are those of a run, as its body is given them.
func (f Flow[I, O]) parameters(run FlowRun) (in I, err error) {
	if err := decodeInto(run.Parameters, &in); err != nil {
		return in, fmt.Errorf("read the parameters of %s: %w", f.Name, err)
	}
	return in, nil
}

// adopt takes over a run of this flow.
func (f Flow[I, O]) adopt(ctx context.Context, e *Engine, id string) (run FlowRun, err error) {
	if err := e.ready(); err != nil {
		return run, err
	}
	if run, err = e.History.FlowRun(ctx, id); err != nil {
		return run, err
	}
	switch {
	case run.Flow != f.Name:
		return run, fmt.Errorf("flow run %s is a run of %s, not of %s", id, run.Flow, f.Name)
	case run.ParentID != "":
		return run, fmt.Errorf("flow run %s is part of run %s: resume that one", id, run.RootID)
	}
	adopted, err := e.History.AdoptFlowRun(ctx, id)
	if err != nil {
		return run, err
	}
	return adopted, nil
}

func decodeInto(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode a stored %T: %w", v, err)
	}
	return nil
}

// settings are a flow without its types.
type settings struct {
	name        string
	concurrency int
	retry       Retry
	timeout     time.Duration
	onState     func(context.Context, FlowRun)
}

func (f Flow[I, O]) settings() settings {
	return settings{f.Name, f.Concurrency, f.Retry, f.Timeout, f.OnState}
}

// top carries out a run that has no parent.
func (f Flow[I, O]) top(ctx context.Context, e *Engine, in I, record FlowRun) (out O, run FlowRun, err error) {
	r, err := e.newRun(ctx, f.settings(), record, nil)
	if err != nil {
		return out, record, err
	}
	err = r.carryOut(ctx, func(c *Ctx) (accept func() error, err error) {
		result, err := f.call(c, in)
		if err != nil {
			return nil, err
		}
		v, err := result.value(c.s.ctx)
		if err != nil {
			return nil, err
		}
		data, err := marshal(v)
		if err != nil {
			return nil, fmt.Errorf("store the result of %s: %w", f.Name, err)
		}
		return func() error { out = v; r.setResult(data); return nil }, nil
	})
	return out, r.snapshot(), err
}

// call runs the body and waits for what its result is made of.
func (f Flow[I, O]) call(c *Ctx, in I) (Arg[O], error) {
	if f.Func == nil {
		return nil, fmt.Errorf("flow %s has no Func", f.Name)
	}
	result, err := f.Func(c, in)
	switch {
	case err != nil:
		return nil, err
	case result == nil:
		return nil, fmt.Errorf("flow %s returned neither a result nor an error: want engine.Val or a future", f.Name)
	}
	for _, u := range result.calls() {
		u.observed.Store(true)
		<-u.done
		if err := u.failed(); err != nil {
			return nil, err
		}
	}
	return result, nil
}
