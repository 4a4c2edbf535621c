package registrytest

import (
	"strings"

	"github.com/taximeter/taximeter/registry"
)

var runRules = []rule{
	{"run/is made and read back", func(c *checker) {
		id := c.experiment()
		made, err := c.CreateRun(c.ctx, registry.NewRun{ExperimentID: id, UserID: "me", RunName: "first", StartTime: 1700000000123,
			Tags: []registry.Tag{{Key: "mlflow.user", Value: "me"}}})
		c.must(err)
		r, err := c.GetRun(c.ctx, made.Info.RunID)
		c.must(err)
		equal(c, "info", r.Info, registry.RunInfo{RunUUID: made.Info.RunID, RunID: made.Info.RunID, ExperimentID: id, RunName: "first",
			UserID: "me", Status: registry.Running, StartTime: 1700000000123, Lifecycle: registry.Active,
			ArtifactURI: "mlflow-artifacts:/" + id + "/" + made.Info.RunID + "/artifacts"})
		equal(c, "length of id", len(made.Info.RunID), 32)
		for key, want := range map[string]string{"mlflow.user": "me", "mlflow.runName": "first"} {
			got, _ := registry.FindTag(r.Data.Tags, key)
			equal(c, key, got, want)
		}
	}},
	{"run/without a name gets one", func(c *checker) {
		r, err := c.GetRun(c.ctx, c.run(c.experiment()))
		c.must(err)
		tag, _ := registry.FindTag(r.Data.Tags, registry.TagRunName)
		if r.Info.RunName == "" || tag != r.Info.RunName {
			c.errorf("name %q, tag %q", r.Info.RunName, tag)
		}
	}},
	{"run/takes its name from the tag", func(c *checker) {
		r, err := c.GetRun(c.ctx, c.run(c.experiment(), registry.Tag{Key: registry.TagRunName, Value: "tagged"}))
		c.must(err)
		equal(c, "name", r.Info.RunName, "tagged")
		_, err = c.CreateRun(c.ctx, registry.NewRun{ExperimentID: registry.DefaultExperiment, RunName: "a",
			Tags: []registry.Tag{{Key: registry.TagRunName, Value: "b"}}})
		c.refused("two names", err, registry.InvalidParameterValue, "Both 'run_name' argument and 'mlflow.runName' tag are specified")
	}},
	{"run/mistakes are refused", func(c *checker) {
		_, err := c.CreateRun(c.ctx, registry.NewRun{ExperimentID: "99999999"})
		c.refused("missing experiment", err, registry.ResourceDoesNotExist, "No Experiment with id=99999999 exists")
		_, err = c.GetRun(c.ctx, "deadbeef")
		c.refused("missing run", err, registry.ResourceDoesNotExist, "Run with id=deadbeef not found")
		_, err = c.UpdateRun(c.ctx, registry.RunUpdate{RunID: "deadbeef", Status: registry.Finished})
		c.refused("update of a missing run", err, registry.ResourceDoesNotExist)
	}},
	{"run/an unknown status is refused", func(c *checker) {
		_, err := c.UpdateRun(c.ctx, registry.RunUpdate{RunID: c.run(c.experiment()), Status: "BOGUS"})
		c.refused("status", err, registry.InvalidParameterValue)
	}},
	{"run/is updated field by field", func(c *checker) {
		id := c.run(c.experiment())
		info, err := c.UpdateRun(c.ctx, registry.RunUpdate{RunID: id, Status: registry.Finished, EndTime: 5})
		c.must(err)
		equal(c, "status", info.Status, registry.Finished)
		equal(c, "end", info.EndTime, 5)
		info, err = c.UpdateRun(c.ctx, registry.RunUpdate{RunID: id, RunName: "renamed"})
		c.must(err)
		equal(c, "status after renaming", info.Status, registry.Finished)
		equal(c, "end after renaming", info.EndTime, 5)
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		tag, _ := registry.FindTag(r.Data.Tags, registry.TagRunName)
		equal(c, "name", r.Info.RunName, "renamed")
		equal(c, "tag", tag, "renamed")
		info, err = c.UpdateRun(c.ctx, registry.RunUpdate{RunID: id, Status: registry.Running})
		c.must(err)
		equal(c, "any status follows any other", info.Status, registry.Running)
	}},
	{"run/a deleted one is read but not written, and comes back", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.DeleteRun(c.ctx, id))
		c.must(c.DeleteRun(c.ctx, id))
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		equal(c, "lifecycle", r.Info.Lifecycle, registry.Deleted)
		words := "must be in the 'active' state. Current state is deleted."
		_, err = c.UpdateRun(c.ctx, registry.RunUpdate{RunID: id, Status: registry.Finished})
		for what, err := range map[string]error{
			"update": err,
			"tag":    c.SetTag(c.ctx, id, registry.Tag{Key: "k", Value: "v"}),
			"metric": c.LogMetric(c.ctx, id, registry.Metric{Key: "m"}),
			"param":  c.LogParam(c.ctx, id, registry.Param{Key: "p", Value: "1"}),
			"batch":  c.LogBatch(c.ctx, id, registry.Batch{Tags: []registry.Tag{{Key: "k", Value: "v"}}}),
		} {
			c.refused(what, err, registry.InvalidParameterValue, words)
		}
		c.must(c.RestoreRun(c.ctx, id))
		c.must(c.RestoreRun(c.ctx, id))
		c.must(c.SetTag(c.ctx, id, registry.Tag{Key: "k", Value: "v"}))
	}},
	{"run/tags are set, changed, deleted and cut", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.SetTag(c.ctx, id, registry.Tag{Key: "k/é 1", Value: "v"}))
		c.must(c.LogBatch(c.ctx, id, registry.Batch{Tags: []registry.Tag{{Key: "k/é 1", Value: "1"}, {Key: "k/é 1", Value: "2"}}}))
		c.must(c.SetTag(c.ctx, id, registry.Tag{Key: "long", Value: strings.Repeat("é", 8001)}))
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		tag, _ := registry.FindTag(r.Data.Tags, "k/é 1")
		equal(c, "the last of a batch", tag, "2")
		tag, _ = registry.FindTag(r.Data.Tags, "long")
		equal(c, "characters kept", len([]rune(tag)), 8000)
		c.must(c.DeleteTag(c.ctx, id, "long"))
		c.refused("odd key", c.SetTag(c.ctx, id, registry.Tag{Key: "a@b"}), registry.InvalidParameterValue, `Invalid value "a@b" for parameter 'key'`)
		c.refused("missing", c.DeleteTag(c.ctx, id, "long"), registry.ResourceDoesNotExist, "No tag with name: long in run with id "+id)
		c.must(c.SetTag(c.ctx, id, registry.Tag{Key: registry.TagRunName, Value: "by tag"}))
		r, err = c.GetRun(c.ctx, id)
		c.must(err)
		equal(c, "name", r.Info.RunName, "by tag")
	}},
	{"run/datasets are inputs, once each", func(c *checker) {
		experiment := c.experiment()
		first, second := c.run(experiment), c.run(experiment)
		in := []registry.DatasetInput{{Tags: []registry.Tag{{Key: "mlflow.data.context", Value: "training"}},
			Dataset: registry.Dataset{Name: "green_2021-01", Digest: "abc123", SourceType: "http", Source: `{"url":"x"}`, Schema: "{}", Profile: `{"rows":3}`}}}
		for _, run := range []string{first, first, second} {
			c.must(c.LogInputs(c.ctx, run, in, nil))
		}
		for _, run := range []string{first, second} {
			r, err := c.GetRun(c.ctx, run)
			c.must(err)
			if len(r.Inputs.Datasets) != 1 {
				c.errorf("%d datasets, want 1", len(r.Inputs.Datasets))
				continue
			}
			equal(c, "dataset", r.Inputs.Datasets[0].Dataset, in[0].Dataset)
			same(c, "tags", r.Inputs.Datasets[0].Tags, in[0].Tags)
		}
		p, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{experiment},
			Filter: "datasets.name = 'green_2021-01' AND dataset.context = 'training'"})
		c.must(err)
		equal(c, "runs found by dataset", len(p.Items), 2)
	}},
	{"run/models logged by MLflow 2 are a list in a tag", func(c *checker) {
		id := c.run(c.experiment())
		for _, path := range []string{"a", "b"} {
			c.must(c.LogModel(c.ctx, id, `{"run_id":"`+id+`","artifact_path":"`+path+`","flavors":{"x":{}},"utc_time_created":"2021-03-05 00:00:00"}`))
		}
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		tag, _ := registry.FindTag(r.Data.Tags, "mlflow.log-model.history")
		equal(c, "models", strings.Count(tag, "artifact_path"), 2)
		c.refused("no JSON", c.LogModel(c.ctx, id, "{"), registry.InvalidParameterValue)
	}},
}

