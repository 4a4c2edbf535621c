package registrytest

import (
	"fmt"
	"strings"
	"time"

	"github.com/taximeter/taximeter/registry"
)

var orderRules = []rule{
	{"order/experiments come newest first, and the newest of equals too", func(c *checker) {
		prefix := c.name("order")
		for _, letter := range []string{"b", "c", "a"} {
			_, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: prefix + letter})
			c.must(err)
			time.Sleep(2 * time.Millisecond) // creation times differ
		}
		for order, want := range map[string]string{"": "acb", "name": "abc", "name DESC": "cba", "creation_time ASC": "bca", "last_update_time DESC": "acb", "experiment_id desc": "acb"} {
			q := registry.ExperimentQuery{Filter: "attribute.name LIKE '" + prefix + "_'"}
			if order != "" {
				q.OrderBy = []string{order}
			}
			p, err := c.SearchExperiments(c.ctx, q)
			c.must(err)
			got := ""
			for _, e := range p.Items {
				got += strings.TrimPrefix(e.Name, prefix)
			}
			equal(c, "by "+order, got, want)
		}
		_, err := c.SearchExperiments(c.ctx, registry.ExperimentQuery{OrderBy: []string{"lifecycle_stage"}})
		c.refused("order", err, registry.InvalidParameterValue)
	}},
	{"order/an experiment that is changed comes first by last_update_time", func(c *checker) {
		prefix := c.name("order")
		var ids []string
		for _, letter := range []string{"a", "b"} {
			id, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: prefix + letter})
			c.must(err)
			ids = append(ids, id)
			time.Sleep(2 * time.Millisecond)
		}
		c.must(c.UpdateExperiment(c.ctx, ids[0], prefix+"renamed"))
		p, err := c.SearchExperiments(c.ctx, registry.ExperimentQuery{Filter: "name LIKE '" + prefix + "%'", OrderBy: []string{"last_update_time DESC"}, MaxResults: 1})
		c.must(err)
		equal(c, "first", p.Items[0].Name, prefix+"renamed")
	}},
	{"order/models by name or by their last change", func(c *checker) {
		prefix := c.name("order")
		for _, letter := range []string{"b", "a", "c"} {
			_, err := c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: prefix + letter})
			c.must(err)
			time.Sleep(2 * time.Millisecond)
		}
		_, err := c.UpdateRegisteredModel(c.ctx, prefix+"a", "changed")
		c.must(err)
		for order, want := range map[string]string{"name ASC": "abc", "last_updated_timestamp DESC": "acb", "timestamp ASC": "bca"} {
			p, err := c.SearchRegisteredModels(c.ctx, registry.ModelQuery{Filter: "name LIKE '" + prefix + "%'", OrderBy: []string{order}})
			c.must(err)
			got := ""
			for _, m := range p.Items {
				got += strings.TrimPrefix(m.Name, prefix)
			}
			equal(c, "by "+order, got, want)
		}
		_, err = c.SearchRegisteredModels(c.ctx, registry.ModelQuery{OrderBy: []string{"creation_timestamp DESC"}})
		c.refused("creation_timestamp", err, registry.InvalidParameterValue)
	}},
	{"order/versions: last changed first, then by name and number", func(c *checker) {
		name, run := c.model()
		for range 3 {
			c.version(name, run)
			time.Sleep(2 * time.Millisecond)
		}
		_, err := c.UpdateModelVersion(c.ctx, name, "1", "changed")
		c.must(err)
		for order, want := range map[string]string{"": "1 3 2", "version_number": "1 2 3", "version_number DESC": "3 2 1", "creation_timestamp DESC": "3 2 1", "last_updated_timestamp": "2 3 1"} {
			q := registry.ModelQuery{Filter: "name = '" + name + "'"}
			if order != "" {
				q.OrderBy = []string{order}
			}
			p, err := c.SearchModelVersions(c.ctx, q)
			c.must(err)
			equal(c, "by "+order, versionNumbers(p.Items), want)
		}
	}},
	{"order/logged models by attributes and metrics, what is missing last", func(c *checker) {
		experiment := c.experiment()
		run := c.run(experiment)
		values := map[string]float64{"b": 2, "a": 1, "c": 3}
		for _, name := range []string{"b", "a", "d", "c"} {
			m, err := c.CreateLoggedModel(c.ctx, registry.NewLoggedModel{ExperimentID: experiment, Name: name, ModelType: "t" + name})
			c.must(err)
			if v, ok := values[name]; ok {
				c.must(c.LogMetric(c.ctx, run, registry.Metric{Key: "rmse", Value: v, ModelID: m.Info.ModelID}))
			}
			time.Sleep(2 * time.Millisecond)
		}
		for _, test := range []struct {
			order registry.LoggedModelOrder
			want  string
		}{
			{registry.LoggedModelOrder{FieldName: "metrics.rmse", Ascending: true}, "abcd"},
			{registry.LoggedModelOrder{FieldName: "metrics.rmse"}, "cbad"},
			{registry.LoggedModelOrder{FieldName: "name"}, "dcba"},
			{registry.LoggedModelOrder{FieldName: "creation_time", Ascending: true}, "badc"},
			{registry.LoggedModelOrder{FieldName: "model_type", Ascending: true}, "abcd"},
		} {
			p, err := c.SearchLoggedModels(c.ctx, registry.LoggedModelQuery{ExperimentIDs: []string{experiment}, OrderBy: []registry.LoggedModelOrder{test.order}})
			c.must(err)
			equal(c, fmt.Sprintf("by %+v", test.order), loggedNames(p.Items), test.want)
		}
		for filter, want := range map[string]string{"": "cdab", "metrics.rmse > 1.5": "cb", "metrics.rmse <= 2 AND name != 'a'": "b", "name LIKE '%'": "cdab",
			"model_type IN ('ta', 'td')": "da", "model_type ILIKE 'T_'": "cdab", "status = 'READY'": "", "source_run_id = 'x'": "", "creation_timestamp > 5": "cdab"} {
			p, err := c.SearchLoggedModels(c.ctx, registry.LoggedModelQuery{ExperimentIDs: []string{experiment}, Filter: filter})
			c.must(err)
			equal(c, filter, loggedNames(p.Items), want)
		}
	}},
	{"order/unknown attributes of logged models are refused", func(c *checker) {
		experiment := c.experiment()
		_, err := c.SearchLoggedModels(c.ctx, registry.LoggedModelQuery{ExperimentIDs: []string{experiment}, Filter: "foo = 'x'"})
		c.refused("filter", err, registry.InvalidParameterValue)
		_, err = c.SearchLoggedModels(c.ctx, registry.LoggedModelQuery{ExperimentIDs: []string{experiment}, OrderBy: []registry.LoggedModelOrder{{FieldName: "foo"}}})
		c.refused("order", err, registry.InvalidParameterValue)
	}},
	{"order/runs by text attributes, either way, ties by start", func(c *checker) {
		experiment := c.experiment()
		for i, name := range []string{"b", "a", "C"} {
			r, err := c.CreateRun(c.ctx, registry.NewRun{ExperimentID: experiment, RunName: name, UserID: "u" + fmt.Sprint(i/2), StartTime: int64(i + 1)})
			c.must(err)
			if i == 1 {
				_, err := c.UpdateRun(c.ctx, registry.RunUpdate{RunID: r.Info.RunID, Status: registry.Finished, EndTime: 9})
				c.must(err)
			}
		}
		for order, want := range map[string]string{"run_name": "Cab", "run_name DESC": "baC", "user_id ASC": "abC", "status": "aCb", "end_time ASC": "aCb", "end_time DESC": "aCb",
			"attributes.`start_time`": "baC", "tags.`mlflow.runName` DESC": "baC", "created desc": "Cab"} {
			p, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{experiment}, OrderBy: []string{order}})
			c.must(err)
			equal(c, "by "+order, runNames(p), want)
		}
	}},
}

func loggedNames(models []registry.LoggedModel) (names string) {
	for _, m := range models {
		names += m.Info.Name
	}
	return names
}
