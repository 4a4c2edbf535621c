package mlflow

import "github.com/taximeter/taximeter/registry"

// experimentJSON is an experiment with the field that 3.17 adds.
type experimentJSON struct {
	registry.Experiment
	Workspace string `json:"workspace"`
}

type experimentAnswer struct {
	Experiment experimentJSON `json:"experiment"`
}

func createExperiment(s registry.Service, r *request) (any, error) {
	e := registry.NewExperiment{Name: r.need("name"), ArtifactLocation: r.text("artifact_location"), Tags: objects(r, "tags", readTag)}
	if r.err != nil {
		return nil, r.err
	}
	id, err := s.CreateExperiment(r.ctx, e)
	return map[string]string{"experiment_id": id}, err
}

func getExperiment(s registry.Service, r *request) (any, error) {
	id := r.need("experiment_id")
	if r.err != nil {
		return nil, r.err
	}
	e, err := s.GetExperiment(r.ctx, id)
	return experimentAnswer{experimentJSON{e, "default"}}, err
}

func getExperimentByName(s registry.Service, r *request) (any, error) {
	name := r.need("experiment_name")
	if r.err != nil {
		return nil, r.err
	}
	e, err := s.GetExperimentByName(r.ctx, name)
	return experimentAnswer{experimentJSON{e, "default"}}, err
}

func searchExperiments(s registry.Service, r *request) (any, error) {
	q := registry.ExperimentQuery{Filter: r.text("filter"), OrderBy: r.texts("order_by"), View: readView(r, "view_type"),
		PageToken: r.text("page_token")}
	if q.MaxResults = r.limit(-1); r.err != nil { // MLflow refuses a search without a limit
		return nil, r.err
	}
	p, err := s.SearchExperiments(r.ctx, q)
	var answer struct {
		Experiments   []experimentJSON `json:"experiments,omitempty"`
		NextPageToken string           `json:"next_page_token,omitempty"`
	}
	for _, e := range p.Items {
		answer.Experiments = append(answer.Experiments, experimentJSON{e, "default"})
	}
	answer.NextPageToken = p.NextPageToken
	return answer, err
}

func readView(r *request, name string) registry.ViewType {
	return enum(r, name, registry.ActiveOnly, registry.DeletedOnly, registry.ViewAll)
}

func updateExperiment(s registry.Service, r *request) (any, error) {
	id, name := r.need("experiment_id"), r.need("new_name")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.UpdateExperiment(r.ctx, id, name)
}

func deleteExperiment(s registry.Service, r *request) (any, error) {
	id := r.need("experiment_id")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteExperiment(r.ctx, id)
}

func restoreExperiment(s registry.Service, r *request) (any, error) {
	id := r.need("experiment_id")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.RestoreExperiment(r.ctx, id)
}

func setExperimentTag(s registry.Service, r *request) (any, error) {
	id, tag := r.need("experiment_id"), readTag(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.SetExperimentTag(r.ctx, id, tag)
}

func deleteExperimentTag(s registry.Service, r *request) (any, error) {
	id, key := r.need("experiment_id"), r.need("key")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteExperimentTag(r.ctx, id, key)
}
