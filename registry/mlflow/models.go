package mlflow

import "github.com/taximeter/taximeter/registry"

type modelAnswer struct {
	Model registry.RegisteredModel `json:"registered_model"`
}

type modelsAnswer struct {
	Models        []registry.RegisteredModel `json:"registered_models,omitempty"`
	NextPageToken string                     `json:"next_page_token,omitempty"`
}

func createModel(s registry.Service, r *request) (any, error) {
	m := registry.NewRegisteredModel{Name: r.need("name"), Description: r.text("description"), Tags: objects(r, "tags", readTag)}
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.CreateRegisteredModel(r.ctx, m)
	return modelAnswer{made}, err
}

func getModel(s registry.Service, r *request) (any, error) {
	name := r.need("name")
	if r.err != nil {
		return nil, r.err
	}
	m, err := s.GetRegisteredModel(r.ctx, name)
	return modelAnswer{m}, err
}

func searchModels(s registry.Service, r *request) (any, error) {
	q := readModelQuery(r, registry.MaxModels)
	if r.err != nil {
		return nil, r.err
	}
	p, err := s.SearchRegisteredModels(r.ctx, q)
	return modelsAnswer{p.Items, p.NextPageToken}, err
}

func readModelQuery(r *request, limit int) registry.ModelQuery {
	q := registry.ModelQuery{Filter: r.text("filter"), OrderBy: r.texts("order_by"), MaxResults: r.limit(0), PageToken: r.text("page_token")}
	if q.MaxResults > limit {
		r.invalid("max_results", r.value("max_results"))
	}
	return q
}

func updateModel(s registry.Service, r *request) (any, error) {
	name, description := r.need("name"), r.text("description")
	if r.err != nil {
		return nil, r.err
	}
	m, err := s.UpdateRegisteredModel(r.ctx, name, description)
	return modelAnswer{m}, err
}

func renameModel(s registry.Service, r *request) (any, error) {
	name, newName := r.need("name"), r.need("new_name")
	if r.err != nil {
		return nil, r.err
	}
	m, err := s.RenameRegisteredModel(r.ctx, name, newName)
	return modelAnswer{m}, err
}

func deleteModel(s registry.Service, r *request) (any, error) {
	name := r.need("name")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteRegisteredModel(r.ctx, name)
}

func setModelTag(s registry.Service, r *request) (any, error) {
	name, tag := r.need("name"), readTag(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.SetRegisteredModelTag(r.ctx, name, tag)
}

func deleteModelTag(s registry.Service, r *request) (any, error) {
	name, key := r.need("name"), r.need("key")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteRegisteredModelTag(r.ctx, name, key)
}

func latestVersions(s registry.Service, r *request) (any, error) {
	name, stages := r.need("name"), r.texts("stages")
	if r.err != nil {
		return nil, r.err
	}
	found, err := s.LatestVersions(r.ctx, name, stages)
	return versionsAnswer{Versions: found}, err
}

func setAlias(s registry.Service, r *request) (any, error) {
	name, alias, version := r.need("name"), r.need("alias"), readVersion(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.SetAlias(r.ctx, name, alias, version)
}

func deleteAlias(s registry.Service, r *request) (any, error) {
	name, alias := r.need("name"), r.need("alias")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteAlias(r.ctx, name, alias)
}

func getByAlias(s registry.Service, r *request) (any, error) {
	name, alias := r.need("name"), r.need("alias")
	if r.err != nil {
		return nil, r.err
	}
	v, err := s.VersionByAlias(r.ctx, name, alias)
	return versionAnswer{v}, err
}
