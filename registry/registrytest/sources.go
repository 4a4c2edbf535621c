package registrytest

import (
	"strings"

	"github.com/taximeter/taximeter/registry"
)

var sourceRules = []rule{
	{"source/of a version may be another one, by number, alias or latest", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		c.version(name, run)
		c.must(c.SetAlias(c.ctx, name, "best", "1"))
		copies, _ := c.model()
		from, err := c.ModelVersionURI(c.ctx, name, "1")
		c.must(err)
		for source, want := range map[string]string{"/1": "/1", "@best": "/1", "/latest": "/2"} {
			v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: copies, Source: "models:/" + name + source})
			c.must(err)
			equal(c, "run of a copy of "+source, v.RunID, run)
			got, err := c.ModelVersionURI(c.ctx, copies, v.Version)
			c.must(err)
			equal(c, "files of a copy of "+source, got, from)
			if !strings.HasSuffix(source, "best") {
				equal(c, "source of a copy of "+source, v.Source, "models:/"+name+want)
			}
		}
		_, err = c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: copies, Source: "models:/" + name + "@nope"})
		c.refused("missing alias", err, registry.InvalidParameterValue)
		_, err = c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: copies, Source: "models:/nope-" + name + "/1"})
		c.refused("missing model", err, registry.ResourceDoesNotExist)
		_, err = c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: copies, Source: "models:/" + name + "/1", RunID: c.run(c.experiment())})
		c.refused("another run", err, registry.InvalidParameterValue)
	}},
	{"source/a stage without versions is not found", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		_, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: "models:/" + name + "/Staging"})
		c.refused("stage", err, registry.ResourceDoesNotExist)
	}},
	{"source/an object store is nobody's business", func(c *checker) {
		name, run := c.model()
		for _, source := range []string{"s3://bucket/model", "gs://bucket/a b", "dbfs:/model"} {
			v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: source, RunID: run})
			c.must(err)
			equal(c, "source", v.Source, source)
		}
	}},
	{"source/a prompt has a placeholder, and its model is hidden", func(c *checker) {
		name := c.name("prompt")
		prompt := []registry.Tag{{Key: "mlflow.prompt.is_prompt", Value: "true"}}
		_, err := c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: name, Tags: prompt})
		c.must(err)
		_, err = c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, Source: "dummy-source", Tags: prompt})
		c.must(err)
		for filter, want := range map[string]int{"": 0, " AND tags.`mlflow.prompt.is_prompt` = 'true'": 1, " AND tags.`mlflow.prompt.is_prompt` = 'false'": 0} {
			p, err := c.SearchModelVersions(c.ctx, registry.ModelQuery{Filter: "name = '" + name + "'" + filter})
			c.must(err)
			equal(c, "versions found with"+filter, len(p.Items), want)
		}
	}},
	{"source/what is deleted leaves no trace", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		c.version(name, run)
		_, err := c.TransitionStage(c.ctx, name, "2", "Production", false)
		c.must(err)
		c.must(c.DeleteModelVersion(c.ctx, name, "2"))
		for what, err := range map[string]error{
			"again": c.DeleteModelVersion(c.ctx, name, "2"), "alias": c.SetAlias(c.ctx, name, "a", "2"),
			"tag": c.SetModelVersionTag(c.ctx, name, "2", registry.Tag{Key: "k", Value: "v"}),
		} {
			c.refused(what, err, registry.ResourceDoesNotExist)
		}
		_, err = c.TransitionStage(c.ctx, name, "2", "Staging", false)
		c.refused("stage", err, registry.ResourceDoesNotExist)
		_, err = c.UpdateModelVersion(c.ctx, name, "2", "d")
		c.refused("description", err, registry.ResourceDoesNotExist)
		_, err = c.ModelVersionURI(c.ctx, name, "2")
		c.refused("uri", err, registry.ResourceDoesNotExist)
		latest, err := c.LatestVersions(c.ctx, name, []string{"Production", "None"})
		c.must(err)
		equal(c, "latest", versionNumbers(latest), "1")
	}},
}
