package registry

// DefaultExperiment is the id of the experiment that every store begins with;
// its name is "Default".
const DefaultExperiment = "0"

// Experiment is a named group of runs.
type Experiment struct {
	ID               string    `json:"experiment_id"` // decimal in our store, opaque elsewhere
	Name             string    `json:"name"`
	ArtifactLocation string    `json:"artifact_location"` // URI below which its runs keep artifacts
	Lifecycle        Lifecycle `json:"lifecycle_stage"`
	LastUpdateTime   int64     `json:"last_update_time"`
	CreationTime     int64     `json:"creation_time"`
	Tags             []Tag     `json:"tags,omitempty"`
}

// NewExperiment is what CreateExperiment needs. Only the name is required.
type NewExperiment struct {
	Name             string `json:"name"`
	ArtifactLocation string `json:"artifact_location,omitempty"` // default: mlflow-artifacts:/<id>
	Tags             []Tag  `json:"tags,omitempty"`
}

// ExperimentQuery is a search over experiments.
type ExperimentQuery struct {
	Filter     string   // see package search; empty: all
	OrderBy    []string // such as "name ASC"; default: newest first
	View       ViewType
	MaxResults int // 1 to 50000; 0: 1000
	PageToken  string
}
