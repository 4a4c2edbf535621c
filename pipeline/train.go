package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/linear"
	"github.com/taximeter/taximeter/registry"
)

// TrainFlow is the name of the training flow.
const TrainFlow = "train"

// Train returns the flow that turns two months of rides into a staged model:
// train on the first, validate on the second.
func (f *Flows) Train() engine.Flow[TrainParams, Staged] {
	return engine.Flow[TrainParams, Staged]{Name: TrainFlow, Func: f.train}
}

func (f *Flows) train(c *engine.Ctx, p TrainParams) (engine.Arg[Staged], error) {
	p, err := p.due(c.ExpectedStart())
	if err != nil {
		return nil, err
	}
	train := f.locate(p, c.ExpectedStart()).Keyed("train").Submit(c, engine.Val(p.Train))
	valid := f.locate(p, c.ExpectedStart()).Keyed("valid").Submit(c, engine.Val(p.Valid))
	if err := p.awaitMonths(c.Context(), train, valid); err != nil {
		return nil, err
	}
	tracked := f.startTracking().Submit(c, engine.Val(p.parent(c)))
	// After tracked: nothing is worth computing for a server that does not answer.
	split := preprocess.Submit(c, engine.Join3(train, valid, engine.Val(p.encodings()[0]), newRawSplit), tracked)
	baseline := fitBaseline.Submit(c, engine.Join2(split, engine.Val(linear.Params{Solver: p.Baseline, Alpha: p.Alpha}), newBaselineInput))

	files := engine.Join2(train, valid, newFilePair)
	log := func(name string, fit engine.Arg[Fit], fittedBy engine.Arg[string]) *engine.Future[TrackedRun] {
		entry := engine.Join2(engine.Join3(tracked, fit, fittedBy, newLogInput), files, logInput.of)
		return f.logRun().Keyed(name).Submit(c, entry)
	}
	logged := []engine.Arg[TrackedRun]{log("linear", baseline, baseline.Origin())}

	splits := map[features.Encoding]*engine.Future[Split]{p.encodings()[0]: split}
	encoded := func(e features.Encoding) *engine.Future[Split] {
		if splits[e] == nil {
			splits[e] = encode.Keyed(string(e)).Submit(c, engine.Join3(train, valid, engine.Val(e), newRawSplit), split)
		}
		return splits[e]
	}
	s := search{Search: p.Search, flow: c, encode: encoded, log: log, before: baseline}
	trials, err := s.run()
	if err != nil {
		return nil, err
	}
	runs := engine.Join2(tracked, engine.List(append(logged, trials...)...), newLoggedRuns)
	chosen := f.choose().Submit(c, engine.Join2(runs, engine.Val(p.Gate), newCandidates))
	staged := f.stage().Submit(c, engine.Join2(chosen, engine.Val(p.staging(c)), newStageInput))
	last := []engine.Dependency{staged}
	if p.TrialCount > 1 {
		last = append(last, f.markBest().Submit(c, runs))
	}
	publishReport(p.Date).Submit(c, runs)
	f.finishTracking().Submit(c, tracked, last...)
	return staged, nil
}

// StartTraining runs the flow from the top. However it ends, no tracked run of
// it is left running.
func (f *Flows) StartTraining(ctx context.Context, e *engine.Engine, p TrainParams, o engine.Options) (engine.FlowRun, error) {
	_, run, err := f.Train().Start(ctx, e, p, o)
	return run, errors.Join(err, f.closeRuns(ctx, p, run, err))
}

// ResumeTraining resumes a run of the flow, as Flow.Resume does.
func (f *Flows) ResumeTraining(ctx context.Context, e *engine.Engine, id string) (engine.FlowRun, error) {
	_, run, err := f.Train().Resume(ctx, e, id)
	var owned *engine.OwnedError
	if errors.As(err, &owned) || run.ID == "" {
		return run, err
	}
	p, perr := ParamsOf(run)
	if perr != nil {
		return run, errors.Join(err, perr)
	}
	return run, errors.Join(err, f.closeRuns(ctx, p, run, err))
}

// closeRuns ends the tracked runs that a failed or cancelled flow run leaves
// behind.
func (f *Flows) closeRuns(ctx context.Context, p TrainParams, run engine.FlowRun, cause error) error {
	if cause == nil || !run.State.Type.Final() || errors.Is(cause, engine.ErrSuperseded) {
		return nil
	}
	status := registry.Failed
	if ctx.Err() != nil {
		status = registry.Killed
	}
	return f.endRuns(context.WithoutCancel(ctx), p, run, status)
}

// CloseAbandoned ends the tracked runs of a training whose process ended before
// it could. Should the training be resumed, they are taken up again.
func (f *Flows) CloseAbandoned(ctx context.Context, run engine.FlowRun) error {
	p, err := ParamsOf(run)
	if err != nil {
		return err
	}
	return f.endRuns(ctx, p, run, registry.Killed)
}

func (f *Flows) endRuns(ctx context.Context, p TrainParams, run engine.FlowRun, status registry.RunStatus) error {
	experiment, err := f.Tracker.GetExperimentByName(ctx, p.experiment(run.ExpectedStart))
	if registry.CodeOf(err) == registry.ResourceDoesNotExist {
		return nil // it failed before there was any
	}
	if err != nil {
		return fmt.Errorf("close the tracked runs of flow run %s: %w", run.ID, err)
	}
	open, err := f.Tracker.SearchRuns(ctx, registry.RunQuery{
		ExperimentIDs: []string{experiment.ID},
		Filter:        fmt.Sprintf("attributes.status = 'RUNNING' and tags.`%s` = '%s'", tagFlowRun, run.ID),
	})
	if err != nil {
		return fmt.Errorf("close the tracked runs of flow run %s: %w", run.ID, err)
	}
	for _, r := range open.Items {
		if err := f.endRun(ctx, r.Info.RunID, status); err != nil {
			return err
		}
	}
	return nil
}
