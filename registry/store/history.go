package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/taximeter/taximeter/registry"
)

// MetricHistory implements registry.Metrics.
func (s *Store) MetricHistory(ctx context.Context, q registry.HistoryQuery) (registry.Page[registry.Metric], error) {
	var none registry.Page[registry.Metric]
	if q.MaxResults < 0 {
		return none, registry.Errorf(registry.InvalidParameterValue,
			"Invalid value %d for parameter 'max_results' supplied. It must be a positive integer.", q.MaxResults)
	}
	limit := q.MaxResults
	if limit == 0 {
		limit = math.MaxInt32
	}
	after, err := decodeToken(q.PageToken, 4)
	if err != nil {
		return none, err
	}
	return reading(ctx, s, func(tx *sql.Tx) (registry.Page[registry.Metric], error) {
		p, err := history(tx, q.RunID, q.Key, limit, after)
		if err != nil {
			err = fmt.Errorf("read history of %s: %w", q.Key, err)
		}
		return p, err
	})
}

// history returns points by timestamp, step and value. They lie on the disk by
// step; where all are wanted it is faster to put them in order here, as most
// are already.
func history(tx *sql.Tx, runID, key string, limit int, after []any) (registry.Page[registry.Metric], error) {
	const some = `SELECT value, is_nan, timestamp, step FROM metrics WHERE run = (SELECT n FROM runs WHERE id = ?) AND key = ?`
	if after == nil {
		found, err := query(tx, scanPoint(key), some+` LIMIT ?`, runID, key, limit+1)
		if err != nil || len(found) <= limit {
			slices.SortStableFunc(found, comparePoints)
			return registry.Page[registry.Metric]{Items: found}, err
		}
		after = []any{math.MinInt64, math.MinInt64, 0, 0}
	}
	found, err := query(tx, scanPoint(key), some+` AND (timestamp, step, value, is_nan) > (?, ?, ?, ?)
		ORDER BY timestamp, step, value, is_nan LIMIT ?`, append([]any{runID, key}, append(after, limit+1)...)...)
	if err != nil || len(found) <= limit {
		return registry.Page[registry.Metric]{Items: found}, err
	}
	p := storedPoint(found[limit-1])
	token, err := encodeToken([]any{p.timestamp, p.step, p.value, p.isNaN})
	return registry.Page[registry.Metric]{Items: found[:limit], NextPageToken: token}, err
}

// comparePoints orders points as a history does. Those on the disk are in order
// of value and NaN where step and timestamp are equal.
func comparePoints(a, b registry.Metric) int {
	return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.Step, b.Step))
}

// scanPoint reads the columns value, is_nan, timestamp, step.
func scanPoint(key string) func(*sql.Rows) (registry.Metric, error) {
	return func(rows *sql.Rows) (registry.Metric, error) {
		m, isNaN := registry.Metric{Key: key}, false
		err := rows.Scan(&m.Value, &isNaN, &m.Timestamp, &m.Step)
		if isNaN {
			m.Value = math.NaN()
		}
		return m, err
	}
}
