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

// storedPoints returns the points as they are stored, and each key's latest.
func storedPoints(metrics []registry.Metric) (points, newest []point) {
	points = make([]point, len(metrics))
	latest := make(map[string]int, 8) // index of each key's latest point
	for i, m := range metrics {
		p := storedPoint(m)
		at, seen := latest[m.Key]
		if seen {
			p.key = newest[at].key
			if p.compare(newest[at]) > 0 {
				newest[at] = p
			}
		} else {
			latest[m.Key] = len(newest)
			newest = append(newest, p)
		}
		points[i] = p
	}
	return points, newest
}

// logMetrics adds points and moves the latest ones forward.
func logMetrics(tx *sql.Tx, n int64, runID string, metrics []registry.Metric) error {
	points, newest := storedPoints(metrics)
	var ofModels [][]any
	for i, m := range metrics {
		if m.ModelID != "" {
			p := points[i]
			ofModels = append(ofModels, []any{m.ModelID, m.Key, m.Step, m.Timestamp, p.value, p.isNaN, runID, m.DatasetName, m.DatasetDigest})
		}
	}
	if _, err := insertPoints(tx, n, points, newest); err != nil {
		return fmt.Errorf("log metrics: %w", err)
	}
	return logModelMetrics(tx, ofModels)
}

// insertPoints adds points of a run, of which newest are each key's latest, and
// returns how many were not there yet.
func insertPoints(tx *sql.Tx, n int64, points, newest []point) (added int64, err error) {
	var run any = n
	added, err = insertEach(tx, `INSERT INTO metrics (run, key, step, timestamp, value, is_nan) VALUES %s ON CONFLICT DO NOTHING`,
		len(points), func(args []any, i int) []any { return points[i].values(args, run) })
	if err != nil {
		return added, err
	}
	_, err = insertEach(tx, `INSERT INTO latest_metrics AS l (run, key, step, timestamp, value, is_nan) VALUES %s
		ON CONFLICT DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp, value = excluded.value, is_nan = excluded.is_nan
		WHERE (excluded.step, excluded.timestamp, excluded.value) > (l.step, l.timestamp, l.value)`,
		len(newest), func(args []any, i int) []any { return newest[i].values(args, run) })
	return added, err
}
