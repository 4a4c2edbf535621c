package registrytest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// pages walks through a search page by page and returns the names of all items.
func pages[T any](c *checker, search func(token string) (registry.Page[T], error), name func(T) string) (names []string, pages int) {
	token := ""
	for pages < 20 {
		p, err := search(token)
		c.must(err)
		pages++
		for _, item := range p.Items {
			names = append(names, name(item))
		}
		if token = p.NextPageToken; token == "" {
			return names, pages
		}
	}
	c.errorf("after %d pages there is still another: %v", pages, names)
	return names, pages
}

var pagingRules = []rule{
	{"paging/runs of one start time are by id, and no page repeats or skips", func(c *checker) {
		experiment := c.experiment()
		var want []string
		for range 5 {
			want = append(want, c.run(experiment))
		}
		slices.Sort(want)
		for _, order := range [][]string{nil, {"attributes.start_time ASC"}, {"metrics.none DESC"}, {"tags.none"}, {"params.none DESC", "end_time"}, {"status"}} {
			for _, size := range []int{1, 2, 5} {
				got, n := pages(c, func(token string) (registry.Page[registry.Run], error) {
					return c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{experiment}, OrderBy: order, MaxResults: size, PageToken: token})
				}, func(r registry.Run) string { return r.Info.RunID })
				same(c, fmt.Sprintf("runs by %v", order), got, want)
				equal(c, "pages", n, (5+size-1)/size)
			}
		}
	}},
	{"paging/by a metric goes from numbers to NaN to what is missing", func(c *checker) {
		f := c.field()
		for order, want := range map[string]string{"metrics.`rmse valid` ASC": "fabcde", "metrics.`rmse valid` DESC": "cbfade", "params.p ASC": "cedabf", "params.p DESC": "bedacf"} {
			for size := 1; size < 7; size++ {
				got, _ := pages(c, func(token string) (registry.Page[registry.Run], error) {
					return c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{f.experiment}, OrderBy: []string{order}, MaxResults: size, PageToken: token})
				}, func(r registry.Run) string { return r.Info.RunName })
				equal(c, fmt.Sprintf("%s, %d a page", order, size), strings.Join(got, ""), want)
			}
		}
	}},
	{"paging/experiments, models, versions and logged models", func(c *checker) {
		prefix := c.name("page")
		experiment, run := c.experiment(), c.run(c.experiment())
		var want []string
		for _, letter := range []string{"a", "b", "c", "d", "e"} {
			want = append(want, prefix+letter)
			_, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: prefix + letter})
			c.must(err)
			_, err = c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: prefix + letter})
			c.must(err)
			c.version(prefix+letter, run)
			_, err = c.CreateLoggedModel(c.ctx, registry.NewLoggedModel{ExperimentID: experiment, Name: prefix + letter})
			c.must(err)
		}
		down := slices.Clone(want)
		slices.Reverse(down)
		filter := "name LIKE '" + prefix + "%'"
		for _, size := range []int{2, 5} {
			got, n := pages(c, func(token string) (registry.Page[registry.Experiment], error) {
				return c.SearchExperiments(c.ctx, registry.ExperimentQuery{Filter: filter, OrderBy: []string{"name DESC"}, MaxResults: size, PageToken: token})
			}, func(e registry.Experiment) string { return e.Name })
			same(c, "experiments", got, down)
			equal(c, "pages of experiments", n, (5+size-1)/size)
			got, n = pages(c, func(token string) (registry.Page[registry.RegisteredModel], error) {
				return c.SearchRegisteredModels(c.ctx, registry.ModelQuery{Filter: filter, MaxResults: size, PageToken: token})
			}, func(m registry.RegisteredModel) string { return m.Name })
			same(c, "models", got, want)
			equal(c, "pages of models", n, (5+size-1)/size)
			got, n = pages(c, func(token string) (registry.Page[registry.ModelVersion], error) {
				return c.SearchModelVersions(c.ctx, registry.ModelQuery{Filter: filter, OrderBy: []string{"name DESC"}, MaxResults: size, PageToken: token})
			}, func(v registry.ModelVersion) string { return v.Name })
			same(c, "versions", got, down)
			equal(c, "pages of versions", n, (5+size-1)/size)
			got, n = pages(c, func(token string) (registry.Page[registry.LoggedModel], error) {
				return c.SearchLoggedModels(c.ctx, registry.LoggedModelQuery{ExperimentIDs: []string{experiment},
					OrderBy: []registry.LoggedModelOrder{{FieldName: "name", Ascending: true}}, MaxResults: size, PageToken: token})
			}, func(m registry.LoggedModel) string { return m.Info.Name })
			same(c, "logged models", got, want)
			equal(c, "pages of logged models", n, (5+size-1)/size)
		}
	}},
	{"paging/what is no token is refused", func(c *checker) {
		for _, token := range []string{"zzz", "eyJ9", "bm90IGpzb24="} {
			_, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{c.experiment()}, PageToken: token})
			c.refused("runs", err, registry.InvalidParameterValue)
			_, err = c.SearchExperiments(c.ctx, registry.ExperimentQuery{PageToken: token})
			c.refused("experiments", err, registry.InvalidParameterValue)
			_, err = c.SearchRegisteredModels(c.ctx, registry.ModelQuery{PageToken: token})
			c.refused("models", err, registry.InvalidParameterValue)
			_, err = c.SearchModelVersions(c.ctx, registry.ModelQuery{PageToken: token})
			c.refused("versions", err, registry.InvalidParameterValue)
		}
	}},
	{"paging/what is no token of logged models is refused", func(c *checker) {
		_, err := c.SearchLoggedModels(c.ctx, registry.LoggedModelQuery{ExperimentIDs: []string{c.experiment()}, PageToken: "zzz"})
		c.refused("token", err, registry.InvalidParameterValue)
	}},
	{"paging/a history's pages are whole", func(c *checker) {
		id := c.run(c.experiment())
		var b registry.Batch
		var want []string
		for i := range 10 { // pairs of one step and time
			b.Metrics = append(b.Metrics, registry.Metric{Key: "m", Value: float64(i), Timestamp: int64(i / 4), Step: int64(9 - i/2)})
		}
		c.must(c.LogBatch(c.ctx, id, b))
		for _, m := range c.history(id, "m") {
			want = append(want, fmt.Sprint(m.Value))
		}
		for size := 1; size <= 10; size++ {
			got, _ := pages(c, func(token string) (registry.Page[registry.Metric], error) {
				return c.MetricHistory(c.ctx, registry.HistoryQuery{RunID: id, Key: "m", MaxResults: size, PageToken: token})
			}, func(m registry.Metric) string { return fmt.Sprint(m.Value) })
			same(c, fmt.Sprintf("%d a page", size), got, want)
		}
		equal(c, "by timestamp, step, value", strings.Join(want, " "), "2 3 0 1 6 7 4 5 8 9")
	}},
}
