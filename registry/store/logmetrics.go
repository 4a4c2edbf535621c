package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"math"

	"github.com/taximeter/taximeter/registry"
)

// point is a metric's point as it is stored.
type point struct {
	key             any // a string; boxed once for many points
	step, timestamp int64
	value           float64 // 0 for NaN
	isNaN           int64
}

func storedPoint(m registry.Metric) point {
	value, isNaN := registry.Clamp(m.Value), int64(0)
	if math.IsNaN(value) {
		value, isNaN = 0, 1
	}
	return point{m.Key, m.Step, m.Timestamp, value, isNaN}
}

// compare orders points by step, timestamp and value: the last is the latest.
func (p point) compare(q point) int {
	return cmp.Or(cmp.Compare(p.step, q.step), cmp.Compare(p.timestamp, q.timestamp), cmp.Compare(p.value, q.value))
}

func (p point) values(args []any, run any) []any {
	return append(args, run, p.key, p.step, p.timestamp, p.value, p.isNaN)
}

// series is what a batch holds of one metric.
type series struct {
	latest point
	first  int64 // the step of the first point
	points any   // how many there are, if each has a greater step than the one before; else nil
}

// storedPoints returns the points as they are stored, and the series they are of.
func storedPoints(metrics []registry.Metric) (points []point, all []series) {
	points = make([]point, len(metrics))
	at := make(map[string]int, 8) // index of a key's series
	for i, m := range metrics {
		p := storedPoint(m)
		if k, seen := at[m.Key]; seen {
			p.key = all[k].latest.key
			all[k].add(p)
		} else {
			at[m.Key] = len(all)
			all = append(all, series{p, p.step, int64(1)})
		}
		points[i] = p
	}
	return points, all
}

func (s *series) add(p point) {
	if n, known := s.points.(int64); known && p.step > s.latest.step {
		s.points = n + 1
	} else {
		s.points = nil
	}
	if p.compare(s.latest) > 0 {
		s.latest = p
	}
}

// logMetrics adds points and moves the latest ones forward.
func logMetrics(tx *sql.Tx, n int64, runID string, metrics []registry.Metric) error {
	points, all := storedPoints(metrics)
	var ofModels [][]any
	for i, m := range metrics {
		if m.ModelID != "" {
			p := points[i]
			ofModels = append(ofModels, []any{m.ModelID, m.Key, m.Step, m.Timestamp, p.value, p.isNaN, runID, m.DatasetName, m.DatasetDigest})
		}
	}
	if _, err := insertPoints(tx, n, points, all); err != nil {
		return fmt.Errorf("log metrics: %w", err)
	}
	return logModelMetrics(tx, ofModels)
}

// insertPoints adds points of a run, which are of all those series, and returns
// how many were not there yet.
func insertPoints(tx *sql.Tx, n int64, points []point, all []series) (added int64, err error) {
	var run any = n
	added, err = insertEach(tx, `INSERT INTO metrics (run, key, step, timestamp, value, is_nan) VALUES %s ON CONFLICT DO NOTHING`,
		len(points), func(args []any, i int) []any { return points[i].values(args, run) })
	if err != nil || added == 0 {
		return added, err
	}
	const later = `(excluded.step, excluded.timestamp, excluded.value) > (l.step, l.timestamp, l.value)`
	_, err = insertEach(tx, `INSERT INTO latest_metrics AS l (run, key, step, timestamp, value, is_nan, first_step, points) VALUES %s
		ON CONFLICT DO UPDATE SET step = iif(`+later+`, excluded.step, l.step), timestamp = iif(`+later+`, excluded.timestamp, l.timestamp),
			value = iif(`+later+`, excluded.value, l.value), is_nan = iif(`+later+`, excluded.is_nan, l.is_nan),
			points = iif(excluded.first_step > l.step, l.points + excluded.points, NULL)
		WHERE `+later+` OR l.points IS NOT NULL`,
		len(all), func(args []any, i int) []any {
			s := all[i]
			if added < int64(len(points)) { // some were there already, nobody says which
				s.points = nil
			}
			return append(s.latest.values(args, run), s.first, s.points)
		})
	return added, err
}