var paramRules = []rule{
	{"param/is written once, the same value again is fine", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.LogParam(c.ctx, id, registry.Param{Key: "p", Value: "1"}))
		c.must(c.LogParam(c.ctx, id, registry.Param{Key: "p", Value: "1"}))
		c.must(c.LogBatch(c.ctx, id, registry.Batch{Params: []registry.Param{{Key: "p", Value: "1"}, {Key: "empty", Value: ""}}}))
		c.refused("change", c.LogParam(c.ctx, id, registry.Param{Key: "p", Value: "2"}), registry.InvalidParameterValue,
			"Changing param values is not allowed. Param with key='p' was already logged with value='1' for run ID='"+id+"'. Attempted logging new value '2'.")
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		equal(c, "params", len(r.Data.Params), 2)
	}},
	{"param/a change in a batch keeps the whole batch out", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.LogParam(c.ctx, id, registry.Param{Key: "p", Value: "1"}))
		err := c.LogBatch(c.ctx, id, registry.Batch{
			Params:  []registry.Param{{Key: "new", Value: "x"}, {Key: "p", Value: "9"}},
			Metrics: []registry.Metric{{Key: "m", Value: 1}},
			Tags:    []registry.Tag{{Key: "t", Value: "v"}},
		})
		c.refused("batch", err, registry.InvalidParameterValue, "Changing param values is not allowed. Params were already logged="+
			"'[{'key': 'p', 'old_value': '1', 'new_value': '9'}]' for run ID='"+id+"'.")
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		if _, tagged := registry.FindTag(r.Data.Tags, "t"); len(r.Data.Params) != 1 || len(r.Data.Metrics) != 0 || tagged {
			c.errorf("part of the batch was written: %+v", r.Data)
		}
	}},
	{"param/a key twice in a batch is refused", func(c *checker) {
		err := c.LogBatch(c.ctx, c.run(c.experiment()), registry.Batch{Params: []registry.Param{{Key: "z", Value: "1"}, {Key: "z", Value: "1"}}})
		c.refused("batch", err, registry.InvalidParameterValue, "Duplicate parameter keys have been submitted: ['z'].")
	}},
	{"param/a long value is cut, a long or odd key refused", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.LogParam(c.ctx, id, registry.Param{Key: "p", Value: strings.Repeat("é", 6001)}))
		c.must(c.LogParam(c.ctx, id, registry.Param{Key: "p", Value: strings.Repeat("é", 6001)}))
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		equal(c, "characters kept", len([]rune(r.Data.Params[0].Value)), 6000)
		c.refused("long key", c.LogParam(c.ctx, id, registry.Param{Key: strings.Repeat("a", 251), Value: "1"}),
			registry.InvalidParameterValue, "'Param key' exceeds the maximum length of 250 characters")
		c.refused("odd key", c.LogParam(c.ctx, id, registry.Param{Key: "a@b", Value: "1"}),
			registry.InvalidParameterValue, `Invalid value "a@b" for parameter 'key' supplied: Names may only contain alphanumerics`)
		c.refused("path", c.LogParam(c.ctx, id, registry.Param{Key: "a/../b", Value: "1"}),
			registry.InvalidParameterValue, "This name would resolve to 'b'")
	}},
	{"param/a batch has bounds", func(c *checker) {
		id := c.run(c.experiment())
		var b registry.Batch
		for range 101 {
			b.Params = append(b.Params, registry.Param{Key: c.name("p"), Value: "1"})
		}
		c.refused("params", c.LogBatch(c.ctx, id, b), registry.InvalidParameterValue,
			"A batch logging request can contain at most 100 params. Got 101 params. Please split up params across multiple requests and try again.")
		b = registry.Batch{Metrics: make([]registry.Metric, 1001)}
		for i := range b.Metrics {
			b.Metrics[i] = registry.Metric{Key: "m", Step: int64(i)}
		}
		c.refused("metrics", c.LogBatch(c.ctx, id, b), registry.InvalidParameterValue, "can contain at most 1000 metrics. Got 1001 metrics.")
		b.Metrics = b.Metrics[:1000]
		c.must(c.LogBatch(c.ctx, id, b))
		b.Tags = []registry.Tag{{Key: "t", Value: "v"}}
		c.refused("total", c.LogBatch(c.ctx, id, b), registry.InvalidParameterValue,
			"can contain at most 1000 metrics, params, and tags. Got 1001 metrics, params, and tags.")
	}},
}
