package registry

import (
	"slices"
	"strconv"
	"strings"
)

// RegisteredModel is a name under which versions of a model are kept.
type RegisteredModel struct {
	Name           string         `json:"name"`
	CreationTime   int64          `json:"creation_timestamp"`
	LastUpdateTime int64          `json:"last_updated_timestamp"`
	Description    string         `json:"description,omitempty"`
	LatestVersions []ModelVersion `json:"latest_versions,omitempty"` // the highest of each stage
	Tags           []Tag          `json:"tags,omitempty"`
	Aliases        []Alias        `json:"aliases,omitempty"`
}

// Alias is a movable name of one version of a registered model.
type Alias struct {
	Alias   string `json:"alias"`
	Version string `json:"version"`
}

// ModelVersion is one version of a registered model.
type ModelVersion struct {
	Name           string   `json:"name"`
	Version        string   `json:"version"` // "1", "2", … consecutive
	CreationTime   int64    `json:"creation_timestamp"`
	LastUpdateTime int64    `json:"last_updated_timestamp"`
	CurrentStage   Stage    `json:"current_stage"`
	Description    string   `json:"description"`
	Source         string   `json:"source"` // URI given at creation
	RunID          string   `json:"run_id"`
	Status         string   `json:"status"` // READY
	RunLink        string   `json:"run_link"`
	ModelID        string   `json:"model_id,omitempty"` // the logged model it came from, if any
	Tags           []Tag    `json:"tags,omitempty"`
	Aliases        []string `json:"aliases,omitempty"` // not set by searches
}

// Number returns the version as a number, 0 if it is none.
func (v ModelVersion) Number() int {
	n, err := strconv.Atoi(v.Version)
	if err != nil {
		return 0
	}
	return n
}

// Stage is what a model version is used for.
type Stage string

// The stages, by MLflow's names.
const (
	StageNone       Stage = "None"
	StageStaging    Stage = "Staging"
	StageProduction Stage = "Production"
	StageArchived   Stage = "Archived"
)

var stages = []Stage{StageNone, StageStaging, StageProduction, StageArchived}

// ParseStage returns the stage called s, in any case of letters.
func ParseStage(s string) (Stage, error) {
	i := slices.IndexFunc(stages, func(st Stage) bool { return strings.EqualFold(string(st), s) })
	if i < 0 {
		return "", Errorf(InvalidParameterValue,
			"Invalid Model Version stage: %s. Value must be one of None, Staging, Production, Archived.", s)
	}
	return stages[i], nil
}

// NewRegisteredModel is what CreateRegisteredModel needs: a name.
type NewRegisteredModel struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Tags        []Tag  `json:"tags,omitempty"`
}

// NewModelVersion is what CreateModelVersion needs: a name, and a source that
// lies in the artifacts of the run or logged model named.
type NewModelVersion struct {
	Name        string `json:"name"`
	Source      string `json:"source"` // such as runs:/<run id>/model
	RunID       string `json:"run_id,omitempty"`
	ModelID     string `json:"model_id,omitempty"`
	RunLink     string `json:"run_link,omitempty"`
	Description string `json:"description,omitempty"`
	Tags        []Tag  `json:"tags,omitempty"`
}

// ModelQuery is a search over registered models, or over their versions.
type ModelQuery struct {
	Filter     string   // see package search; empty: all
	OrderBy    []string // default: models by name; versions last updated first
	MaxResults int      // models 1 to 1000, 0: 100; versions 1 to 200000, 0: 10000
	PageToken  string
}
