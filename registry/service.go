package registry

import (
	"context"
	"io"
)

// Service is what an MLflow tracking server and model registry can do. It is
// satisfied by *store.Store, which is one, and by *mlflow.Client, which speaks
// to one; registrytest holds both to the same rules. Methods are safe for
// concurrent use. What a client did wrong is an *Error with a code.
type Service interface {
	Experiments
	Runs
	Metrics
	Artifacts
	Files
	Models
	Versions
	LoggedModels
}

// Experiments are groups of runs.
type Experiments interface {
	// CreateExperiment returns the new experiment's id. A name that is taken,
	// also by a deleted experiment, is ResourceAlreadyExists.
	CreateExperiment(ctx context.Context, e NewExperiment) (id string, err error)
	// GetExperiment returns the experiment in any life-cycle stage.
	GetExperiment(ctx context.Context, id string) (Experiment, error)
	// GetExperimentByName returns the experiment in any life-cycle stage.
	GetExperimentByName(ctx context.Context, name string) (Experiment, error)
	SearchExperiments(ctx context.Context, q ExperimentQuery) (Page[Experiment], error)
	// UpdateExperiment renames an active experiment.
	UpdateExperiment(ctx context.Context, id, newName string) error
	// DeleteExperiment deletes an active experiment and its runs, restorably.
	DeleteExperiment(ctx context.Context, id string) error
	// RestoreExperiment restores a deleted experiment and all its runs.
	RestoreExperiment(ctx context.Context, id string) error
	SetExperimentTag(ctx context.Context, id string, tag Tag) error
	DeleteExperimentTag(ctx context.Context, id, key string) error
}

// Runs are executions within experiments. Deleted runs can be read but not
// written.
type Runs interface {
	CreateRun(ctx context.Context, r NewRun) (Run, error)
	GetRun(ctx context.Context, runID string) (Run, error)
	UpdateRun(ctx context.Context, u RunUpdate) (RunInfo, error)
	// DeleteRun deletes a run restorably; doing it twice is fine.
	DeleteRun(ctx context.Context, runID string) error
	RestoreRun(ctx context.Context, runID string) error
	SearchRuns(ctx context.Context, q RunQuery) (Page[Run], error)

	// LogBatch writes all of b or nothing. Metric points and params that are
	// there already are no error; a param with another value is.
	LogBatch(ctx context.Context, runID string, b Batch) error
	LogMetric(ctx context.Context, runID string, m Metric) error
	LogParam(ctx context.Context, runID string, p Param) error
	SetTag(ctx context.Context, runID string, tag Tag) error
	DeleteTag(ctx context.Context, runID, key string) error
	LogInputs(ctx context.Context, runID string, datasets []DatasetInput, models []ModelInput) error
	// SearchDatasets lists what the runs of 1 to MaxDatasetExperiments
	// experiments read: at most MaxDatasetSummaries.
	SearchDatasets(ctx context.Context, experimentIDs []string) ([]DatasetSummary, error)
	LogOutputs(ctx context.Context, runID string, models []ModelOutput) error
	// LogModel appends an MLmodel file, as JSON, to the run's tag
	// mlflow.log-model.history, which MLflow 2 clients and interfaces read.
	LogModel(ctx context.Context, runID, modelJSON string) error
}

// Metrics are series of points of runs.
type Metrics interface {
	// MetricHistory returns points by timestamp, step and value. Of a run that
	// is not there it returns none.
	MetricHistory(ctx context.Context, q HistoryQuery) (Page[Metric], error)
	// SampleMetrics returns points run by run, in order of step, RunID set.
	SampleMetrics(ctx context.Context, q SampleQuery) ([]Metric, error)
}

// Artifacts are the files of runs. Paths are relative to the run's artifacts,
// slash-separated.
type Artifacts interface {
	// PutArtifact stores what r gives, replacing what was there.
	PutArtifact(ctx context.Context, runID, path string, r io.Reader) error
	// CopyArtifact stores the file at one path under another too, replacing what
	// was there. On a disk of ours that takes no place.
	CopyArtifact(ctx context.Context, runID, from, to string) error
	// OpenArtifact opens a file for reading; the caller closes it.
	OpenArtifact(ctx context.Context, runID, path string) (io.ReadCloser, error)
	// ListArtifacts lists a folder, "" being the root. Of a file, or of what is
	// not there, it lists nothing.
	ListArtifacts(ctx context.Context, runID, path string) ([]FileInfo, error)
}

