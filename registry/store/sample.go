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

// sampler takes the sample of one run. To skip a point costs SQLite a hundredth
// of what it costs to hand one over or to number it in a window function: so it
// counts the points, if their number is not known, and then leaps from sample to
// sample; straight to them, if their steps are known.
type sampler struct {
	view     *sqlite.Snapshot
	run      int64 // its number
	key      string
	from, to int64 // steps
	most     int64
	last     point // taken last
	take     func(row []driver.Value) error
}

func (s *Store) sample(ctx context.Context, q registry.SampleQuery, runID string) (found []registry.Metric, err error) {
	sm := sampler{key: q.Key, from: math.MinInt64, to: math.MaxInt64, most: int64(q.MaxResults)}
	if q.StartStep != nil {
		sm.from, sm.to = *q.StartStep, *q.EndStep
	}
	sm.take = func(row []driver.Value) error {
		sm.last = point{q.Key, row[0].(int64), row[1].(int64), row[2].(float64), row[3].(int64)}
		m := registry.Metric{Key: q.Key, Value: sm.last.value, Timestamp: sm.last.timestamp, Step: sm.last.step, RunID: runID}
		if sm.last.isNaN != 0 {
			m.Value = math.NaN()
		}
		found = append(found, m)
		return nil
	}
	err = s.db.Snapshot(ctx, func(view *sqlite.Snapshot) error {
		sm.view = view
		var row []driver.Value
		err := view.Each(4, func(r []driver.Value) error { row = slices.Clone(r); return nil },
			`SELECT r.n, l.first_step, l.step, l.points FROM runs r JOIN latest_metrics l ON l.run = r.n WHERE r.id = ? AND l.key = ?`, runID, q.Key)
		if err != nil || row == nil {
			return err
		}
		sm.run = row[0].(int64)
		if points, known := row[3].(int64); known {
			first, last := row[1].(int64), row[2].(int64)
			if last-first == points-1 { // no step is left out
				return sm.pick(max(first, sm.from), min(last, sm.to))
			}
		}
		return sm.count()
	})
	return found, err
}

// pick takes the sample of points that have every step from first to last, once.
func (sm *sampler) pick(first, last int64) error {
	if last < first {
		return nil
	}
	steps := samplePlaces(last-first+1, sm.most)
	for i := range steps {
		steps[i] += first
	}
	return sm.view.Each(4, sm.take, `SELECT m.step, m.timestamp, m.value, m.is_nan FROM json_each(?) j
		CROSS JOIN metrics m ON m.run = ? AND m.key = ? AND m.step = j.value`, jsonList(steps), sm.run, sm.key)
}

// count takes the sample of points of which it must find out how many they are.
func (sm *sampler) count() error {
	var points, steps int64
	err := sm.view.Each(2, func(row []driver.Value) error { points, steps = row[0].(int64), row[1].(int64); return nil }, `SELECT
		(SELECT count(*) FROM metrics WHERE run = ?1 AND key = ?2 AND step BETWEEN ?3 AND ?4),
		(SELECT count(*) FROM (SELECT DISTINCT step FROM metrics WHERE run = ?1 AND key = ?2 AND step BETWEEN ?3 AND ?4))`, sm.run, sm.key, sm.from, sm.to)
	if err != nil {
		return err
	}
	return sm.leap(samplePlaces(points, sm.most), points == steps)
}

// leap takes the points at the places. If each has a step of its own, equal
// leaps are one statement.
func (sm *sampler) leap(places []int64, ownSteps bool) error {
	const columns = `SELECT step, timestamp, value, is_nan FROM metrics WHERE run = ? AND key = ?`
	for i := 0; i < len(places); {
		if i == 0 {
			err := sm.view.Each(4, sm.take, columns+` AND step BETWEEN ? AND ? ORDER BY step, timestamp, value, is_nan LIMIT 1 OFFSET ?`,
				sm.run, sm.key, sm.from, sm.to, places[0])
			if err != nil {
				return err
			}
			i++
			continue
		}
		width, leaps := places[i]-places[i-1], 1
		for ownSteps && i+leaps < len(places) && places[i+leaps]-places[i+leaps-1] == width {
			leaps++
		}
		var err error
		if ownSteps {
			err = sm.view.Each(4, sm.take, `WITH RECURSIVE leaps (i, step) AS (SELECT 0, ?3 UNION ALL SELECT i + 1,
					(SELECT m.step FROM metrics m WHERE m.run = ?1 AND m.key = ?2 AND m.step > leaps.step ORDER BY m.step LIMIT 1 OFFSET ?4)
				FROM leaps WHERE i < ?5)
				SELECT m.step, m.timestamp, m.value, m.is_nan FROM leaps l
				CROSS JOIN metrics m ON m.run = ?1 AND m.key = ?2 AND m.step = l.step WHERE l.i > 0`,
				sm.run, sm.key, sm.last.step, width-1, int64(leaps))
		} else {
			err = sm.view.Each(4, sm.take, columns+` AND (step, timestamp, value, is_nan) > (?, ?, ?, ?) ORDER BY step, timestamp, value, is_nan LIMIT 1 OFFSET ?`,
				sm.run, sm.key, sm.last.step, sm.last.timestamp, sm.last.value, sm.last.isNaN, width-1)
		}
		if err != nil {
			return err
		}
		i += leaps
	}
	return nil
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
