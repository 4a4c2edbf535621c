package mlflow

import "github.com/taximeter/taximeter/registry"

type runAnswer struct {
	Run registry.Run `json:"run"`
}

type runsAnswer struct {
	Runs          []registry.Run `json:"runs,omitempty"`
	NextPageToken string         `json:"next_page_token,omitempty"`
}

type runInfoAnswer struct {
	Info registry.RunInfo `json:"run_info"`
}

func createRun(s registry.Service, r *request) (any, error) {
	n := registry.NewRun{ExperimentID: r.text("experiment_id"), UserID: r.text("user_id"), RunName: r.text("run_name"),
		StartTime: r.integer("start_time"), Tags: objects(r, "tags", readTag)}
	if r.err != nil {
		return nil, r.err
	}
	run, err := s.CreateRun(r.ctx, n)
	return runAnswer{run}, err
}

func getRun(s registry.Service, r *request) (any, error) {
	id := r.runID()
	if r.err != nil {
		return nil, r.err
	}
	run, err := s.GetRun(r.ctx, id)
	return runAnswer{run}, err
}

func updateRun(s registry.Service, r *request) (any, error) {
	u := registry.RunUpdate{RunID: r.runID(), EndTime: r.integer("end_time"), RunName: r.text("run_name"),
		Status: enum(r, "status", registry.Running, registry.Scheduled, registry.Finished, registry.Failed, registry.Killed)}
	if r.err != nil {
		return nil, r.err
	}
	info, err := s.UpdateRun(r.ctx, u)
	return runInfoAnswer{info}, err
}

func deleteRun(s registry.Service, r *request) (any, error) {
	id := r.need("run_id")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteRun(r.ctx, id)
}

func restoreRun(s registry.Service, r *request) (any, error) {
	id := r.need("run_id")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.RestoreRun(r.ctx, id)
}

func searchRuns(s registry.Service, r *request) (any, error) {
	q := registry.RunQuery{ExperimentIDs: r.texts("experiment_ids"), Filter: r.text("filter"), OrderBy: r.texts("order_by"),
		View: readView(r, "run_view_type"), MaxResults: r.limit(1000), PageToken: r.text("page_token")}
	if q.MaxResults > registry.MaxRuns {
		r.invalid("max_results", r.value("max_results"))
	}
	if r.err != nil {
		return nil, r.err
	}
	p, err := s.SearchRuns(r.ctx, q)
	return runsAnswer{p.Items, p.NextPageToken}, err
}

func logBatch(s registry.Service, r *request) (any, error) {
	b := r.batch
	if b == nil {
		b = readBatch(r)
	}
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.LogBatch(r.ctx, b.runID, b.Batch)
}

func readBatch(r *request) *loggedBatch {
	return &loggedBatch{r.runID(), registry.Batch{Metrics: objects(r, "metrics", readMetric),
		Params: objects(r, "params", readParam), Tags: objects(r, "tags", readTag)}}
}

func readMetric(r *request) registry.Metric {
	for _, name := range []string{"key", "value", "timestamp"} {
		if !r.has(name) {
			r.missing(name)
		}
	}
	return registry.Metric{Key: r.text("key"), Value: r.number("value"), Timestamp: r.integer("timestamp"), Step: r.integer("step"),
		ModelID: r.text("model_id"), DatasetName: r.text("dataset_name"), DatasetDigest: r.text("dataset_digest")}
}

func logMetric(s registry.Service, r *request) (any, error) {
	id, m := r.runID(), readMetric(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.LogMetric(r.ctx, id, m)
}

func logParam(s registry.Service, r *request) (any, error) {
	id, p := r.runID(), readParam(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.LogParam(r.ctx, id, p)
}

func setTag(s registry.Service, r *request) (any, error) {
	id, tag := r.runID(), readTag(r)
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.SetTag(r.ctx, id, tag)
}

func deleteTag(s registry.Service, r *request) (any, error) {
	id, key := r.need("run_id"), r.need("key")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.DeleteTag(r.ctx, id, key)
}

func logInputs(s registry.Service, r *request) (any, error) {
	id := r.need("run_id")
	datasets := objects(r, "datasets", func(r *request) registry.DatasetInput {
		return registry.DatasetInput{Tags: objects(r, "tags", readTag), Dataset: object(r, "dataset", r.fields["dataset"], readDataset)}
	})
	models := objects(r, "models", func(r *request) registry.ModelInput { return registry.ModelInput{ModelID: r.need("model_id")} })
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.LogInputs(r.ctx, id, datasets, models)
}

func readDataset(r *request) registry.Dataset {
	return registry.Dataset{Name: r.need("name"), Digest: r.text("digest"), SourceType: r.text("source_type"), Source: r.text("source"),
		Schema: r.text("schema"), Profile: r.text("profile")}
}

func logOutputs(s registry.Service, r *request) (any, error) {
	id := r.need("run_id")
	models := objects(r, "models", func(r *request) registry.ModelOutput {
		return registry.ModelOutput{ModelID: r.need("model_id"), Step: r.integer("step")}
	})
	if len(models) == 0 {
		r.missing("models")
	}
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.LogOutputs(r.ctx, id, models)
}

func logModel(s registry.Service, r *request) (any, error) {
	id, model := r.need("run_id"), r.need("model_json")
	if r.err != nil {
		return nil, r.err
	}
	return nil, s.LogModel(r.ctx, id, model)
}

type datasetsAnswer struct {
	Datasets []registry.DatasetSummary `json:"dataset_summaries,omitempty"`
}

func searchDatasets(s registry.Service, r *request) (any, error) {
	ids := r.texts("experiment_ids")
	if r.err != nil {
		return nil, r.err
	}
	found, err := s.SearchDatasets(r.ctx, ids)
	return datasetsAnswer{found}, err
}
