package registrytest

import (
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

func versionNumbers(versions []registry.ModelVersion) string {
	var numbers []string
	for _, v := range versions {
		numbers = append(numbers, v.Version)
	}
	return strings.Join(numbers, " ")
}

var versionRules = []rule{
	{"version/is made from a run and read back", func(c *checker) {
		name, run := c.model()
		c.put(run, "model/MLmodel", "flavors:")
		v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: "runs:/" + run + "/model", RunID: run,
			Description: "d", Tags: []registry.Tag{{Key: "k", Value: "v"}}})
		c.must(err)
		equal(c, "version", v.Version, "1")
		got, err := c.GetModelVersion(c.ctx, name, "1")
		c.must(err)
		equal(c, "stage", got.CurrentStage, registry.StageNone)
		equal(c, "run", got.RunID, run)
		equal(c, "source", got.Source, "runs:/"+run+"/model")
		equal(c, "description", got.Description, "d")
		equal(c, "status", got.Status, "READY")
		same(c, "tags", got.Tags, []registry.Tag{{Key: "k", Value: "v"}})
		got, err = c.UpdateModelVersion(c.ctx, name, "1", "described")
		c.must(err)
		equal(c, "description", got.Description, "described")
		c.must(c.SetModelVersionTag(c.ctx, name, "1", registry.Tag{Key: "k", Value: "w"}))
		c.must(c.DeleteModelVersionTag(c.ctx, name, "1", "k"))
		c.must(c.DeleteModelVersionTag(c.ctx, name, "1", "k"))
	}},
	{"version/its URI leads to the files", func(c *checker) {
		name, run := c.model()
		c.put(run, "model/MLmodel", "flavors:")
		r, err := c.GetRun(c.ctx, run)
		c.must(err)
		v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: r.Info.ArtifactURI + "/model", RunID: run})
		c.must(err)
		uri, err := c.ModelVersionURI(c.ctx, name, v.Version)
		c.must(err)
		equal(c, "uri", uri, r.Info.ArtifactURI+"/model")
		place, err := registry.ArtifactName(uri)
		c.must(err)
		equal(c, "content", c.read(c.OpenFile(c.ctx, place+"/MLmodel")), "flavors:")
	}},
	{"version/a runs:/ source has the run's URI", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		uri, err := c.ModelVersionURI(c.ctx, name, "1")
		c.must(err)
		r, err := c.GetRun(c.ctx, run)
		c.must(err)
		equal(c, "uri", uri, r.Info.ArtifactURI+"/model")
	}},
	{"version/numbers are consecutive and never given again", func(c *checker) {
		name, run := c.model()
		for i := range 3 {
			equal(c, "version", c.version(name, run).Version, fmt.Sprint(i+1))
		}
		c.must(c.SetAlias(c.ctx, name, "best", "3"))
		c.must(c.DeleteModelVersion(c.ctx, name, "3"))
		_, err := c.GetModelVersion(c.ctx, name, "3")
		c.refused("deleted", err, registry.ResourceDoesNotExist, "Model Version (name="+name+", version=3) not found")
		_, err = c.VersionByAlias(c.ctx, name, "best")
		c.refused("alias of the deleted", err, registry.InvalidParameterValue)
		equal(c, "next", c.version(name, run).Version, "4")
	}},
	{"version/mistakes are refused", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		_, err := c.GetModelVersion(c.ctx, name, "abc")
		c.refused("no number", err, registry.InvalidParameterValue, "must be an integer")
		_, err = c.GetModelVersion(c.ctx, name, "9")
		c.refused("missing", err, registry.ResourceDoesNotExist)
		_, err = c.TransitionStage(c.ctx, name, "1", "Nowhere", false)
		c.refused("stage", err, registry.InvalidParameterValue)
		_, err = c.LatestVersions(c.ctx, name, []string{"Nowhere"})
		c.refused("stages", err, registry.InvalidParameterValue)
		_, err = c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: "no such model", Source: "runs:/" + run + "/model", RunID: run})
		c.refused("no model", err, registry.ResourceDoesNotExist)
	}},
	{"version/archiving into Archived is refused", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		_, err := c.TransitionStage(c.ctx, name, "1", "Archived", true)
		c.refused("archive", err, registry.InvalidParameterValue)
	}},
	{"version/a source must lie in what the request names", func(c *checker) {
		name, run := c.model()
		other := c.run(c.experiment())
		c.version(name, run)
		r, err := c.GetRun(c.ctx, run)
		c.must(err)
		for _, v := range []registry.NewModelVersion{
			{Source: "runs:/" + run + "/model", RunID: other},
			{Source: "runs:/" + run + "/model"},
			{Source: r.Info.ArtifactURI + "/model", RunID: other},
			{Source: r.Info.ArtifactURI},
			{Source: r.Info.ArtifactURI + "/../../" + other + "/artifacts", RunID: run},
			{Source: "/etc"}, {Source: "file:///etc"}, {Source: "/etc", RunID: run}, {Source: "http://x/y", RunID: run},
			{Source: "file:///etc", Tags: []registry.Tag{{Key: "mlflow.prompt.is_prompt", Value: "true"}}},
			{Source: ""},
		} {
			v.Name = name
			_, err := c.CreateModelVersion(c.ctx, v)
			c.refused(fmt.Sprintf("%+v", v), err, registry.InvalidParameterValue)
		}
		_, err = c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: "models:/" + name + "/9"})
		c.refused("missing version", err, registry.ResourceDoesNotExist)
		v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: "models:/" + name + "/1"})
		c.must(err)
		equal(c, "run of a copy", v.RunID, run)
	}},
	{"version/stages: one moves, others are archived on demand", func(c *checker) {
		name, run := c.model()
		for range 3 {
			c.version(name, run)
		}
		move := func(version, stage string, archive bool) {
			v, err := c.TransitionStage(c.ctx, name, version, stage, archive)
			c.must(err)
			equal(c, "stage of "+version, strings.ToLower(string(v.CurrentStage)), strings.ToLower(stage))
		}
		stages := func() (all string) {
			for i := range 3 {
				v, err := c.GetModelVersion(c.ctx, name, fmt.Sprint(i+1))
				c.must(err)
				all += string(v.CurrentStage) + " "
			}
			return all
		}
		move("1", "Staging", true)
		move("2", "staging", false)
		equal(c, "both", stages(), "Staging Staging None ")
		latest, err := c.LatestVersions(c.ctx, name, []string{"STAGING"})
		c.must(err)
		equal(c, "latest in staging", versionNumbers(latest), "2")
		move("3", "Staging", true)
		equal(c, "archived", stages(), "Archived Archived Staging ")
		move("3", "Staging", true)
		equal(c, "set again", stages(), "Archived Archived Staging ")
		latest, err = c.LatestVersions(c.ctx, name, nil)
		c.must(err)
		if len(latest) != 2 {
			c.errorf("latest of every stage: %v", latest)
		}
		move("3", "None", false)
		equal(c, "back", stages(), "Archived Archived None ")
	}},
	{"version/search filters and orders", func(c *checker) {
		name, run := c.model()
		other := c.run(c.experiment())
		c.version(name, run)
		c.version(name, other)
		c.version(name, run)
		c.must(c.SetModelVersionTag(c.ctx, name, "3", registry.Tag{Key: "k", Value: "v"}))
		c.must(c.DeleteModelVersion(c.ctx, name, "2"))
		find := func(q registry.ModelQuery) string {
			p, err := c.SearchModelVersions(c.ctx, q)
			c.must(err)
			return versionNumbers(p.Items)
		}
		by := []string{"version_number ASC"}
		equal(c, "by name", find(registry.ModelQuery{Filter: "name='" + name + "'", OrderBy: by}), "1 3")
		equal(c, "by run", find(registry.ModelQuery{Filter: "run_id = '" + run + "'", OrderBy: by}), "1 3")
		equal(c, "by deleted run", find(registry.ModelQuery{Filter: "run_id = '" + other + "'"}), "")
		equal(c, "by number", find(registry.ModelQuery{Filter: "name='" + name + "' AND version_number > 1"}), "3")
		equal(c, "by tag", find(registry.ModelQuery{Filter: "name='" + name + "' AND tags.k = 'v'"}), "3")
		equal(c, "name and run", find(registry.ModelQuery{Filter: fmt.Sprintf("name = '%s' and run_id = '%s'", name, run), OrderBy: []string{"version_number DESC"}, MaxResults: 1}), "3")
	}},
}
