package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/registry"
)

// Tags of ours on tracked runs.
const (
	tagKey        = "taximeter.key"         // flow run and call: what makes logging repeatable
	tagFlowRun    = "taximeter.flow_run_id" // the flow run it belongs to
	tagCachedFrom = "taximeter.cached_from" // the flow run that fitted the model, where that is another

	tagWorseThanMean = "taximeter.worse_than_mean" // "true" for a model that knows less than nothing
	tagError         = "taximeter.error"           // why a run has no model
	tagBestTrial     = "taximeter.best_trial"      // "true" for the trial with the least error
	tagBestRun       = "taximeter.best_run_id"     // of the parent: that trial's run
)

// experimentKind tells MLflow's web interface that the experiment is about
// models that are trained, not about prompts and agents.
var experimentKind = registry.Tag{Key: "mlflow.experimentKind", Value: "custom_model_development"}

// parentRun is the tracked run that the models' runs are nested in.
type parentRun struct {
	Experiment string
	FlowRunID  string
	RunName    string
	Params     []registry.Param
}

// tracking is where this flow run's models are logged.
type tracking struct {
	ExperimentID string `json:"experiment_id"`
	Experiment   string `json:"experiment"`
	ParentRunID  string `json:"parent_run_id"`
	FlowRunID    string `json:"flow_run_id"`
}

// TrackedRun is a tracked run of one model, as the report shows it. Of one that
// failed there is no model, and no figure.
type TrackedRun struct {
	RunID         string         `json:"run_id"`
	Name          string         `json:"name"`
	Kind          string         `json:"kind"`
	Error         string         `json:"error,omitempty"` // why it failed
	Features      string         `json:"features"`
	Params        map[string]any `json:"params"`
	RMSETrain     float64        `json:"rmse_train"`
	RMSEValid     float64        `json:"rmse_valid"`
	InferenceTime float64        `json:"inference_time"`
	Cached        bool           `json:"cached"`
	WorseThanMean bool           `json:"worse_than_mean,omitempty"`
}

func (f *Flows) startTracking() engine.Task[parentRun, tracking] {
	return engine.Task[parentRun, tracking]{
		Name:  "Start tracking",
		Retry: trackingRetry,
		Func: func(ctx context.Context, p parentRun) (tracking, error) {
			id, err := f.experiment(ctx, p.Experiment)
			if err != nil {
				return tracking{}, err
			}
			at := tracking{ExperimentID: id, Experiment: p.Experiment, FlowRunID: p.FlowRunID}
			run, _, err := f.findOrCreateRun(ctx, at, engine.From(ctx).Key(), registry.NewRun{RunName: p.RunName, StartTime: now().UnixMilli()})
			if err != nil {
				return tracking{}, err
			}
			at.ParentRunID = run.Info.RunID
			return at, f.Tracker.LogBatch(ctx, at.ParentRunID, registry.Batch{Params: p.Params})
		},
	}
}

// experiment returns the ID of the experiment, which it creates if need be.
func (f *Flows) experiment(ctx context.Context, name string) (string, error) {
	e, err := f.Tracker.GetExperimentByName(ctx, name)
	if registry.CodeOf(err) == registry.ResourceDoesNotExist {
		id, err := f.Tracker.CreateExperiment(ctx, registry.NewExperiment{Name: name, Tags: []registry.Tag{experimentKind}})
		if err == nil {
			return id, nil
		}
		if registry.CodeOf(err) != registry.ResourceAlreadyExists {
			return "", fmt.Errorf("create experiment %q: %w", name, err)
		}
		e, err = f.Tracker.GetExperimentByName(ctx, name) // another process was first
		if err != nil {
			return "", fmt.Errorf("find experiment %q: %w", name, err)
		}
	} else if err != nil {
		return "", fmt.Errorf("find experiment %q: %w", name, err)
	}
	if e.Lifecycle == registry.Deleted {
		return "", engine.Permanent(fmt.Errorf("experiment %q is deleted: restore it, or log to another with --experiment", name))
	}
	return e.ID, nil
}

// findOrCreateRun returns the run that an earlier attempt of the call key began,
// or a new one.
func (f *Flows) findOrCreateRun(ctx context.Context, at tracking, key string, n registry.NewRun) (run registry.Run, found bool, err error) {
	own := at.FlowRunID + "/" + key
	page, err := f.Tracker.SearchRuns(ctx, registry.RunQuery{
		ExperimentIDs: []string{at.ExperimentID}, Filter: fmt.Sprintf("tags.`%s` = '%s'", tagKey, own), MaxResults: 1,
	})
	if err != nil {
		return run, false, fmt.Errorf("look for tracked run %s: %w", n.RunName, err)
	}
	if len(page.Items) > 0 {
		// It may have been closed by the attempt that failed.
		run = page.Items[0]
		if run.Info.Status != registry.Running {
			run.Info, err = f.Tracker.UpdateRun(ctx, registry.RunUpdate{RunID: run.Info.RunID, Status: registry.Running})
		}
		return run, true, err
	}
	n.ExperimentID, n.UserID = at.ExperimentID, f.Origin.User
	n.Tags = append(n.Tags, registry.Tag{Key: tagKey, Value: own}, registry.Tag{Key: tagFlowRun, Value: at.FlowRunID})
	n.Tags = append(n.Tags, f.Origin.tags()...)
	if run, err = f.Tracker.CreateRun(ctx, n); err != nil {
		return run, false, fmt.Errorf("create tracked run %s: %w", n.RunName, err)
	}
	return run, false, nil
}