// Files are all artifacts of a tracking server, by their names below its
// artifact root: what a mlflow-artifacts:/<name> URI stands for.
type Files interface {
	PutFile(ctx context.Context, name string, r io.Reader) error
	// PutFiles stores all files, replacing what was there, the last after all
	// others. After an error, some may be stored.
	PutFiles(ctx context.Context, files []NewFile) error
	// OpenFile opens a file for reading; the caller closes it. What a local
	// store returns also seeks.
	OpenFile(ctx context.Context, name string) (io.ReadCloser, error)
	// ListFiles lists a folder, "" being the root. The paths are base names.
	ListFiles(ctx context.Context, name string) ([]FileInfo, error)
	// OpenAt opens the file at a path below an artifact URI, such as
	// RunInfo.ArtifactURI.
	OpenAt(ctx context.Context, uri, path string) (io.ReadCloser, error)
	// ListAt lists the folder at a path below an artifact URI, "" being what
	// the URI names. The paths are base names.
	ListAt(ctx context.Context, uri, path string) ([]FileInfo, error)
	// DeleteFiles removes a file or a folder with all in it; what is not there
	// is no error.
	DeleteFiles(ctx context.Context, name string) error
}

// Models are registered models.
type Models interface {
	CreateRegisteredModel(ctx context.Context, m NewRegisteredModel) (RegisteredModel, error)
	GetRegisteredModel(ctx context.Context, name string) (RegisteredModel, error)
	SearchRegisteredModels(ctx context.Context, q ModelQuery) (Page[RegisteredModel], error)
	UpdateRegisteredModel(ctx context.Context, name, description string) (RegisteredModel, error)
	RenameRegisteredModel(ctx context.Context, name, newName string) (RegisteredModel, error)
	// DeleteRegisteredModel deletes the model with its versions, for good.
	DeleteRegisteredModel(ctx context.Context, name string) error
	SetRegisteredModelTag(ctx context.Context, name string, tag Tag) error
	DeleteRegisteredModelTag(ctx context.Context, name, key string) error
	// LatestVersions returns the highest version of each of the stages; of
	// every stage when none is given.
	LatestVersions(ctx context.Context, name string, stages []string) ([]ModelVersion, error)

	SetAlias(ctx context.Context, name, alias, version string) error
	// DeleteAlias removes an alias; one that is not there is no error.
	DeleteAlias(ctx context.Context, name, alias string) error
	// VersionByAlias returns the version with the alias; "latest" is always the
	// highest.
	VersionByAlias(ctx context.Context, name, alias string) (ModelVersion, error)
}

// Versions are the versions of registered models.
type Versions interface {
	// CreateModelVersion adds the next version: consecutive, whoever else adds.
	CreateModelVersion(ctx context.Context, v NewModelVersion) (ModelVersion, error)
	GetModelVersion(ctx context.Context, name, version string) (ModelVersion, error)
	SearchModelVersions(ctx context.Context, q ModelQuery) (Page[ModelVersion], error)
	UpdateModelVersion(ctx context.Context, name, version, description string) (ModelVersion, error)
	// DeleteModelVersion deletes the version and its aliases; its number is not
	// given again.
	DeleteModelVersion(ctx context.Context, name, version string) error
	// TransitionStage moves a version to a stage. With archive, other versions
	// in that stage (Staging or Production) become Archived.
	TransitionStage(ctx context.Context, name, version, stage string, archive bool) (ModelVersion, error)
	SetModelVersionTag(ctx context.Context, name, version string, tag Tag) error
	DeleteModelVersionTag(ctx context.Context, name, version, key string) error
	// ModelVersionURI returns the URI of the directory with the version's files.
	ModelVersionURI(ctx context.Context, name, version string) (string, error)
}

// LoggedModels are the models that MLflow 3 clients log.
type LoggedModels interface {
	CreateLoggedModel(ctx context.Context, m NewLoggedModel) (LoggedModel, error)
	GetLoggedModel(ctx context.Context, modelID string) (LoggedModel, error)
	// FindLoggedModel is GetLoggedModel of a model that may be deleted.
	FindLoggedModel(ctx context.Context, modelID string) (LoggedModel, error)
	FinalizeLoggedModel(ctx context.Context, modelID string, status LoggedModelStatus) (LoggedModel, error)
	DeleteLoggedModel(ctx context.Context, modelID string) error
	SearchLoggedModels(ctx context.Context, q LoggedModelQuery) (Page[LoggedModel], error)
	SetLoggedModelTags(ctx context.Context, modelID string, tags []Tag) error
	DeleteLoggedModelTag(ctx context.Context, modelID, key string) error
	LogLoggedModelParams(ctx context.Context, modelID string, params []Param) error
}
