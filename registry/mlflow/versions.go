package mlflow

import (
	"encoding/json"

	"github.com/taximeter/taximeter/registry"
)

type versionAnswer struct {
	Version registry.ModelVersion `json:"model_version"`
}

type versionsAnswer struct {
	Versions      []registry.ModelVersion `json:"model_versions,omitempty"`
	NextPageToken string                  `json:"next_page_token,omitempty"`
}

type uriAnswer struct {
	URI string `json:"artifact_uri"`
}

// readVersion returns a version's number as text; a JSON number is fine too.
func readVersion(r *request) string {
	if n, ok := r.value("version").(json.Number); ok {
		return n.String()
	}
	return r.need("version")
}

func createVersion(s registry.Service, r *request) (any, error) {
	v := registry.NewModelVersion{Name: r.need("name"), Source: r.need("source"), RunID: r.text("run_id"), ModelID: r.text("model_id"),
		RunLink: r.text("run_link"), Description: r.text("description"), Tags: objects(r, "tags", readTag)}
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.CreateModelVersion(r.ctx, v)
	return versionAnswer{made}, err
}

func getVersion(s registry.Service, r *request) (any, error) {
	name, version := r.need("name"), readVersion(r)
	if r.err != nil {
		return nil, r.err
	}
	v, err := s.GetModelVersion(r.ctx, name, version)
	return versionAnswer{v}, err
}

func searchVersions(s registry.Service, r *request) (any, error) {
	q := readModelQuery(r, registry.MaxModelVersions)
	if r.err != nil {
		return nil, r.err
	}
	p, err := s.SearchModelVersions(r.ctx, q)
	return versionsAnswer{p.Items, p.NextPageToken}, err
}

func updateVersion(s registry.Service, r *request) (any, error) {
	name, version, description := r.need("name"), readVersion(r), r.text("description")
	if r.err != nil {
		return nil, r.err
	}
	v, err := s.UpdateModelVersion(r.ctx, name, version, description)
	return versionAnswer{v}, err
}

func deleteVersion(s registry.Service, r *request) (any, error) {
	name, version := r.need("name"), readVersion(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteModelVersion(r.ctx, name, version)
}

func transitionStage(s registry.Service, r *request) (any, error) {
	name, version, stage, archive := r.need("name"), readVersion(r), r.need("stage"), r.flag("archive_existing_versions")
	if r.err != nil {
		return nil, r.err
	}
	v, err := s.TransitionStage(r.ctx, name, version, stage, archive)
	return versionAnswer{v}, err
}

func setVersionTag(s registry.Service, r *request) (any, error) {
	name, version, tag := r.need("name"), readVersion(r), readTag(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.SetModelVersionTag(r.ctx, name, version, tag)
}

func deleteVersionTag(s registry.Service, r *request) (any, error) {
	name, version, key := r.need("name"), readVersion(r), r.need("key")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteModelVersionTag(r.ctx, name, version, key)
}

func versionURI(s registry.Service, r *request) (any, error) {
	name, version := r.need("name"), readVersion(r)
	if r.err != nil {
		return nil, r.err
	}
	uri, err := s.ModelVersionURI(r.ctx, name, version)
	return uriAnswer{uri}, err
}