// tags say the same as the Origin.
func (o Origin) tags() (tags []registry.Tag) {
	for _, t := range []registry.Tag{
		{Key: registry.TagUser, Value: o.User},
		{Key: "mlflow.source.name", Value: o.Source},
		{Key: "mlflow.source.type", Value: "LOCAL"},
		{Key: "mlflow.source.git.commit", Value: o.GitCommit},
	} {
		if t.Value != "" {
			tags = append(tags, t)
		}
	}
	return tags
}

func (f *Flows) endRun(ctx context.Context, runID string, status registry.RunStatus) error {
	_, err := f.Tracker.UpdateRun(ctx, registry.RunUpdate{RunID: runID, Status: status, EndTime: now().UnixMilli()})
	if err != nil {
		return fmt.Errorf("end tracked run %s: %w", runID, err)
	}
	return nil
}

// logInput is a fit and where to log it. FittedBy is the flow run it comes from,
// if that is another.
type logInput struct {
	At       tracking
	Fit      Fit
	FittedBy string
}

func newLogInput(at tracking, fit Fit, fittedBy string) logInput { return logInput{at, fit, fittedBy} }

type filePair struct{ Train, Valid data.File }

func newFilePair(train, valid data.File) filePair { return filePair{train, valid} }

// of says where the months of the fit are now: a fit from the cache knows where
// they were when it was made.
func (in logInput) of(files filePair) logInput {
	in.Fit.Train.File, in.Fit.Valid.File = files.Train, files.Valid
	return in
}

// logRun logs a fit as one tracked run. It is not cached: each flow run has
// tracked runs of its own. An attempt that follows an interrupted one logs the
// same things again, which changes nothing.
func (f *Flows) logRun() engine.Task[logInput, TrackedRun] {
	return engine.Task[logInput, TrackedRun]{
		Name:  "Log run",
		Retry: trackingRetry,
		Func: func(ctx context.Context, in logInput) (TrackedRun, error) {
			fit := in.Fit
			if fit.WorseThanMean {
				engine.From(ctx).Log().Warn("this model is worse than predicting the mean", "run", fit.Name, "rmse_valid", fit.RMSEValid)
			}
			run, found, err := f.findOrCreateRun(ctx, in.At, engine.From(ctx).Key(), in.newRun())
			if err != nil {
				return TrackedRun{}, err
			}
			id, status := run.Info.RunID, registry.Failed
			var logged registry.LoggedModel
			if fit.Model != nil {
				if logged, err = f.loggedModel(ctx, run, found, fit); err != nil {
					return TrackedRun{}, err
				}
			}
			if err := f.Tracker.LogBatch(ctx, id, fit.batch(logged.Info.ModelID)); err != nil {
				return TrackedRun{}, fmt.Errorf("log %s: %w", fit.Name, err)
			}
			if fit.Model != nil {
				status = registry.Finished
				if err := f.Tracker.LogInputs(ctx, id, fit.datasets(), nil); err != nil {
					return TrackedRun{}, fmt.Errorf("log the data of %s: %w", fit.Name, err)
				}
				if err := f.putModel(ctx, run.Info, logged, fit); err != nil {
					return TrackedRun{}, err
				}
			}
			return TrackedRun{
				RunID: id, Name: fit.Name, Kind: fit.Kind, Error: fit.Error, Features: fmt.Sprint(fit.Params["encoding"]), Params: fit.Params,
				RMSETrain: fit.RMSETrain, RMSEValid: fit.RMSEValid, InferenceTime: fit.InferenceTime, Cached: in.FittedBy != "",
				WorseThanMean: fit.WorseThanMean,
			}, f.endRun(ctx, id, status)
		},
	}
}

// newRun is the tracked run that the fit is logged as.
func (in logInput) newRun() registry.NewRun {
	fit := in.Fit
	n := registry.NewRun{RunName: fit.Name, StartTime: fit.Began.UnixMilli()}
	if in.FittedBy != "" || fit.Began.IsZero() {
		n.StartTime = now().UnixMilli()
	}
	for _, t := range []registry.Tag{
		{Key: registry.TagParentRun, Value: in.At.ParentRunID}, {Key: tagCachedFrom, Value: in.FittedBy}, {Key: tagError, Value: fit.Error},
	} {
		if t.Value != "" {
			n.Tags = append(n.Tags, t)
		}
	}
	if fit.WorseThanMean {
		n.Tags = append(n.Tags, registry.Tag{Key: tagWorseThanMean, Value: "true"})
	}
	return n
}

// finishTracking ends the parent run, once everything else is done.
func (f *Flows) finishTracking() engine.Task[tracking, struct{}] {
	return engine.Task[tracking, struct{}]{
		Name:  "Finish tracking",
		Retry: trackingRetry,
		Func: func(ctx context.Context, at tracking) (struct{}, error) {
			return struct{}{}, f.endRun(ctx, at.ParentRunID, registry.Finished)
		},
	}
}

// inUTC prints a time for people.
func inUTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
