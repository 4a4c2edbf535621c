package store_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/taximeter/taximeter/registry"
)

// sampled is what MLflow 3.17 does, word for word: points in order of step,
// timestamp, value and NaN, NTILE(most) parts, the first point of each; then the
// last point, in the last one's place if there are most already.
func sampled(points []registry.Metric, most int) []registry.Metric {
	n := len(points)
	var out []registry.Metric
	part, size, left := 0, 0, 0
	for _, p := range points {
		if left == 0 {
			if size = n / most; part < n%most {
				size++
			}
			left, part = size, part+1
			out = append(out, p)
		}
		left--
	}
	if n == 0 || part == n {
		return out
	}
	if len(out) == most {
		out = out[:most-1]
	}
	return append(out, points[n-1])
}

func TestSamplesAreMLflows(t *testing.T) {
	s := open(t, t.TempDir())
	rng := rand.New(rand.NewPCG(3, 17))
	for k, n := range []int{0, 1, 2, 3, 7, 10, 11, 99, 100, 101, 640, 1000, 7, 99, 100, 101, 640, 1000} {
		r, err := s.CreateRun(t.Context(), registry.NewRun{})
		if err != nil {
			t.Fatal(err)
		}
		var b registry.Batch
		for i := range n { // some share their step, some their time too
			b.Metrics = append(b.Metrics, registry.Metric{Key: "m", Step: int64(i / 3), Timestamp: int64(i / 2), Value: float64(i)})
			if k > 11 {
				b.Metrics[i].Step = int64(i * 2) // each its own
			}
		}
		if n > 5 {
			b.Metrics[4].Value = math.NaN()
		}
		want := slices.Clone(b.Metrics)
		slices.SortFunc(want, func(a, b registry.Metric) int { return compareStored(a, b) })
		rng.Shuffle(n, func(i, j int) { b.Metrics[i], b.Metrics[j] = b.Metrics[j], b.Metrics[i] })
		if err := s.LogBatch(t.Context(), r.Info.RunID, b); err != nil {
			t.Fatal(err)
		}
		for _, most := range []int{1, 2, 3, 5, 10, 100, 320, 2500} {
			check := func(what string, q registry.SampleQuery, want []registry.Metric) {
				q.RunIDs, q.Key, q.MaxResults = []string{r.Info.RunID}, "m", most
				got, err := s.SampleMetrics(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for i := range got {
					got[i].RunID = ""
				}
				if g, w := fmt.Sprint(got), fmt.Sprint(sampled(want, most)); g != w {
					t.Fatalf("%d of %d points%s:\ngot  %s\nwant %s", most, n, what, g, w)
				}
			}
			check("", registry.SampleQuery{}, want)
			from, to := int64(2), int64(9)
			within := slices.DeleteFunc(slices.Clone(want), func(m registry.Metric) bool { return m.Step < from || m.Step > to })
			check(" of some steps", registry.SampleQuery{StartStep: &from, EndStep: &to}, within)
		}
	}
}

func compareStored(a, b registry.Metric) int {
	value := func(m registry.Metric) float64 {
		if math.IsNaN(m.Value) {
			return 0
		}
		return m.Value
	}
	switch {
	case a.Step != b.Step:
		return int(a.Step - b.Step)
	case a.Timestamp != b.Timestamp:
		return int(a.Timestamp - b.Timestamp)
	}
	return int(value(a) - value(b))
}
