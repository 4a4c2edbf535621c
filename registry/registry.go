// Package registry holds the nouns and rules of an MLflow-compatible tracking
// server and model registry: experiments, runs, metrics, artifacts, registered
// models and their versions. It does no I/O and knows neither SQL nor HTTP:
// package store keeps a registry on disk, package mlflow speaks to one over
// MLflow's REST API, and both satisfy Service.
//
// The JSON of the nouns is MLflow's own. Times are milliseconds since 1970.
package registry

// ViewType says which life-cycle stages a search looks at. Empty is ActiveOnly.
type ViewType string

// The view types, by MLflow's names.
const (
	ActiveOnly  ViewType = "ACTIVE_ONLY"
	DeletedOnly ViewType = "DELETED_ONLY"
	ViewAll     ViewType = "ALL"
)

// Lifecycle is whether a thing is deleted. Deleted things can be restored.
type Lifecycle string

// The life-cycle stages, by MLflow's names.
const (
	Active  Lifecycle = "active"
	Deleted Lifecycle = "deleted"
)

// Page is one page of a search.
type Page[T any] struct {
	Items         []T
	NextPageToken string // empty on the last page; opaque otherwise
}

// Tag is a key with a text that may change.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Param is a key with a text that is written once.
type Param struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// FindTag returns the value of the tag called key.
func FindTag(tags []Tag, key string) (value string, ok bool) {
	for _, t := range tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}
