package mlflow

import (
	"slices"

	"github.com/taximeter/taximeter/registry"
)

type metricsAnswer struct {
	Metrics       []registry.Metric `json:"metrics,omitempty"`
	NextPageToken string            `json:"next_page_token,omitempty"`
}

func getHistory(s registry.Service, r *request) (any, error) {
	q := registry.HistoryQuery{RunID: r.runID(), Key: r.need("metric_key"), PageToken: r.text("page_token")}
	if r.has("max_results") {
		q.MaxResults = int(r.integer("max_results"))
		if q.MaxResults < 1 && r.err == nil {
			r.err = registry.Errorf(registry.InvalidParameterValue,
				"Invalid value %d for parameter 'max_results' supplied. It must be a positive integer.", q.MaxResults)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	p, err := s.MetricHistory(r.ctx, q)
	return metricsAnswer{p.Items, p.NextPageToken}, err
}

// getHistoryBulk answers with points of several runs, as plain JSON: the list
// is there when it is empty.
func getHistoryBulk(s registry.Service, r *request) (any, error) {
	ids, key := r.texts("run_id"), r.text("metric_key")
	limit := r.limit(registry.MaxHistory)
	switch {
	case r.err != nil:
	case len(ids) == 0:
		r.err = registry.Errorf(registry.InvalidParameterValue, "GetMetricHistoryBulk request must specify at least one run_id.")
	case len(ids) > registry.MaxSampledRuns:
		r.err = registry.Errorf(registry.InvalidParameterValue, "GetMetricHistoryBulk request cannot specify more than %d run_ids. "+
			"Received %d run_ids.", registry.MaxSampledRuns, len(ids))
	case key == "":
		r.err = registry.Errorf(registry.InvalidParameterValue, "GetMetricHistoryBulk request must specify a metric_key.")
	}
	if r.err != nil {
		return nil, r.err
	}
	all := []registry.Metric{}
	slices.Sort(ids)
	for _, id := range ids {
		p, err := s.MetricHistory(r.ctx, registry.HistoryQuery{RunID: id, Key: key})
		if err != nil {
			return nil, err
		}
		for _, m := range p.Items {
			m.RunID = id
			all = append(all, m)
		}
	}
	all = all[:min(len(all), limit, registry.MaxHistory)]
	return map[string]any{"metrics": all}, nil
}

func sampleMetrics(s registry.Service, r *request) (any, error) {
	if !r.has("run_ids") {
		r.missing("run_ids")
	}
	q := registry.SampleQuery{RunIDs: r.texts("run_ids"), Key: r.need("metric_key"), MaxResults: int(min(r.integer("max_results"), 1<<30))}
	switch {
	case r.err != nil:
	case len(q.RunIDs) > registry.MaxSampledRuns:
		r.err = registry.Errorf(registry.InvalidParameterValue, "GetMetricHistoryBulkInterval request must specify at most %d run_ids. "+
			"Received %d run_ids. %s", registry.MaxSampledRuns, len(q.RunIDs), seeDocs)
	case r.has("max_results") && (q.MaxResults < 1 || q.MaxResults > registry.MaxSamples):
		r.err = registry.Errorf(registry.InvalidParameterValue, "max_results must be between 1 and %d. %s", registry.MaxSamples, seeDocs)
	}
	if r.has("start_step") {
		step := r.integer("start_step")
		q.StartStep = &step
	}
	if r.has("end_step") {
		step := r.integer("end_step")
		q.EndStep = &step
	}
	if r.err != nil {
		return nil, r.err
	}
	found, err := s.SampleMetrics(r.ctx, q)
	return metricsAnswer{Metrics: found}, err
}
