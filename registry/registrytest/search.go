package registrytest

import (
	"fmt"
	"math"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// field is an experiment with runs called a to f to search in.
//
//	run     a    b    c    d    e      f
//	rmse    5    6    7    NaN  (none) 5
//	speed   1e-6 3e-5 1e-6 1e-6 1e-6   (none)
//	p       x    y    X    x    x      (none)
//	start   10   20   30   40   50     60
type field struct {
	c          *checker
	experiment string
	ids        map[string]string
}

func (c *checker) field() *field {
	f := &field{c, c.experiment(), map[string]string{}}
	rmse := map[string]float64{"a": 5, "b": 6, "c": 7, "d": math.NaN(), "f": 5}
	speed := map[string]float64{"a": 1e-6, "b": 3e-5, "c": 1e-6, "d": 1e-6, "e": 1e-6}
	param := map[string]string{"a": "x", "b": "y", "c": "X", "d": "x", "e": "x"}
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		r, err := c.CreateRun(c.ctx, registry.NewRun{ExperimentID: f.experiment, RunName: name, UserID: "u", StartTime: int64(10 * (i + 1)),
			Tags: []registry.Tag{{Key: "taximeter.key", Value: "train/" + name}}})
		c.must(err)
		f.ids[name] = r.Info.RunID
		var b registry.Batch
		if v, ok := rmse[name]; ok {
			b.Metrics = append(b.Metrics, registry.Metric{Key: "rmse valid", Value: v})
		}
		if v, ok := speed[name]; ok {
			b.Metrics = append(b.Metrics, registry.Metric{Key: "inference_time", Value: v})
		}
		if v, ok := param[name]; ok {
			b.Params = []registry.Param{{Key: "p", Value: v}}
		}
		c.must(c.LogBatch(c.ctx, r.Info.RunID, b))
	}
	return f
}

// find returns the names of the runs found, in order.
func (f *field) find(filter string, orderBy ...string) string {
	p, err := f.c.SearchRuns(f.c.ctx, registry.RunQuery{ExperimentIDs: []string{f.experiment}, Filter: filter, OrderBy: orderBy})
	if err != nil {
		f.c.errorf("%s: %v", filter, err)
	}
	return runNames(p)
}

func runNames(p registry.Page[registry.Run]) string {
	var names []string
	for _, r := range p.Items {
		names = append(names, r.Info.RunName)
	}
	return strings.Join(names, "")
}

