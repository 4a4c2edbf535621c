package registry

// Tags with a meaning to MLflow's clients and user interface.
const (
	TagRunName   = "mlflow.runName" // always equal to RunInfo.RunName
	TagUser      = "mlflow.user"
	TagParentRun = "mlflow.parentRunId"
	TagContext   = "mlflow.data.context" // of a dataset input: what it was read for
)

// RunStatus is how far a run is. Any status may follow any other.
type RunStatus string

// The run statuses, by MLflow's names.
const (
	Running   RunStatus = "RUNNING"
	Scheduled RunStatus = "SCHEDULED"
	Finished  RunStatus = "FINISHED"
	Failed    RunStatus = "FAILED"
	Killed    RunStatus = "KILLED"
)

// Run is one execution of something that is tracked.
type Run struct {
	Info    RunInfo    `json:"info"`
	Data    RunData    `json:"data"`
	Inputs  RunInputs  `json:"inputs"`
	Outputs RunOutputs `json:"outputs,omitzero"`
}

// RunInfo is what every run has.
type RunInfo struct {
	RunUUID      string    `json:"run_uuid"` // MLflow's old name of RunID: the same value
	ExperimentID string    `json:"experiment_id"`
	RunName      string    `json:"run_name"`
	UserID       string    `json:"user_id"`
	Status       RunStatus `json:"status"`
	StartTime    int64     `json:"start_time"`
	EndTime      int64     `json:"end_time,omitempty"` // 0: none
	ArtifactURI  string    `json:"artifact_uri"`
	Lifecycle    Lifecycle `json:"lifecycle_stage"`
	RunID        string    `json:"run_id"` // 32 hex digits
}

// RunData is what was logged to a run: of each metric the latest point.
type RunData struct {
	Metrics []Metric `json:"metrics,omitempty"`
	Params  []Param  `json:"params,omitempty"`
	Tags    []Tag    `json:"tags,omitempty"`
}

// Metric returns the latest value of the metric called key.
func (d RunData) Metric(key string) (value float64, ok bool) {
	for _, m := range d.Metrics {
		if m.Key == key {
			return m.Value, true
		}
	}
	return 0, false
}

// RunInputs is what a run read.
type RunInputs struct {
	Datasets []DatasetInput `json:"dataset_inputs,omitempty"`
	Models   []ModelInput   `json:"model_inputs,omitempty"`
}

// RunOutputs is what a run made.
type RunOutputs struct {
	Models []ModelOutput `json:"model_outputs,omitempty"`
}

// DatasetInput is a dataset with tags that say what it was read for (such as
// mlflow.data.context = training).
type DatasetInput struct {
	Tags    []Tag   `json:"tags,omitempty"`
	Dataset Dataset `json:"dataset"`
}

// Dataset names data by content. Two with the same name and digest are one.
type Dataset struct {
	Name       string `json:"name"`
	Digest     string `json:"digest"`
	SourceType string `json:"source_type"`
	Source     string `json:"source"`
	Schema     string `json:"schema,omitempty"`  // JSON, as MLflow writes it
	Profile    string `json:"profile,omitempty"` // JSON, as MLflow writes it
}

// DatasetSummary names a dataset that runs of an experiment read, and what for.
type DatasetSummary struct {
	ExperimentID string `json:"experiment_id"`
	Name         string `json:"name"`
	Digest       string `json:"digest"`
	Context      string `json:"context,omitempty"` // the tag mlflow.data.context of the input
}

// ModelInput is a logged model that a run read.
type ModelInput struct {
	ModelID string `json:"model_id"`
}

// ModelOutput is a logged model that a run made at a step.
type ModelOutput struct {
	ModelID string `json:"model_id"`
	Step    int64  `json:"step"`
}

// NewRun is what CreateRun needs. All of it has defaults.
type NewRun struct {
	ExperimentID string `json:"experiment_id,omitempty"` // default: DefaultExperiment
	UserID       string `json:"user_id,omitempty"`
	RunName      string `json:"run_name,omitempty"` // default: the tag mlflow.runName, else generated
	StartTime    int64  `json:"start_time"`
	Tags         []Tag  `json:"tags,omitempty"`
}

// RunUpdate changes a run. Zero fields stay as they are.
type RunUpdate struct {
	RunID   string    `json:"run_id"`
	Status  RunStatus `json:"status,omitempty"`
	EndTime int64     `json:"end_time,omitempty"`
	RunName string    `json:"run_name,omitempty"`
}

// RunQuery is a search over the runs of experiments.
type RunQuery struct {
	ExperimentIDs []string // none: nothing is found
	Filter        string   // see package search; empty: all
	OrderBy       []string // such as "metrics.rmse ASC"; default: last started first
	View          ViewType
	MaxResults    int // 1 to 50000; 0: 1000
	PageToken     string
}
