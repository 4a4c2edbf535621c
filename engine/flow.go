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
// begun with Start.
//
// The body returns an Arg, so that a result may be made of futures that nobody
// has needed yet; Val makes one of a value. A run fails when its body returns an
// error, or when a call failed and nobody has looked at its error.
type Flow[I, O any] struct {
	Name string
	Func func(c *Ctx, in I) (Arg[O], error)
}

// Options say how to start a run. The zero value starts it now.
type Options struct {
	ExpectedStart time.Time // when the run was due; zero: now
	Refresh       bool      // use no cached result, and replace them
}

// Start runs the flow from the top, in a new run, and waits for it. The record
// is returned with an error too, once there is one.
func (f Flow[I, O]) Start(ctx context.Context, e *Engine, in I, o Options) (out O, run FlowRun, err error) {
	if err := e.ready(); err != nil {
		return out, run, err
	}
	params, err := marshal(in)
	if err != nil {
		return out, run, fmt.Errorf("encode the parameters of %s: %w", f.Name, err)
	}
	record := f.newRecord(e, params)
	record.RootID = record.ID
	record.Refresh = o.Refresh
	if !o.ExpectedStart.IsZero() {
		record.ExpectedStart = o.ExpectedStart.UTC()
	}
	if err := e.History.CreateFlowRun(ctx, record); err != nil {
		return out, run, fmt.Errorf("record a run of %s: %w", f.Name, err)
	}
	return f.top(ctx, e, in, record)
}

// Resume runs the body of an earlier run again, with the parameters it was
// started with. Calls that completed are not run again. A run that has completed
// hands back its result; one whose owner lives is refused with an OwnedError.
func (f Flow[I, O]) Resume(ctx context.Context, e *Engine, id string) (out O, run FlowRun, err error) {
	if err := e.ready(); err != nil {
		return out, run, err
	}
	if run, err = e.History.FlowRun(ctx, id); err != nil {
		return out, run, err
	}
	switch {
	case run.Flow != f.Name:
		return out, run, fmt.Errorf("flow run %s is a run of %s, not of %s", id, run.Flow, f.Name)
	case run.ParentID != "":
		return out, run, fmt.Errorf("flow run %s is part of run %s: resume that one", id, run.RootID)
	case run.State.Type == TypeCompleted:
		return out, run, decodeInto(run.Result, &out)
	}
	if run, err = e.History.AdoptFlowRun(ctx, id); err != nil {
		return out, run, err
	}
	var in I
	if err := decodeInto(run.Parameters, &in); err != nil {
		return out, run, err
	}
	return f.top(ctx, e, in, run)
}

func decodeInto(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode a stored %T: %w", v, err)
	}
	return nil
}

func (f Flow[I, O]) newRecord(e *Engine, params json.RawMessage) FlowRun {
	now := e.now()
	return FlowRun{
		ID: newID(), Flow: f.Name, Name: runName(), Parameters: params, Version: e.Version,
		Created: now, ExpectedStart: now,
		State: State{Type: TypePending, Name: NamePending, Time: now},
	}
}

// top carries out a run that has no parent.
func (f Flow[I, O]) top(ctx context.Context, e *Engine, in I, record FlowRun) (out O, run FlowRun, err error) {
	r, err := e.newRun(ctx, record)
	if err != nil {
		return out, record, err
	}
	err = r.carryOut(ctx, func(c *Ctx) error {
		result, err := f.call(c, in)
		if err != nil {
			return err
		}
		if out, err = result.value(ctx); err != nil {
			return err
		}
		if r.record.Result, err = marshal(out); err != nil {
			return fmt.Errorf("store the result of %s: %w", f.Name, err)
		}
		return nil
	})
	return out, r.record, err
}

// call runs the body and waits for what its result is made of.
func (f Flow[I, O]) call(c *Ctx, in I) (Arg[O], error) {
	result, err := f.Func(c, in)
	if err != nil {
		return nil, err
	}
	for _, u := range result.calls() {
		u.observed.Store(true)
		<-u.done
		if u.err != nil {
			return nil, u.err
		}
	}
	return result, nil
}

// newRun loads what earlier processes did for this run.
func (e *Engine) newRun(ctx context.Context, record FlowRun) (*flowRun, error) {
	r := &flowRun{engine: e, record: record, prior: map[string]TaskRun{}}
	tasks, err := e.History.TaskRuns(ctx, record.ID)
	if err != nil {
		return nil, fmt.Errorf("read the calls of flow run %s: %w", record.ID, err)
	}
	for _, t := range tasks {
		r.prior[t.Key] = t
	}
	return r, nil
}

// carryOut runs the body and takes the run to a final state. A run that had
// completed before stays as it is, unless its body does something new.
func (r *flowRun) carryOut(ctx context.Context, body func(*Ctx) error) error {
	replay := r.record.State.Type == TypeCompleted
	if !replay {
		if r.record.State.Type == TypeRunning || r.record.State.Type == TypeCancelling {
			if err := r.put(ctx, TypeCrashed, NameCrashed, "its process ended"); err != nil {
				return err
			}
		}
		if err := r.start(ctx); err != nil {
			return err
		}
	}
	err := r.body(ctx, body)
	if errors.Is(err, ErrSuperseded) {
		return err
	}
	if replay && !r.worked && (err == nil || ctx.Err() != nil) {
		return err
	}
	r.record.End = r.engine.now()
	switch {
	case err == nil && r.calls > 0 && r.cached == r.calls:
		return r.put(ctx, TypeCompleted, NameCached, "every task came from the cache")
	case err == nil:
		return r.put(ctx, TypeCompleted, NameCompleted, "")
	case ctx.Err() != nil:
		if perr := r.put(ctx, TypeCancelling, NameCancelling, context.Cause(ctx).Error()); perr != nil {
			return errors.Join(err, perr)
		}
		return errors.Join(err, r.put(ctx, TypeCancelled, NameCancelled, context.Cause(ctx).Error()))
	}
	return errors.Join(err, r.put(ctx, TypeFailed, NameFailed, err.Error()))
}

func (r *flowRun) start(ctx context.Context) error {
	name := NameRunning
	if r.record.Attempts > 0 {
		name = NameRetrying
	}
	r.record.Attempts++
	r.record.End = time.Time{}
	if r.record.Start.IsZero() {
		r.record.Start = r.engine.now()
	}
	return r.put(ctx, TypeRunning, name, "")
}

// body runs the function and then waits for all it has called.
func (r *flowRun) body(ctx context.Context, body func(*Ctx) error) (err error) {
	s := newScope(ctx, r, "")
	func() {
		defer recovered(&err)
		err = body(&Ctx{s})
	}()
	if unseen := s.join(); err == nil {
		err = unseen
	}
	return err
}
