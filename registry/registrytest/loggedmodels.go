package registrytest

import (
	"strings"

	"github.com/taximeter/taximeter/registry"
)

var loggedModelRules = []rule{
	{"logged model/lives from pending to ready to a version", func(c *checker) {
		experiment := c.experiment()
		run := c.run(experiment)
		m, err := c.CreateLoggedModel(c.ctx, registry.NewLoggedModel{ExperimentID: experiment, Name: "model", SourceRunID: run,
			Params: []registry.Param{{Key: "p", Value: "1"}}, Tags: []registry.Tag{{Key: "k", Value: "v"}}})
		c.must(err)
		id := m.Info.ModelID
		equal(c, "status", m.Info.Status, registry.ModelPending)
		equal(c, "uri", m.Info.ArtifactURI, "mlflow-artifacts:/"+experiment+"/models/"+id+"/artifacts")
		c.must(c.LogOutputs(c.ctx, run, []registry.ModelOutput{{ModelID: id, Step: 3}}))
		c.must(c.LogBatch(c.ctx, run, registry.Batch{Metrics: []registry.Metric{{Key: "rmse", Value: 2.5, Step: 1, ModelID: id}}}))
		place, err := registry.ArtifactName(m.Info.ArtifactURI)
		c.must(err)
		c.must(c.PutFile(c.ctx, place+"/MLmodel", strings.NewReader("flavors:")))
		m, err = c.FinalizeLoggedModel(c.ctx, id, registry.ModelReady)
		c.must(err)
		equal(c, "status", m.Info.Status, registry.ModelReady)
		c.must(c.SetLoggedModelTags(c.ctx, id, []registry.Tag{{Key: "k", Value: "w"}, {Key: "l", Value: "x"}}))
		c.must(c.DeleteLoggedModelTag(c.ctx, id, "l"))
		c.must(c.LogLoggedModelParams(c.ctx, id, []registry.Param{{Key: "q", Value: "2"}}))
		m, err = c.GetLoggedModel(c.ctx, id)
		c.must(err)
		same(c, "tags", m.Info.Tags, []registry.Tag{{Key: "k", Value: "w"}})
		equal(c, "params", len(m.Data.Params), 2)
		if len(m.Data.Metrics) != 1 || m.Data.Metrics[0].Value != 2.5 || m.Data.Metrics[0].RunID != run {
			c.errorf("metrics: %+v", m.Data.Metrics)
		}
		r, err := c.GetRun(c.ctx, run)
		c.must(err)
		same(c, "outputs", r.Outputs.Models, []registry.ModelOutput{{ModelID: id, Step: 3}})

		name, _ := c.model()
		v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: "models:/" + id, ModelID: id})
		c.must(err)
		equal(c, "run of the version", v.RunID, run)
		uri, err := c.ModelVersionURI(c.ctx, name, v.Version)
		c.must(err)
		equal(c, "uri of the version", uri, m.Info.ArtifactURI)
		_, err = c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: "models:/" + id})
		c.refused("source without id", err, registry.InvalidParameterValue)

		c.must(c.DeleteLoggedModel(c.ctx, id))
		_, err = c.GetLoggedModel(c.ctx, id)
		c.refused("deleted", err, registry.ResourceDoesNotExist, "Logged model with ID '"+id+"' not found.")
	}},
	{"logged model/search filters and orders", func(c *checker) {
		experiment := c.experiment()
		for _, name := range []string{"b", "a", "c"} {
			_, err := c.CreateLoggedModel(c.ctx, registry.NewLoggedModel{ExperimentID: experiment, Name: name, Params: []registry.Param{{Key: "p", Value: name}}})
			c.must(err)
		}
		find := func(filter string, orderBy ...registry.LoggedModelOrder) (names string) {
			p, err := c.SearchLoggedModels(c.ctx, registry.LoggedModelQuery{ExperimentIDs: []string{experiment}, Filter: filter, OrderBy: orderBy})
			c.must(err)
			for _, m := range p.Items {
				names += m.Info.Name
			}
			return names
		}
		equal(c, "by name", find("name = 'a'"), "a")
		equal(c, "by param", find("params.p = 'c'"), "c")
		equal(c, "ordered", find("", registry.LoggedModelOrder{FieldName: "name", Ascending: true}), "abc")
		equal(c, "down", find("name IN ('a','b')", registry.LoggedModelOrder{FieldName: "name"}), "ba")
	}},
	{"logged model/mistakes are refused", func(c *checker) {
		_, err := c.CreateLoggedModel(c.ctx, registry.NewLoggedModel{ExperimentID: c.experiment(), Name: "a/b"})
		c.refused("name", err, registry.InvalidParameterValue)
		_, err = c.GetLoggedModel(c.ctx, "m-nope")
		c.refused("missing", err, registry.ResourceDoesNotExist)
	}},
}
