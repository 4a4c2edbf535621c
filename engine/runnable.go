package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Options say how to start a run. The zero value starts it now.
type Options struct {
	Name          string // of the run; zero: as Flow.RunName says
	Tags          []string
	ExpectedStart time.Time // when the run was due; zero: now
	Refresh       bool      // use no cached result, and replace them
	Deployment    string    // that the run is of
	// IdempotencyKey, if set, makes at most one run: starting it again finds it, and
	// goes on with it where it has failed.
	IdempotencyKey string
}

// Runnable is a flow whatever its types: what deployments, workers and an API
// know of it. Every Flow is one.
type Runnable interface {
	Info() FlowInfo
	// NewRun returns the record of a run that is not recorded yet, PENDING. The
	// parameters are checked and the defaults filled in; its error is then a
	// ParameterError.
	NewRun(e *Engine, params json.RawMessage, o Options) (FlowRun, error)
	// Launch carries out a new run in this process. Parameters that are not allowed
	// make no run: the error is then a ParameterError, and the run has no ID.
	Launch(ctx context.Context, e *Engine, params json.RawMessage, o Options) (FlowRun, error)
	// Execute carries out a run that is there: one that waits to be begun, that was
	// suspended, has failed, or whose process is gone. It waits for the run's
	// NextStart. A run that has completed is returned as it is.
	Execute(ctx context.Context, e *Engine, id string) (FlowRun, error)
}

// FlowInfo says what a flow is.
type FlowInfo struct {
	Name, Description string
	Tags              []string
	Parameters        *Schema
}

// Info implements Runnable.
func (f Flow[I, O]) Info() FlowInfo {
	s, err := f.schema()
	if err != nil {
		s = &Schema{} // NewRun says why
	}
	return FlowInfo{Name: f.Name, Description: f.Description, Tags: f.Tags, Parameters: s}
}

// NewRun implements Runnable.
func (f Flow[I, O]) NewRun(e *Engine, params json.RawMessage, o Options) (run FlowRun, err error) {
	if err := e.ready(); err != nil {
		return run, err
	}
	if slug(f.Name) == "" {
		return run, fmt.Errorf("a flow is called %q: %w", f.Name, errNoName)
	}
	s, err := f.schema()
	if err != nil {
		return run, err
	}
	now := e.now()
	run = FlowRun{
		ID: NewID(), Flow: f.Name, Name: o.Name, Tags: union(f.Tags, o.Tags), Version: e.Version,
		Refresh: o.Refresh, Deployment: o.Deployment, IdempotencyKey: o.IdempotencyKey,
		Created: now, ExpectedStart: now, Parameters: params,
		State: State{Type: TypePending, Name: NamePending, Time: now},
	}
	run.RootID = run.ID
	if !o.ExpectedStart.IsZero() {
		run.ExpectedStart = o.ExpectedStart.UTC()
	}
	full, err := s.Resolve(params)
	if err == nil {
		run.Parameters = full
	}
	if run.Name == "" {
		run.Name = f.runName(run)
	}
	return run, err
}

// Execute implements Runnable.
func (f Flow[I, O]) Execute(ctx context.Context, e *Engine, id string) (FlowRun, error) {
	run, err := f.adopt(ctx, e, id)
	if err != nil || run.State.Type == TypeCompleted {
		return run, err
	}
	params, err := f.NewRun(e, run.Parameters, Options{})
	if err != nil {
		return f.fail(ctx, e, run, err)
	}
	in, err := f.parameters(params)
	if err != nil {
		return f.fail(ctx, e, run, err)
	}
	_, run, err = f.top(ctx, e, in, run)
	return run, err
}

// fail ends a run whose body cannot be begun.
func (f Flow[I, O]) fail(ctx context.Context, e *Engine, run FlowRun, cause error) (FlowRun, error) {
	from := run.State
	run.State = e.next(from, TypeFailed, NameFailed, cause.Error())
	run.End = run.State.Time
	return run, errors.Join(cause, e.History.PutFlowRun(ctx, run, from))
}

// schema describes the parameters.
func (f Flow[I, O]) schema() (*Schema, error) {
	s, err := SchemaOf[I]()
	if err != nil {
		return nil, fmt.Errorf("describe the parameters of %s: %w", f.Name, err)
	}
	return s, nil
}
