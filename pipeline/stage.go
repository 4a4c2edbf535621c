package pipeline

import (
	"context"
	"fmt"
	"math"
	"path"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/registry"
)

// NoCandidateError says that no run of this flow run passed the gate.
type NoCandidateError struct {
	Runs          int
	Gate          string
	BestRMSE      float64 // of all runs
	InferenceTime float64 // of the run with that error, seconds a row
}

func (e *NoCandidateError) Error() string {
	return fmt.Sprintf("0 of %d runs satisfy %s; best rmse %.4g, inference %.2g s a row", e.Runs, e.Gate, e.BestRMSE, e.InferenceTime)
}

type candidates struct {
	loggedRuns
	Gate string
}

func newCandidates(runs loggedRuns, gate string) candidates { return candidates{runs, gate} }

// Chosen is the run whose model goes on.
type Chosen struct {
	RunID string `json:"run_id"`
	Name  string `json:"name"`
}

// choose asks the tracking server, as a person would, which runs of this flow run
// satisfy the gate, and takes the one with the least error.
func (f *Flows) choose() engine.Task[candidates, Chosen] {
	return engine.Task[candidates, Chosen]{
		Name:  "Choose",
		Retry: trackingRetry,
		Func: func(ctx context.Context, in candidates) (Chosen, error) {
			page, err := f.Tracker.SearchRuns(ctx, registry.RunQuery{
				ExperimentIDs: []string{in.At.ExperimentID},
				Filter:        fmt.Sprintf("%s and tags.`%s` = '%s' and tags.`%s` = '%s'", in.Gate, tagFlowRun, in.At.FlowRunID, registry.TagParentRun, in.At.ParentRunID),
				OrderBy:       []string{"metrics.rmse_valid ASC"},
				MaxResults:    5,
			})
			if err != nil {
				return Chosen{}, fmt.Errorf("search for runs that satisfy %s: %w", in.Gate, err)
			}
			if len(page.Items) > 0 {
				best := page.Items[0].Info
				return Chosen{best.RunID, best.RunName}, nil
			}
			none := &NoCandidateError{Runs: len(in.Runs), Gate: in.Gate, BestRMSE: math.Inf(1)}
			for _, r := range in.Runs {
				if r.Error == "" && r.RMSEValid < none.BestRMSE {
					none.BestRMSE, none.InferenceTime = r.RMSEValid, r.InferenceTime
				}
			}
			return Chosen{}, engine.Permanent(none)
		},
	}
}

// staging says as what to stage the chosen run's model.
type staging struct {
	Model      string
	Date       string
	At         time.Time
	Experiment string
}

type stageInput struct {
	Chosen Chosen
	staging
}

func newStageInput(c Chosen, s staging) stageInput { return stageInput{c, s} }

// Staged is the outcome of a training: the version that was staged.
type Staged struct {
	RunID   string `json:"run_id"`
	Model   string `json:"model"`
	Version string `json:"version"`
	Stage   string `json:"stage"`
}

// stagingAlias follows the stage, for clients that know aliases only.
const stagingAlias = "staging"

// stage registers the chosen run's model and moves it to Staging.
func (f *Flows) stage() engine.Task[stageInput, Staged] {
	return engine.Task[stageInput, Staged]{
		Name:  "Register and stage",
		Retry: trackingRetry,
		Func: func(ctx context.Context, in stageInput) (Staged, error) {
			var v registry.ModelVersion
			err := atOnce(
				func() error { return f.nameFile(ctx, in, models.ModelFile, "model") },
				func() error { return f.nameFile(ctx, in, models.VectorizerFile, "dv") },
				func() (err error) { v, err = f.version(ctx, in); return err },
			)
			if err != nil {
				return Staged{}, err
			}
			text := fmt.Sprintf("Staged by the training of %s, started %s, from experiment %q, run %s.", in.Date, inUTC(in.At), in.Experiment, in.Chosen.Name)
			if _, err := f.Tracker.UpdateModelVersion(ctx, v.Name, v.Version, text); err != nil {
				return Staged{}, fmt.Errorf("describe %s version %s: %w", v.Name, v.Version, err)
			}
			if _, err := f.Tracker.TransitionStage(ctx, v.Name, v.Version, string(registry.StageStaging), false); err != nil {
				return Staged{}, fmt.Errorf("stage %s version %s: %w", v.Name, v.Version, err)
			}
			if err := f.Tracker.SetAlias(ctx, v.Name, stagingAlias, v.Version); err != nil {
				return Staged{}, fmt.Errorf("set alias %s of %s: %w", stagingAlias, v.Name, err)
			}
			return Staged{in.Chosen.RunID, v.Name, v.Version, string(registry.StageStaging)}, nil
		},
	}
}

// nameFile keeps a file of the chosen model under the date's name too, as the
// original did.
func (f *Flows) nameFile(ctx context.Context, in stageInput, from, to string) error {
	to = fmt.Sprintf("%s-%s.json", to, in.Date)
	if err := f.Tracker.CopyArtifact(ctx, in.Chosen.RunID, path.Join(modelDir, from), to); err != nil {
		return fmt.Errorf("log %s: %w", to, err)
	}
	return nil
}

// version finds the version that an earlier attempt registered, or registers
// one.
func (f *Flows) version(ctx context.Context, in stageInput) (registry.ModelVersion, error) {
	_, err := f.Tracker.CreateRegisteredModel(ctx, registry.NewRegisteredModel{Name: in.Model})
	if err != nil && registry.CodeOf(err) != registry.ResourceAlreadyExists {
		return registry.ModelVersion{}, fmt.Errorf("register %s: %w", in.Model, err)
	}
	page, err := f.Tracker.SearchModelVersions(ctx, registry.ModelQuery{
		Filter: fmt.Sprintf("name = '%s' and run_id = '%s'", in.Model, in.Chosen.RunID),
	})
	if err != nil {
		return registry.ModelVersion{}, fmt.Errorf("look for versions of %s: %w", in.Model, err)
	}
	if len(page.Items) > 0 {
		return page.Items[0], nil
	}
	n := registry.NewModelVersion{Name: in.Model, RunID: in.Chosen.RunID, Source: "runs:/" + in.Chosen.RunID + "/" + modelDir}
	run, err := f.Tracker.GetRun(ctx, in.Chosen.RunID)
	if err != nil {
		return registry.ModelVersion{}, fmt.Errorf("look for the model of %s: %w", in.Chosen.Name, err)
	}
	if made := run.Outputs.Models; len(made) > 0 {
		n.ModelID = made[0].ModelID
		n.Source = "models:/" + n.ModelID
	}
	v, err := f.Tracker.CreateModelVersion(ctx, n)
	if err != nil {
		return v, fmt.Errorf("register a version of %s: %w", in.Model, err)
	}
	return v, nil
}
