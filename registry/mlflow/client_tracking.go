package mlflow

import (
	"cmp"
	"context"
	"net/url"
	"strconv"

	"github.com/taximeter/taximeter/registry"
)

// CreateExperiment implements registry.Experiments.
func (c *Client) CreateExperiment(ctx context.Context, e registry.NewExperiment) (string, error) {
	var answer struct {
		ID string `json:"experiment_id"`
	}
	k := post("experiments/create", e)
	k.once = true
	err := c.do(ctx, k, &answer)
	return answer.ID, err
}

// GetExperiment implements registry.Experiments.
func (c *Client) GetExperiment(ctx context.Context, id string) (registry.Experiment, error) {
	var answer experimentAnswer
	err := c.do(ctx, get("experiments/get", url.Values{"experiment_id": {id}}), &answer)
	return answer.Experiment.Experiment, err
}

// GetExperimentByName implements registry.Experiments.
func (c *Client) GetExperimentByName(ctx context.Context, name string) (registry.Experiment, error) {
	var answer experimentAnswer
	err := c.do(ctx, get("experiments/get-by-name", url.Values{"experiment_name": {name}}), &answer)
	return answer.Experiment.Experiment, err
}

// SearchExperiments implements registry.Experiments.
func (c *Client) SearchExperiments(ctx context.Context, q registry.ExperimentQuery) (registry.Page[registry.Experiment], error) {
	var answer struct {
		Experiments   []registry.Experiment `json:"experiments"`
		NextPageToken string                `json:"next_page_token"`
	}
	err := c.do(ctx, post("experiments/search", given(fields{"filter": q.Filter, "order_by": q.OrderBy, "view_type": q.View,
		"max_results": cmp.Or(q.MaxResults, 1000), "page_token": q.PageToken})), &answer)
	return registry.Page[registry.Experiment]{Items: answer.Experiments, NextPageToken: answer.NextPageToken}, err
}

// UpdateExperiment implements registry.Experiments.
func (c *Client) UpdateExperiment(ctx context.Context, id, newName string) error {
	return c.do(ctx, post("experiments/update", fields{"experiment_id": id, "new_name": newName}), nil)
}

// DeleteExperiment implements registry.Experiments.
func (c *Client) DeleteExperiment(ctx context.Context, id string) error {
	k := post("experiments/delete", fields{"experiment_id": id})
	k.once = true // the second time there is none
	return c.do(ctx, k, nil)
}

// RestoreExperiment implements registry.Experiments.
func (c *Client) RestoreExperiment(ctx context.Context, id string) error {
	k := post("experiments/restore", fields{"experiment_id": id})
	k.once = true
	return c.do(ctx, k, nil)
}

// SetExperimentTag implements registry.Experiments.
func (c *Client) SetExperimentTag(ctx context.Context, id string, tag registry.Tag) error {
	return c.do(ctx, post("experiments/set-experiment-tag", fields{"experiment_id": id, "key": tag.Key, "value": tag.Value}), nil)
}

// DeleteExperimentTag implements registry.Experiments.
func (c *Client) DeleteExperimentTag(ctx context.Context, id, key string) error {
	k := post("experiments/delete-experiment-tag", fields{"experiment_id": id, "key": key})
	k.once = true
	return c.do(ctx, k, nil)
}

// CreateRun implements registry.Runs.
func (c *Client) CreateRun(ctx context.Context, r registry.NewRun) (registry.Run, error) {
	r.ExperimentID = cmp.Or(r.ExperimentID, registry.DefaultExperiment)
	var answer runAnswer
	k := post("runs/create", r)
	k.once = true
	err := c.do(ctx, k, &answer)
	return answer.Run, err
}

// GetRun implements registry.Runs.
func (c *Client) GetRun(ctx context.Context, runID string) (registry.Run, error) {
	var answer runAnswer
	err := c.do(ctx, get("runs/get", url.Values{"run_id": {runID}}), &answer)
	return answer.Run, err
}

// UpdateRun implements registry.Runs.
func (c *Client) UpdateRun(ctx context.Context, u registry.RunUpdate) (registry.RunInfo, error) {
	var answer runInfoAnswer
	err := c.do(ctx, post("runs/update", u), &answer)
	return answer.Info, err
}

// DeleteRun implements registry.Runs.
func (c *Client) DeleteRun(ctx context.Context, runID string) error {
	return c.do(ctx, post("runs/delete", fields{"run_id": runID}), nil)
}

// RestoreRun implements registry.Runs.
func (c *Client) RestoreRun(ctx context.Context, runID string) error {
	return c.do(ctx, post("runs/restore", fields{"run_id": runID}), nil)
}

