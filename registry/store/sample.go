package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
)

// SampleMetrics implements registry.Metrics. Of each run it takes the first
// point of each of MaxResults equal parts of its points, and the last point, as
// MLflow 3.17 does.
func (s *Store) SampleMetrics(ctx context.Context, q registry.SampleQuery) ([]registry.Metric, error) {
	if err := checkSample(&q); err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	samples, errs := make([][]registry.Metric, len(q.RunIDs)), make([]error, len(q.RunIDs))
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, id := range q.RunIDs {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			samples[i], errs[i] = s.sample(context.WithoutCancel(ctx), q, id)
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("sample %s of run %s: %w", q.Key, q.RunIDs[i], err)
		}
	}
	return slices.Concat(samples...), nil
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

// sample takes the sample of one run. To skip a point costs SQLite a hundredth
// of what it costs to hand one over or to number it in a window function: so it
// counts the points, and then leaps from sample to sample.
func (s *Store) sample(ctx context.Context, q registry.SampleQuery, runID string) (found []registry.Metric, err error) {
	const (
		series = ` FROM metrics WHERE run = ? AND key = ? AND step BETWEEN ? AND ?`
		first  = `SELECT step, timestamp, value, is_nan` + series + ` ORDER BY step, timestamp, value, is_nan LIMIT 1 OFFSET ?`
		next   = `SELECT step, timestamp, value, is_nan FROM metrics WHERE run = ? AND key = ?
			AND (step, timestamp, value, is_nan) > (?, ?, ?, ?) ORDER BY step, timestamp, value, is_nan LIMIT 1 OFFSET ?`
	)
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if q.StartStep != nil {
		from, to = *q.StartStep, *q.EndStep
	}
	err = s.db.Snapshot(ctx, func(view *sqlite.Snapshot) error {
		var n any // the run's number: NULL, which nothing equals, where there is none
		if err := view.Each(func(row []driver.Value) error { n = row[0]; return nil }, `SELECT n FROM runs WHERE id = ?`, runID); err != nil {
			return err
		}
		var points int64
		count := func(row []driver.Value) error { points = row[0].(int64); return nil }
		if err := view.Each(count, `SELECT count(*)`+series, n, q.Key, from, to); err != nil {
			return err
		}
		var last point
		take := func(row []driver.Value) error {
			last = point{q.Key, row[0].(int64), row[1].(int64), row[2].(float64), row[3].(int64)}
			m := registry.Metric{Key: q.Key, Value: last.value, Timestamp: last.timestamp, Step: last.step, RunID: runID}
			if last.isNaN != 0 {
				m.Value = math.NaN()
			}
			found = append(found, m)
			return nil
		}
		before := int64(0)
		for i, place := range samplePlaces(points, int64(q.MaxResults)) {
			if i == 0 {
				err = view.Each(take, first, n, q.Key, from, to, place)
			} else {
				err = view.Each(take, next, n, q.Key, last.step, last.timestamp, last.value, last.isNaN, place-before-1)
			}
			if err != nil {
				return err
			}
			before = place
		}
		return nil
	})
	return found, err
}

// samplePlaces returns which of so many points are taken, from 0 on: the first
// of each of most parts, of which the first points%most have one more than the
// others, and the last point, in the last sample's place if there are most.
func samplePlaces(points, most int64) []int64 {
	var places []int64
	place := int64(0)
	for part := range min(most, points) {
		places = append(places, place)
		place += points / most
		if part < points%most {
			place++
		}
	}
	if points > most {
		places[most-1] = points - 1
	}
	return places
}
