package registrytest

import (
	"math"

	"github.com/taximeter/taximeter/registry"
)

// values returns the values of points, for comparison.
func values(metrics []registry.Metric) []float64 {
	var v []float64
	for _, m := range metrics {
		v = append(v, m.Value)
	}
	return v
}

func (c *checker) history(runID, key string) []registry.Metric {
	p, err := c.MetricHistory(c.ctx, registry.HistoryQuery{RunID: runID, Key: key})
	c.must(err)
	equal(c, "token after all", p.NextPageToken, "")
	return p.Items
}

func (c *checker) latest(runID, key string) float64 {
	r, err := c.GetRun(c.ctx, runID)
	c.must(err)
	v, ok := r.Data.Metric(key)
	if !ok {
		c.errorf("metric %s is missing", key)
	}
	return v
}

var metricRules = []rule{
	{"metric/history is by timestamp, step and value", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.LogBatch(c.ctx, id, registry.Batch{Metrics: []registry.Metric{
			{Key: "m", Value: 4, Timestamp: 20, Step: 1}, {Key: "m", Value: 3, Timestamp: 10, Step: 2},
			{Key: "m", Value: 2, Timestamp: 10, Step: 1}, {Key: "m", Value: 1, Timestamp: 10, Step: 1}, {Key: "other", Value: 9}}}))
		same(c, "values", values(c.history(id, "m")), []float64{1, 2, 3, 4})
		same(c, "none", values(c.history(id, "nothing")), nil)
	}},
	{"metric/history of an unknown run is empty", func(c *checker) {
		same(c, "values", values(c.history("deadbeef", "m")), nil)
	}},
	{"metric/history comes in pages", func(c *checker) {
		id := c.run(c.experiment())
		for i := range 5 {
			c.must(c.LogMetric(c.ctx, id, registry.Metric{Key: "m", Value: float64(i), Timestamp: int64(i), Step: int64(i)}))
		}
		var got []float64
		q := registry.HistoryQuery{RunID: id, Key: "m", MaxResults: 2}
		for range 5 {
			p, err := c.MetricHistory(c.ctx, q)
			c.must(err)
			got = append(got, values(p.Items)...)
			if q.PageToken = p.NextPageToken; q.PageToken == "" {
				break
			}
		}
		same(c, "values", got, []float64{0, 1, 2, 3, 4})
	}},
	{"metric/an equal point again changes nothing", func(c *checker) {
		id := c.run(c.experiment())
		points := []registry.Metric{{Key: "m", Value: 1, Timestamp: 5, Step: 1}, {Key: "m", Value: 1, Timestamp: 5, Step: 1},
			{Key: "n", Value: math.NaN(), Timestamp: 5}, {Key: "n", Value: math.NaN(), Timestamp: 5}}
		c.must(c.LogBatch(c.ctx, id, registry.Batch{Metrics: points}))
		c.must(c.LogBatch(c.ctx, id, registry.Batch{Metrics: points}))
		c.must(c.LogMetric(c.ctx, id, points[2]))
		equal(c, "points", len(c.history(id, "m")), 1)
		equal(c, "NaN points", len(c.history(id, "n")), 1)
	}},
	{"metric/NaN stays NaN, infinities become the largest numbers", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.LogBatch(c.ctx, id, registry.Batch{Metrics: []registry.Metric{{Key: "nan", Value: math.NaN()},
			{Key: "inf", Value: math.Inf(1)}, {Key: "-inf", Value: math.Inf(-1)}, {Key: "tiny", Value: 5e-324}, {Key: "exact", Value: 0.1 + 0.2}}}))
		if v := c.latest(id, "nan"); !math.IsNaN(v) {
			c.errorf("NaN came back as %v", v)
		}
		equal(c, "inf", c.latest(id, "inf"), math.MaxFloat64)
		equal(c, "-inf", c.latest(id, "-inf"), -math.MaxFloat64)
		equal(c, "tiny", c.latest(id, "tiny"), 5e-324)
		equal(c, "exact", c.latest(id, "exact"), 0.1+0.2)
	}},
	{"metric/the latest has the greatest step, timestamp and value", func(c *checker) {
		id := c.run(c.experiment())
		for _, p := range []struct {
			m    registry.Metric
			want float64
		}{
			{registry.Metric{Value: 1, Timestamp: 10, Step: 5}, 1},
			{registry.Metric{Value: 2, Timestamp: 99, Step: 4}, 1},   // smaller step
			{registry.Metric{Value: 3, Timestamp: 9, Step: 5}, 1},    // earlier
			{registry.Metric{Value: 0, Timestamp: 10, Step: 5}, 1},   // smaller value
			{registry.Metric{Value: 4, Timestamp: 10, Step: 5}, 4},   // greater value
			{registry.Metric{Value: -1, Timestamp: 11, Step: 5}, -1}, // later
			{registry.Metric{Value: 7, Timestamp: 0, Step: -3}, -1},
		} {
			p.m.Key = "m"
			c.must(c.LogMetric(c.ctx, id, p.m))
			equal(c, "latest", c.latest(id, "m"), p.want)
		}
	}},
	{"metric/mistakes are refused and nothing of the batch is written", func(c *checker) {
		id := c.run(c.experiment())
		c.refused("timestamp", c.LogMetric(c.ctx, id, registry.Metric{Key: "m", Timestamp: -1}), registry.InvalidParameterValue,
			"Timestamp must be a nonnegative long (64-bit integer)")
		c.refused("no key", c.LogMetric(c.ctx, id, registry.Metric{}), registry.InvalidParameterValue, "Missing value for required parameter 'key'")
		err := c.LogBatch(c.ctx, id, registry.Batch{Metrics: []registry.Metric{{Key: "fine", Value: 1}, {Key: "a@b", Value: 1}}})
		c.refused("key in a batch", err, registry.InvalidParameterValue, `Invalid value "a@b" for parameter 'metrics[1].name' supplied`)
		equal(c, "points of the refused batch", len(c.history(id, "fine")), 0)
		c.refused("missing run", c.LogBatch(c.ctx, "nope", registry.Batch{}), registry.ResourceDoesNotExist, "Run with id=nope not found")
		c.refused("bad run id", c.LogBatch(c.ctx, "bad/id", registry.Batch{}), registry.InvalidParameterValue, `Invalid value "bad/id" for parameter 'run_id' supplied.`)
	}},
	{"metric/samples are spread and end with the last point", func(c *checker) {
		id := c.run(c.experiment())
		var b registry.Batch
		for i := range int64(1000) {
			b.Metrics = append(b.Metrics, registry.Metric{Key: "m", Value: float64(i), Timestamp: i, Step: i})
		}
		c.must(c.LogBatch(c.ctx, id, b))
		from, to := int64(100), int64(200)
		for _, test := range []struct {
			q    registry.SampleQuery
			want []float64
		}{
			{registry.SampleQuery{MaxResults: 1}, []float64{999}},
			{registry.SampleQuery{MaxResults: 2}, []float64{0, 999}},
			{registry.SampleQuery{MaxResults: 5}, []float64{0, 200, 400, 600, 999}},
			{registry.SampleQuery{MaxResults: 5, StartStep: &from, EndStep: &to}, []float64{100, 121, 141, 161, 200}},
		} {
			test.q.RunIDs, test.q.Key = []string{id}, "m"
			got, err := c.SampleMetrics(c.ctx, test.q)
			c.must(err)
			same(c, "samples", values(got), test.want)
			equal(c, "run", got[0].RunID, id)
		}
		_, err := c.SampleMetrics(c.ctx, registry.SampleQuery{RunIDs: []string{id}, Key: "m", MaxResults: 2501})
		c.refused("too many", err, registry.InvalidParameterValue)
		_, err = c.SampleMetrics(c.ctx, registry.SampleQuery{RunIDs: []string{id}, Key: "m", MaxResults: 5, StartStep: &to, EndStep: &from})
		c.refused("backwards", err, registry.InvalidParameterValue)
	}},
}
