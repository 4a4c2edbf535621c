package store_test

import (
	"cmp"
	"fmt"
	"maps"
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
		slices.SortFunc(want, compareStored)
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
	return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(value(a), value(b)))
}

// However points arrive, the samples are those of all points there are.
func TestSamplesAsPointsArrive(t *testing.T) {
	s := open(t, t.TempDir())
	r, err := s.CreateRun(t.Context(), registry.NewRun{})
	if err != nil {
		t.Fatal(err)
	}
	has := map[registry.Metric]bool{}
	arrive := func(what string, from, to int64, change float64) {
		var b registry.Batch
		for step := from; step < to; step++ {
			m := registry.Metric{Key: "m", Step: step, Timestamp: max(step, 0), Value: float64(step) + change}
			b.Metrics, has[m] = append(b.Metrics, m), true
			b.Metrics = append(b.Metrics, registry.Metric{Key: "other", Step: step})
		}
		if err := s.LogBatch(t.Context(), r.Info.RunID, b); err != nil {
			t.Fatal(err)
		}
		all := slices.SortedFunc(maps.Keys(has), compareStored)
		lo, hi := int64(3), int64(250)
		within := slices.DeleteFunc(slices.Clone(all), func(m registry.Metric) bool { return m.Step < lo || m.Step > hi })
		for _, most := range []int{1, 2, 7, 320} {
			for q, want := range map[*registry.SampleQuery][]registry.Metric{{}: all, {StartStep: &lo, EndStep: &hi}: within} {
				q.RunIDs, q.Key, q.MaxResults = []string{r.Info.RunID}, "m", most
				got, err := s.SampleMetrics(t.Context(), *q)
				if err != nil {
					t.Fatal(err)
				}
				for i := range got {
					got[i].RunID = ""
				}
				if g, w := fmt.Sprint(got), fmt.Sprint(sampled(want, most)); g != w {
					t.Fatalf("%s, %d of %d points:\ngot  %s\nwant %s", what, most, len(want), g, w)
				}
			}
		}
		p, err := s.GetRun(t.Context(), r.Info.RunID)
		if err != nil {
			t.Fatal(err)
		}
		if latest, _ := p.Data.Metric("m"); latest != all[len(all)-1].Value {
			t.Errorf("%s: the latest is %v, want %v", what, latest, all[len(all)-1].Value)
		}
	}
	arrive("the first", 0, 1, 0)
	arrive("in order", 1, 300, 0)
	arrive("more in order", 300, 600, 0)
	arrive("again", 300, 600, 0)
	arrive("half again", 500, 700, 0)
	arrive("in order after that", 700, 800, 0)
	arrive("others of the same steps", 100, 120, .5)
	arrive("after a gap", 900, 950, 0)
	arrive("out of order", -5, 0, 0)
}
