// Package pipeline holds the taxi flows, readable top to bottom: it says what is
// done with rides, in which order, and leaves how to the packages below. It does
// not know where flow runs and tracked runs are kept, nor any flag.
package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/registry"
)

// Flows are the taxi flows with what they work on. The fields are set before
// the first run.
type Flows struct {
	Months  *data.Source
	Tracker Tracker
	Origin  Origin
}

// Origin says who logs tracked runs, from what. Empty fields are not logged.
type Origin struct {
	User      string // mlflow.user
	Source    string // mlflow.source.name, such as the program's name
	GitCommit string // mlflow.source.git.commit
}

// Tracker is what the flows want of a tracking server and model registry.
// *store.Store is one, kept in files; *mlflow.Client speaks to one.
type Tracker interface {
	CreateExperiment(ctx context.Context, e registry.NewExperiment) (id string, err error)
	GetExperimentByName(ctx context.Context, name string) (registry.Experiment, error)

	CreateRun(ctx context.Context, r registry.NewRun) (registry.Run, error)
	UpdateRun(ctx context.Context, u registry.RunUpdate) (registry.RunInfo, error)
	SearchRuns(ctx context.Context, q registry.RunQuery) (registry.Page[registry.Run], error)
	LogBatch(ctx context.Context, runID string, b registry.Batch) error
	LogInputs(ctx context.Context, runID string, datasets []registry.DatasetInput, models []registry.ModelInput) error

	LogOutputs(ctx context.Context, runID string, models []registry.ModelOutput) error
	GetRun(ctx context.Context, runID string) (registry.Run, error)

	CreateLoggedModel(ctx context.Context, m registry.NewLoggedModel) (registry.LoggedModel, error)
	SearchLoggedModels(ctx context.Context, q registry.LoggedModelQuery) (registry.Page[registry.LoggedModel], error)
	FinalizeLoggedModel(ctx context.Context, modelID string, status registry.LoggedModelStatus) (registry.LoggedModel, error)

	CopyArtifact(ctx context.Context, runID, from, to string) error
	PutFiles(ctx context.Context, files []registry.NewFile) error

	CreateRegisteredModel(ctx context.Context, m registry.NewRegisteredModel) (registry.RegisteredModel, error)
	CreateModelVersion(ctx context.Context, v registry.NewModelVersion) (registry.ModelVersion, error)
	SearchModelVersions(ctx context.Context, q registry.ModelQuery) (registry.Page[registry.ModelVersion], error)
	UpdateModelVersion(ctx context.Context, name, version, description string) (registry.ModelVersion, error)
	TransitionStage(ctx context.Context, name, version, stage string, archive bool) (registry.ModelVersion, error)
	SetAlias(ctx context.Context, name, alias, version string) error
}

// trackingRetry is for tasks that talk to the tracker: what it refuses stays
// refused, anything else may pass.
var trackingRetry = engine.Retry{Max: 3, Delay: time.Second, Backoff: 2, If: func(err error) bool {
	var refused *registry.Error
	return !errors.As(err, &refused) || refused.Code.Status() >= 500
}}

// networkRetry is for tasks that may fetch a month: only the network's own
// faults pass by themselves.
var networkRetry = engine.Retry{Max: 3, Delay: time.Second, Backoff: 2, If: func(err error) bool {
	var network *data.NetworkError
	return errors.As(err, &network)
}}

// cached is for tasks whose result depends on their input and the program only.
var cached = engine.Cache{On: true, TTL: 30 * 24 * time.Hour}

// atOnce does all of it at the same time, and returns what went wrong: files are
// long in coming to a disk or a server, each by itself.
func atOnce(all ...func() error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, do := range all {
		wg.Go(func() { errs[i] = do() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
