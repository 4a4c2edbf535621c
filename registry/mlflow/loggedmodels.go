package mlflow

import "github.com/taximeter/taximeter/registry"

type loggedModelAnswer struct {
	Model registry.LoggedModel `json:"model"`
}

type loggedModelsAnswer struct {
	Models        []registry.LoggedModel `json:"models,omitempty"`
	NextPageToken string                 `json:"next_page_token,omitempty"`
}

func createLoggedModel(s registry.Service, r *request) (any, error) {
	m := registry.NewLoggedModel{ExperimentID: r.need("experiment_id"), Name: r.text("name"), ModelType: r.text("model_type"),
		SourceRunID: r.text("source_run_id"), Params: objects(r, "params", readParam), Tags: objects(r, "tags", readTag)}
	if r.err != nil {
		return nil, r.err
	}
	made, err := s.CreateLoggedModel(r.ctx, m)
	return loggedModelAnswer{made}, err
}

func getLoggedModel(s registry.Service, r *request) (any, error) {
	id, deletedToo := r.need("model_id"), r.flag("allow_deleted")
	if r.err != nil {
		return nil, r.err
	}
	get := s.GetLoggedModel
	if deletedToo {
		get = s.FindLoggedModel
	}
	m, err := get(r.ctx, id)
	return loggedModelAnswer{m}, err
}

func finalizeLoggedModel(s registry.Service, r *request) (any, error) {
	id := r.need("model_id")
	status := enum(r, "status", registry.ModelPending, registry.ModelReady, registry.ModelUploadFailed)
	if r.err != nil {
		return nil, r.err
	}
	m, err := s.FinalizeLoggedModel(r.ctx, id, status)
	return loggedModelAnswer{m}, err
}

func deleteLoggedModel(s registry.Service, r *request) (any, error) {
	return nil, s.DeleteLoggedModel(r.ctx, r.text("model_id"))
}

func searchLoggedModels(s registry.Service, r *request) (any, error) {
	q := registry.LoggedModelQuery{ExperimentIDs: r.texts("experiment_ids"), Filter: r.text("filter"), MaxResults: r.limit(50),
		PageToken: r.text("page_token"), OrderBy: objects(r, "order_by", func(r *request) registry.LoggedModelOrder {
			return registry.LoggedModelOrder{FieldName: r.need("field_name"), Ascending: !r.has("ascending") || r.flag("ascending")}
		})}
	if len(q.ExperimentIDs) == 0 {
		r.missing("experiment_ids")
	}
	if r.err != nil {
		return nil, r.err
	}
	p, err := s.SearchLoggedModels(r.ctx, q)
	return loggedModelsAnswer{p.Items, p.NextPageToken}, err
}

func setLoggedModelTags(s registry.Service, r *request) (any, error) {
	id, tags := r.need("model_id"), objects(r, "tags", readTag)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.SetLoggedModelTags(r.ctx, id, tags)
}

func deleteLoggedModelTag(s registry.Service, r *request) (any, error) {
	return nil, s.DeleteLoggedModelTag(r.ctx, r.text("model_id"), r.text("key"))
}

func logLoggedModelParams(s registry.Service, r *request) (any, error) {
	id, params := r.need("model_id"), objects(r, "params", readParam)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.LogLoggedModelParams(r.ctx, id, params)
}

func listLoggedModelArtifacts(s registry.Service, r *request) (any, error) {
	folder := r.text("artifact_directory_path")
	m, err := s.GetLoggedModel(r.ctx, r.text("model_id"))
	if err != nil {
		return nil, err
	}
	found, err := s.ListAt(r.ctx, m.Info.ArtifactURI, folder)
	return listing(m.Info.ArtifactURI, folder, found), err
}
