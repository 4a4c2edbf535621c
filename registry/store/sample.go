package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/taximeter/taximeter/registry"
)

// SampleMetrics implements registry.Metrics. Of each run it takes the first
// point of each of MaxResults equal parts of its points, and the last point, as
// MLflow 3.17 does.
func (s *Store) SampleMetrics(ctx context.Context, q registry.SampleQuery) ([]registry.Metric, error) {
	if err := checkSample(&q); err != nil {
		return nil, err
	}
	return reading(ctx, s, func(tx *sql.Tx) ([]registry.Metric, error) {
		var all []registry.Metric
		for _, id := range q.RunIDs {
			some, err := sample(tx, q, id)
			if err != nil {
				return nil, fmt.Errorf("sample %s of run %s: %w", q.Key, id, err)
			}
			all = append(all, some...)
		}
		return all, nil
	})
}

func checkSample(q *registry.SampleQuery) error {
	if n := len(q.RunIDs); n == 0 || n > registry.MaxSampledRuns {
		return registry.Errorf(registry.InvalidParameterValue, "GetMetricHistoryBulkInterval request must specify 1 to %d run_ids, got %d",
			registry.MaxSampledRuns, n)
	}
	if q.MaxResults == 0 {
		q.MaxResults = 320
	}
	if q.MaxResults < 1 || q.MaxResults > registry.MaxSamples {
		return registry.Errorf(registry.InvalidParameterValue, "max_results must be between 1 and %d", registry.MaxSamples)
	}
	if (q.StartStep == nil) != (q.EndStep == nil) {
		return registry.Errorf(registry.InvalidParameterValue, "If either start step or end step are specified, both must be specified.")
	}
	if q.StartStep != nil && *q.StartStep > *q.EndStep {
		return registry.Errorf(registry.InvalidParameterValue, "end_step must be greater than start_step. Found start_step=%d and end_step=%d.",
			*q.StartStep, *q.EndStep)
	}
	return nil
}

func sample(tx *sql.Tx, q registry.SampleQuery, runID string) ([]registry.Metric, error) {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if q.StartStep != nil {
		from, to = *q.StartStep, *q.EndStep
	}
	var last bool
	found, err := query(tx, func(rows *sql.Rows) (registry.Metric, error) {
		m, err := scanMetric(rows, &last)
		m.RunID = runID
		return m, err
	}, `WITH points AS (
			SELECT *, ntile(?) OVER by_step AS part, row_number() OVER by_step AS i, count(*) OVER () AS points
			FROM metrics WHERE run = (SELECT n FROM runs WHERE id = ?) AND key = ? AND step BETWEEN ? AND ?
			WINDOW by_step AS (ORDER BY step, timestamp, value, is_nan)),
		firsts AS (SELECT min(i) AS i FROM points GROUP BY part)
		SELECT i = points, key, value, is_nan, timestamp, step FROM points
		WHERE i = points OR i IN (SELECT i FROM firsts) ORDER BY i`, q.MaxResults, runID, q.Key, from, to)
	if n := len(found); n > q.MaxResults { // the last point comes in the last sample's place
		found = append(found[:n-2], found[n-1])
	}
	return found, err
}
