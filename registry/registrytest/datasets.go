package registrytest

import (
	"fmt"

	"github.com/taximeter/taximeter/registry"
)

// input is a dataset read for something.
func input(name, digest, context string) registry.DatasetInput {
	in := registry.DatasetInput{Dataset: registry.Dataset{Name: name, Digest: digest, SourceType: "local", Source: "{}"}}
	if context != "" {
		in.Tags = []registry.Tag{{Key: registry.TagContext, Value: context}}
	}
	return in
}

var datasetRules = []rule{
	{"dataset/runs are found by name, digest and context of their inputs", func(c *checker) {
		experiment := c.experiment()
		log := func(name string, in ...registry.DatasetInput) {
			r, err := c.CreateRun(c.ctx, registry.NewRun{ExperimentID: experiment, RunName: name, StartTime: int64(name[0])})
			c.must(err)
			c.must(c.LogInputs(c.ctx, r.Info.RunID, in, nil))
		}
		log("a", input("green", "1", "training"))
		log("b", input("green", "2", "training"), input("yellow", "1", "eval"))
		log("c", input("Green", "1", ""))
		log("d")
		for filter, want := range map[string]string{
			"datasets.name = 'green'": "ba", "dataset.name != 'green'": "cb", "datasets.name LIKE 'gr%'": "ba", "datasets.name ILIKE 'GR%'": "cba",
			"datasets.name IN ('yellow', 'Green')": "cb", "dataset.digest = '1'": "cba", "datasets.context = 'training'": "ba", "datasets.context ILIKE 'E%'": "b",
			"datasets.name = 'green' AND datasets.digest = '1' AND datasets.context = 'eval'": "b", "datasets.digest = '3'": "",
		} {
			p, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{experiment}, Filter: filter})
			c.must(err)
			equal(c, filter, runNames(p), want)
		}
		_, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{experiment}, Filter: "datasets.source = 'x'"})
		c.refused("unknown key", err, registry.InvalidParameterValue)
	}},
	{"dataset/the same in two experiments are two", func(c *checker) {
		for _, source := range []string{"one", "two"} {
			id := c.run(c.experiment())
			in := input("shared", "d", "training")
			in.Dataset.Source = source
			c.must(c.LogInputs(c.ctx, id, []registry.DatasetInput{in}, nil))
			r, err := c.GetRun(c.ctx, id)
			c.must(err)
			equal(c, "source", r.Inputs.Datasets[0].Dataset.Source, source)
		}
	}},
	{"dataset/those of experiments are listed once each", func(c *checker) {
		first, second := c.experiment(), c.experiment()
		for _, e := range []string{first, first, second} {
			c.must(c.LogInputs(c.ctx, c.run(e), []registry.DatasetInput{input("green", "1", "training"), input("green", "2", "")}, nil))
		}
		found, err := c.SearchDatasets(c.ctx, []string{first, second})
		c.must(err)
		got := map[string]int{}
		for _, d := range found {
			got[fmt.Sprint(d)]++
		}
		for _, e := range []string{first, second} {
			for _, want := range []registry.DatasetSummary{{ExperimentID: e, Name: "green", Digest: "1", Context: "training"}, {ExperimentID: e, Name: "green", Digest: "2"}} {
				equal(c, fmt.Sprint(want), got[fmt.Sprint(want)], 1)
			}
		}
		equal(c, "datasets", len(found), 4)
		_, err = c.SearchDatasets(c.ctx, nil)
		c.refused("no experiment", err, registry.InvalidParameterValue)
		_, err = c.SearchDatasets(c.ctx, make([]string, 21))
		c.refused("21 experiments", err, registry.InvalidParameterValue)
	}},
	{"dataset/models that a run read and made", func(c *checker) {
		experiment := c.experiment()
		m, err := c.CreateLoggedModel(c.ctx, registry.NewLoggedModel{ExperimentID: experiment, Name: "m"})
		c.must(err)
		id := c.run(experiment)
		for range 2 {
			c.must(c.LogInputs(c.ctx, id, nil, []registry.ModelInput{{ModelID: m.Info.ModelID}}))
		}
		r, err := c.GetRun(c.ctx, id)
		c.must(err)
		same(c, "models read", r.Inputs.Models, []registry.ModelInput{{ModelID: m.Info.ModelID}})
	}},
	{"dataset/a search tells the models that a run read", func(c *checker) {
		experiment := c.experiment()
		m, err := c.CreateLoggedModel(c.ctx, registry.NewLoggedModel{ExperimentID: experiment, Name: "m"})
		c.must(err)
		c.must(c.LogInputs(c.ctx, c.run(experiment), nil, []registry.ModelInput{{ModelID: m.Info.ModelID}}))
		p, err := c.SearchRuns(c.ctx, registry.RunQuery{ExperimentIDs: []string{experiment}})
		c.must(err)
		same(c, "models", p.Items[0].Inputs.Models, []registry.ModelInput{{ModelID: m.Info.ModelID}})
	}},
}
