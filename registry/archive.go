package registry

import (
	"context"
	"io/fs"
)

// Archive is a whole registry to be read once, in any life-cycle stage, such as
// one of MLflow's own stores on disk. It is not safe for concurrent use.
type Archive interface {
	Experiments(ctx context.Context) ([]Experiment, error)
	// Runs gives the runs of an experiment to do, until that fails.
	Runs(ctx context.Context, experimentID string, do func(ArchivedRun) error) error
	// LoggedModels returns the logged models of an experiment.
	LoggedModels(ctx context.Context, experimentID string) ([]ArchivedLoggedModel, error)
	RegisteredModels(ctx context.Context) ([]ArchivedModel, error)
	// Artifacts returns the files below a URI; nil where they are not at hand:
	// in an object store, or gone.
	Artifacts(uri string) fs.FS
}

// ArchivedRun is a run with all its points. Its data has no metrics.
type ArchivedRun struct {
	Run
	DeletedTime int64 // 0: not deleted, or not known
	// Points gives the points of all metrics to do, some at a time.
	Points func(do func([]Metric) error) error
}

// ArchivedLoggedModel is a logged model in any life-cycle stage.
type ArchivedLoggedModel struct {
	LoggedModel
	Lifecycle Lifecycle
}

// ArchivedModel is a registered model with all its versions; LatestVersions is
// not set.
type ArchivedModel struct {
	RegisteredModel
	Versions []ArchivedVersion
}

// ArchivedVersion is a model version, which may be deleted: then it is only a
// number that is not given again.
type ArchivedVersion struct {
	ModelVersion
	Location string // URI of its files
	Deleted  bool
}
