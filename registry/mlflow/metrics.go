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
	ids, key, limit := r.texts("run_id"), r.need("metric_key"), r.limit(registry.MaxHistory)
	if r.err == nil && (len(ids) == 0 || len(ids) > registry.MaxSampledRuns) {
		r.err = registry.Errorf(registry.InvalidParameterValue, "GetMetricHistoryBulk request must specify 1 to %d run_ids, got %d", registry.MaxSampledRuns, len(ids))
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
	q := registry.SampleQuery{RunIDs: r.texts("run_ids"), Key: r.need("metric_key"), MaxResults: r.limit(0)}
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
