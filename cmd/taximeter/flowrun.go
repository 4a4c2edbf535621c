package main

import (
	"context"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/pipeline"
)

// openFlows opens what a run works on, which is among its parameters.
func (a *app) openFlows(ctx context.Context, run engine.FlowRun, w *enginecmd.Watcher) ([]engine.Runnable, func() error, error) {
	p, err := pipeline.ParamsOf(run)
	if err != nil {
		return nil, nil, err
	}
	months, err := a.months(p.Data)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.openTracking(ctx, p.TrackingURI)
	if err != nil {
		return nil, nil, err
	}
	months.Progress, months.Attempts = w.Fetched, 1
	return (&pipeline.Flows{Months: months, Tracker: t, Origin: a.origin()}).Runnables(), t.Close, nil
}

// closeAbandoned ends what a run whose process is gone has left running in a registry.
func (a *app) closeAbandoned(ctx context.Context, run engine.FlowRun) error {
	p, err := pipeline.ParamsOf(run)
	if err != nil {
		return err
	}
	t, err := a.openTracking(ctx, p.TrackingURI)
	if err != nil {
		return err
	}
	defer t.Close()
	return (&pipeline.Flows{Tracker: t}).CloseAbandoned(ctx, run)
}

// resumeFlowRun goes on with a training in this process, and reports it.
func (a *app) resumeFlowRun(ctx context.Context, run engine.FlowRun) error {
	p, err := pipeline.ParamsOf(run)
	if err != nil {
		return err
	}
	return a.runTraining(ctx, p, func(ctx context.Context, flows *pipeline.Flows, e *engine.Engine, _ *history.Store) (engine.FlowRun, error) {
		return flows.ResumeTraining(ctx, e, run.ID)
	})
}