var searchRules = []rule{
	{"search/the filter language", func(c *checker) {
		f := c.field()
		for filter, want := range map[string]string{
			"": "fedcba",
			"metrics.`rmse valid` < 6.5 and metrics.inference_time < 20e-6": "a",
			"metrics.\"rmse valid\" <= 6":                                   "fba",
			"metrics.`rmse valid` > 5 AND metrics.`rmse valid` < 7":         "b",
			"metric.inference_time = 0.00003":                               "b",
			"params.p = 'x'":                                                "eda",
			"parameters.p != \"x\"":                                         "cb",
			"params.p LIKE 'x'":                                             "eda",
			"params.p ILIKE 'x'":                                            "edca",
			"params.p LIKE '%'":                                             "edcba",
			"params.p LIKE '[x]'":                                           "",
			"params.p IS NULL":                                              "f",
			"params.p IS NOT NULL AND params.p ilike '_'":                   "edcba",
			"tags.`taximeter.key` = 'train/c'":                              "c",
			"tags.taximeter.key LIKE 'train/%' AND run_name = 'd'":          "d",
			"tags.missing != 'x'":                                           "",
			"attributes.start_time >= 30 and start_time < 50":               "dc",
			"status = 'RUNNING' AND user_id = 'u'":                          "fedcba",
			"status != 'RUNNING'":                                           "",
			"`Run name` = 'b'":                                              "b",
			"run_id IN ('" + f.ids["b"] + "', '" + f.ids["e"] + "')":        "eb",
			"run_id NOT IN ('" + f.ids["b"] + "')":                          "fedca",
			"artifact_uri LIKE '%" + f.ids["a"] + "/artifacts'":             "a",
		} {
			equal(c, filter, f.find(filter), want)
		}
	}},
	{"search/NaN passes no gate", func(c *checker) {
		f := c.field()
		equal(c, "less", f.find("metrics.`rmse valid` < 5.5"), "fa")
		equal(c, "greater", f.find("metrics.`rmse valid` > -1 AND metrics.inference_time < 20e-6"), "ca")
	}},
	{"search/orders numbers first, then NaN, then what is missing, either way", func(c *checker) {
		f := c.field()
		equal(c, "default", f.find(""), "fedcba")
		equal(c, "up", f.find("", "metrics.`rmse valid` ASC"), "fabcde")
		equal(c, "down", f.find("", "metrics.`rmse valid` DESC"), "cbfade")
		equal(c, "two keys", f.find("", "metrics.`rmse valid`", "start_time ASC"), "afbcde")
		equal(c, "param", f.find("", "params.p DESC", "attributes.start_time ASC"), "badecf")
		equal(c, "attribute", f.find("", "run_name desc"), "fedcba")
		equal(c, "nothing ended", f.find("", "end_time DESC", "start_time ASC"), "abcdef")
	}},
	{"search/mistakes are refused", func(c *checker) {
		experiment := c.experiment()
		try := func(q registry.RunQuery) error {
			q.ExperimentIDs = []string{experiment}
			_, err := c.SearchRuns(c.ctx, q)
			return err
		}
		for filter, words := range map[string]string{
			"metrics.m > 1 or params.a='1'": "Invalid clause(s) in filter string: 'or'",
			"(metrics.m > 1)":               "Invalid clause(s) in filter string: '(metrics.m > 1)'",
			"metrics.m between 1 and 2":     "Invalid clause(s) in filter string: 'metrics.m', 'between', '1', '2'",
			"status = 'FINISHED';":          "Invalid clause(s) in filter string: ';'",
			"foo":                           "Invalid clause(s) in filter string: 'foo'",
			"metric.m>'1'":                  "Expected numeric value type for metric. Found '1'",
			"params.p = 1":                  "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1",
			"tags.a rlike 'R'":              "Invalid comparator 'RLIKE'",
			"lifecycle_stage='active'":      "Invalid attribute key 'lifecycle_stage' specified. Valid keys are",
			"foo.bar = 'x'":                 "Invalid entity type 'foo'.",
			"run_id IN ()":                  "expected a non-empty list of string values, but got empty list",
			"attributes.status IN ('a')":    "Only ['run_id'] attributes support comparison with a list of quoted string values.",
			"attributes.start_time > 'x'":   "Expected numeric value type for numeric attribute: start_time. Found 'x'",
		} {
			c.refused(filter, try(registry.RunQuery{Filter: filter}), registry.InvalidParameterValue, words)
		}
		c.refused("order", try(registry.RunQuery{OrderBy: []string{"foo"}}), registry.InvalidParameterValue, "Invalid attribute key 'foo'")
		c.refused("order", try(registry.RunQuery{OrderBy: []string{"metrics.a FOO"}}), registry.InvalidParameterValue, "Invalid ordering key in order_by clause 'metrics.a FOO'.")
		c.refused("token", try(registry.RunQuery{PageToken: "zzz"}), registry.InvalidParameterValue, "Invalid page token")
		c.refused("results", try(registry.RunQuery{MaxResults: 50001}), registry.InvalidParameterValue, "max_results")
	}},
	{"search/a field twice in the order is refused", func(c *checker) {
		_, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{c.experiment()}, OrderBy: []string{"metrics.x", "metrics.x"}})
		c.refused("order", err, registry.InvalidParameterValue, "contains duplicate fields")
	}},
	{"search/pages are whole and without overlap", func(c *checker) {
		f := c.field()
		var got string
		q := registry.RunQuery{ExperimentIDs: []string{f.experiment}, OrderBy: []string{"metrics.`rmse valid` ASC"}, MaxResults: 2}
		pages := 0
		for ; pages < 10; pages++ {
			p, err := c.SearchRuns(c.ctx, q)
			c.must(err)
			got += runNames(p)
			if q.PageToken = p.NextPageToken; q.PageToken == "" {
				break
			}
		}
		equal(c, "all pages", got, "fabcde")
		equal(c, "pages after the first", pages, 2)
	}},
	{"search/looks only where it is told", func(c *checker) {
		f := c.field()
		c.must(c.DeleteRun(c.ctx, f.ids["c"]))
		find := func(view registry.ViewType, experiments ...string) string {
			p, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: experiments, View: view})
			c.must(err)
			return runNames(p)
		}
		equal(c, "no experiment", find(registry.ViewAll), "")
		equal(c, "active", find("", f.experiment), "fedba")
		equal(c, "deleted", find(registry.DeletedOnly, f.experiment), "c")
		equal(c, "all", find(registry.ViewAll, f.experiment), "fedcba")
		other := c.experiment()
		equal(c, "another experiment", find("", other), "")
		equal(c, "both", find("", other, f.experiment), "fedba")
	}},
	{"search/a run is found by its key", func(c *checker) {
		// How a writer that may have been interrupted finds what it made before.
		f := c.field()
		for name, id := range f.ids {
			p, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{f.experiment},
				Filter: fmt.Sprintf("tags.`taximeter.key` = 'train/%s'", name), MaxResults: 1})
			c.must(err)
			if len(p.Items) != 1 || p.Items[0].Info.RunID != id {
				c.errorf("run %s: found %v", name, p.Items)
			}
		}
	}},
}