// SearchRuns implements registry.Runs.
func (c *Client) SearchRuns(ctx context.Context, q registry.RunQuery) (registry.Page[registry.Run], error) {
	var answer runsAnswer
	err := c.do(ctx, post("runs/search", given(fields{"experiment_ids": q.ExperimentIDs, "filter": q.Filter, "order_by": q.OrderBy,
		"run_view_type": q.View, "max_results": q.MaxResults, "page_token": q.PageToken})), &answer)
	return registry.Page[registry.Run]{Items: answer.Runs, NextPageToken: answer.NextPageToken}, err
}

// LogBatch implements registry.Runs.
func (c *Client) LogBatch(ctx context.Context, runID string, b registry.Batch) error {
	return c.do(ctx, post("runs/log-batch", struct {
		RunID string `json:"run_id"`
		registry.Batch
	}{runID, b}), nil)
}

// LogMetric implements registry.Runs.
func (c *Client) LogMetric(ctx context.Context, runID string, m registry.Metric) error {
	m.RunID = runID
	return c.do(ctx, post("runs/log-metric", m), nil)
}

// LogParam implements registry.Runs.
func (c *Client) LogParam(ctx context.Context, runID string, p registry.Param) error {
	return c.do(ctx, post("runs/log-parameter", fields{"run_id": runID, "key": p.Key, "value": p.Value}), nil)
}

// SetTag implements registry.Runs.
func (c *Client) SetTag(ctx context.Context, runID string, tag registry.Tag) error {
	return c.do(ctx, post("runs/set-tag", fields{"run_id": runID, "key": tag.Key, "value": tag.Value}), nil)
}

// DeleteTag implements registry.Runs.
func (c *Client) DeleteTag(ctx context.Context, runID, key string) error {
	k := post("runs/delete-tag", fields{"run_id": runID, "key": key})
	k.once = true
	return c.do(ctx, k, nil)
}

// LogInputs implements registry.Runs.
func (c *Client) LogInputs(ctx context.Context, runID string, datasets []registry.DatasetInput, models []registry.ModelInput) error {
	return c.do(ctx, post("runs/log-inputs", fields{"run_id": runID, "datasets": datasets, "models": models}), nil)
}

// LogOutputs implements registry.Runs.
func (c *Client) LogOutputs(ctx context.Context, runID string, models []registry.ModelOutput) error {
	return c.do(ctx, post("runs/outputs", fields{"run_id": runID, "models": models}), nil)
}

// LogModel implements registry.Runs.
func (c *Client) LogModel(ctx context.Context, runID, modelJSON string) error {
	k := post("runs/log-model", fields{"run_id": runID, "model_json": modelJSON})
	k.once = true
	return c.do(ctx, k, nil)
}

// MetricHistory implements registry.Metrics.
func (c *Client) MetricHistory(ctx context.Context, q registry.HistoryQuery) (registry.Page[registry.Metric], error) {
	all := q.MaxResults == 0
	if all {
		q.MaxResults = registry.MaxHistory // servers before 3.17 give nothing to those who do not say
	}
	var p registry.Page[registry.Metric]
	for {
		query := url.Values{"run_id": {q.RunID}, "metric_key": {q.Key}, "max_results": {strconv.Itoa(q.MaxResults)}}
		if q.PageToken != "" {
			query.Set("page_token", q.PageToken)
		}
		var answer metricsAnswer
		if err := c.do(ctx, get("metrics/get-history", query), &answer); err != nil {
			return registry.Page[registry.Metric]{}, err
		}
		p.Items = append(p.Items, answer.Metrics...)
		p.NextPageToken = answer.NextPageToken
		if !all || p.NextPageToken == "" {
			return p, nil
		}
		q.PageToken = p.NextPageToken
	}
}

// SampleMetrics implements registry.Metrics.
func (c *Client) SampleMetrics(ctx context.Context, q registry.SampleQuery) ([]registry.Metric, error) {
	query := url.Values{"run_ids": q.RunIDs, "metric_key": {q.Key}, "max_results": {strconv.Itoa(cmp.Or(q.MaxResults, 320))}}
	if q.StartStep != nil {
		query.Set("start_step", strconv.FormatInt(*q.StartStep, 10))
	}
	if q.EndStep != nil {
		query.Set("end_step", strconv.FormatInt(*q.EndStep, 10))
	}
	var answer metricsAnswer
	err := c.do(ctx, get("metrics/get-history-bulk-interval", query), &answer)
	return answer.Metrics, err
}

// SearchDatasets implements registry.Runs.
func (c *Client) SearchDatasets(ctx context.Context, experimentIDs []string) ([]registry.DatasetSummary, error) {
	var answer datasetsAnswer
	k := post("experiments/search-datasets", fields{"experiment_ids": experimentIDs})
	k.path = "/ajax-api/2.0/mlflow/experiments/search-datasets" // only the interface's routes have it
	err := c.do(ctx, k, &answer)
	return answer.Datasets, err
}
