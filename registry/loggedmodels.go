package registry

// LoggedModelStatus is how far the upload of a logged model is.
type LoggedModelStatus string

// The statuses, by MLflow's names.
const (
	ModelPending      LoggedModelStatus = "LOGGED_MODEL_PENDING"
	ModelReady        LoggedModelStatus = "LOGGED_MODEL_READY"
	ModelUploadFailed LoggedModelStatus = "LOGGED_MODEL_UPLOAD_FAILED"
)

// LoggedModel is a model that MLflow 3 clients log: it has an id and an
// artifact directory of its own, and metrics.
type LoggedModel struct {
	Info LoggedModelInfo `json:"info"`
	Data LoggedModelData `json:"data"`
}

// LoggedModelInfo is what every logged model has.
type LoggedModelInfo struct {
	ModelID        string            `json:"model_id"` // "m-" and 32 hex digits
	ExperimentID   string            `json:"experiment_id"`
	Name           string            `json:"name"`
	CreationTime   int64             `json:"creation_timestamp_ms"`
	LastUpdateTime int64             `json:"last_updated_timestamp_ms"`
	ArtifactURI    string            `json:"artifact_uri"`
	Status         LoggedModelStatus `json:"status"`
	ModelType      string            `json:"model_type"`
	SourceRunID    string            `json:"source_run_id"`
	Tags           []Tag             `json:"tags,omitempty"`
}

// LoggedModelData is what was logged to a model.
type LoggedModelData struct {
	Params  []Param  `json:"params,omitempty"`
	Metrics []Metric `json:"metrics,omitempty"`
}

// NewLoggedModel is what CreateLoggedModel needs: an experiment.
type NewLoggedModel struct {
	ExperimentID string  `json:"experiment_id"`
	Name         string  `json:"name,omitempty"`
	ModelType    string  `json:"model_type,omitempty"`
	SourceRunID  string  `json:"source_run_id,omitempty"`
	Params       []Param `json:"params,omitempty"`
	Tags         []Tag   `json:"tags,omitempty"`
}

// LoggedModelQuery is a search over the logged models of experiments.
type LoggedModelQuery struct {
	ExperimentIDs []string
	Filter        string             // see package search
	OrderBy       []LoggedModelOrder // default: newest first
	MaxResults    int                // 0: 50
	PageToken     string
}

// LoggedModelOrder is one key to sort logged models by.
type LoggedModelOrder struct {
	FieldName string `json:"field_name"` // an attribute, or metrics.<key>
	Ascending bool   `json:"ascending"`
}
