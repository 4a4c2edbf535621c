package registrytest

import (
	"strings"

	"github.com/taximeter/taximeter/registry"
)

var experimentRules = []rule{
	{"experiment/the default one is there", func(c *checker) {
		e, err := c.GetExperiment(c.ctx, registry.DefaultExperiment)
		c.must(err)
		equal(c, "name", e.Name, "Default")
		equal(c, "id", e.ID, "0")
	}},
	{"experiment/is made and read back", func(c *checker) {
		name := c.name("é 中")
		id, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: name, Tags: []registry.Tag{{Key: "k", Value: "v"}}})
		c.must(err)
		e, err := c.GetExperiment(c.ctx, id)
		c.must(err)
		equal(c, "name", e.Name, name)
		equal(c, "lifecycle", e.Lifecycle, registry.Active)
		equal(c, "location", e.ArtifactLocation, "mlflow-artifacts:/"+id)
		same(c, "tags", e.Tags, []registry.Tag{{Key: "k", Value: "v"}})
		if e.CreationTime == 0 || e.LastUpdateTime == 0 {
			c.errorf("times are missing: %+v", e)
		}
		byName, err := c.GetExperimentByName(c.ctx, name)
		c.must(err)
		equal(c, "id by name", byName.ID, id)
	}},
	{"experiment/a taken name is refused, also a deleted one's", func(c *checker) {
		name := c.name("experiment")
		id, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: name})
		c.must(err)
		_, err = c.CreateExperiment(c.ctx, registry.NewExperiment{Name: name})
		c.refused("again", err, registry.ResourceAlreadyExists, "Experiment(name="+name+") already exists.")
		c.must(c.DeleteExperiment(c.ctx, id))
		_, err = c.CreateExperiment(c.ctx, registry.NewExperiment{Name: name})
		c.refused("deleted", err, registry.ResourceAlreadyExists, "already exists")
	}},
	{"experiment/mistakes are refused", func(c *checker) {
		_, err := c.CreateExperiment(c.ctx, registry.NewExperiment{})
		c.refused("no name", err, registry.InvalidParameterValue, "Missing value for required parameter 'name'")
		_, err = c.CreateExperiment(c.ctx, registry.NewExperiment{Name: strings.Repeat("a", 501)})
		c.refused("long name", err, registry.InvalidParameterValue, "'name' exceeds the maximum length of 500 characters")
		_, err = c.GetExperiment(c.ctx, "99999999")
		c.refused("missing", err, registry.ResourceDoesNotExist, "No Experiment with id=99999999 exists")
		_, err = c.GetExperiment(c.ctx, "abc")
		c.refused("not a number", err, registry.InvalidParameterValue, "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.")
		_, err = c.GetExperimentByName(c.ctx, "no such name")
		c.refused("missing name", err, registry.ResourceDoesNotExist, "Could not find experiment with name 'no such name'")
	}},
	{"experiment/bad artifact locations are refused", func(c *checker) {
		for _, location := range []string{"http://x/y#/../../etc", "http://x/y;p", "s3://x/y?a=../../etc", "http://x/y", "runs:/x/y"} {
			_, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: c.name("experiment"), ArtifactLocation: location})
			c.refused(location, err, registry.InvalidParameterValue)
		}
	}},
	{"experiment/paths on the server's disk are refused as locations", func(c *checker) {
		for _, location := range []string{"/etc", "file:///etc", "etc"} {
			_, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: c.name("experiment"), ArtifactLocation: location})
			c.refused(location, err, registry.InvalidParameterValue)
		}
	}},
	{"experiment/is renamed", func(c *checker) {
		id, name := c.experiment(), c.name("renamed")
		c.must(c.UpdateExperiment(c.ctx, id, name))
		e, err := c.GetExperiment(c.ctx, id)
		c.must(err)
		equal(c, "name", e.Name, name)
	}},
	{"experiment/a rename to a taken name is refused", func(c *checker) {
		id, name := c.experiment(), c.name("taken")
		_, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: name})
		c.must(err)
		c.refused("rename", c.UpdateExperiment(c.ctx, id, name), registry.ResourceAlreadyExists)
	}},
	{"experiment/deletion takes the runs along, restoring brings all back", func(c *checker) {
		id := c.experiment()
		kept, deleted := c.run(id), c.run(id)
		c.must(c.DeleteRun(c.ctx, deleted))
		c.must(c.DeleteExperiment(c.ctx, id))
		c.refused("second deletion", c.DeleteExperiment(c.ctx, id), registry.ResourceDoesNotExist)
		e, err := c.GetExperiment(c.ctx, id)
		c.must(err)
		equal(c, "experiment", e.Lifecycle, registry.Deleted)
		r, err := c.GetRun(c.ctx, kept)
		c.must(err)
		equal(c, "run", r.Info.Lifecycle, registry.Deleted)
		_, err = c.CreateRun(c.ctx, registry.NewRun{ExperimentID: id})
		c.refused("new run", err, registry.InvalidParameterValue, "must be in the 'active' state. Current state is deleted.")
		c.refused("tag", c.SetExperimentTag(c.ctx, id, registry.Tag{Key: "k", Value: "v"}), registry.InvalidParameterValue)
		c.must(c.RestoreExperiment(c.ctx, id))
		c.refused("second restoration", c.RestoreExperiment(c.ctx, id), registry.ResourceDoesNotExist)
		for _, run := range []string{kept, deleted} {
			r, err := c.GetRun(c.ctx, run)
			c.must(err)
			equal(c, "run", r.Info.Lifecycle, registry.Active)
		}
	}},
	{"experiment/tags are set, changed and deleted", func(c *checker) {
		id := c.experiment()
		c.must(c.SetExperimentTag(c.ctx, id, registry.Tag{Key: "k", Value: "v"}))
		c.must(c.SetExperimentTag(c.ctx, id, registry.Tag{Key: "k", Value: "w"}))
		e, err := c.GetExperiment(c.ctx, id)
		c.must(err)
		same(c, "tags", e.Tags, []registry.Tag{{Key: "k", Value: "w"}})
		c.must(c.DeleteExperimentTag(c.ctx, id, "k"))
		c.refused("missing tag", c.DeleteExperimentTag(c.ctx, id, "k"), registry.ResourceDoesNotExist)
		c.refused("long key", c.SetExperimentTag(c.ctx, id, registry.Tag{Key: strings.Repeat("a", 251), Value: ""}),
			registry.InvalidParameterValue, "'key' exceeds the maximum length of 250 characters")
		c.refused("long value", c.SetExperimentTag(c.ctx, id, registry.Tag{Key: "k", Value: strings.Repeat("a", 20001)}),
			registry.InvalidParameterValue, "'value' exceeds the maximum length of 20000 characters")
	}},
	{"experiment/search filters, orders and pages", func(c *checker) {
		prefix := c.name("search")
		var ids []string
		for _, letter := range []string{"b", "a", "c"} {
			id, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: prefix + letter, Tags: []registry.Tag{{Key: "l", Value: letter}}})
			c.must(err)
			ids = append(ids, id)
		}
		c.must(c.DeleteExperiment(c.ctx, ids[2]))
		find := func(q registry.ExperimentQuery) (names []string, token string) {
			if q.MaxResults == 0 {
				q.MaxResults = 10
			}
			p, err := c.SearchExperiments(c.ctx, q)
			c.must(err)
			for _, e := range p.Items {
				names = append(names, strings.TrimPrefix(e.Name, prefix))
			}
			return names, p.NextPageToken
		}
		filter := "name LIKE '" + prefix + "%'"
		names, token := find(registry.ExperimentQuery{Filter: filter, OrderBy: []string{"name ASC"}, MaxResults: 1})
		same(c, "first page", names, []string{"a"})
		names, token = find(registry.ExperimentQuery{Filter: filter, OrderBy: []string{"name ASC"}, MaxResults: 1, PageToken: token})
		same(c, "second page", names, []string{"b"})
		equal(c, "token of the last page", token, "")
		names, _ = find(registry.ExperimentQuery{Filter: filter, View: registry.ViewAll, OrderBy: []string{"name DESC"}})
		same(c, "all", names, []string{"c", "b", "a"})
		names, _ = find(registry.ExperimentQuery{Filter: filter, View: registry.DeletedOnly})
		same(c, "deleted", names, []string{"c"})
		names, _ = find(registry.ExperimentQuery{Filter: "name ILIKE '" + strings.ToUpper(prefix) + "_' AND tags.l = 'a'"})
		same(c, "by tag", names, []string{"a"})
		names, _ = find(registry.ExperimentQuery{Filter: filter + " AND tags.`l` IS NULL"})
		same(c, "without tag", names, nil)
		names, _ = find(registry.ExperimentQuery{Filter: "experiment_id IN ('" + ids[0] + "')"})
		same(c, "by id", names, []string{"b"})
		_, err := c.SearchExperiments(c.ctx, registry.ExperimentQuery{MaxResults: 50001})
		c.refused("too many", err, registry.InvalidParameterValue, "It must be at most 50000")
		_, err = c.SearchExperiments(c.ctx, registry.ExperimentQuery{MaxResults: 10, Filter: "foo = 1"})
		c.refused("bad filter", err, registry.InvalidParameterValue, "Invalid attribute key 'foo'")
		_, err = c.SearchExperiments(c.ctx, registry.ExperimentQuery{MaxResults: 10, PageToken: "zzz"})
		c.refused("bad token", err, registry.InvalidParameterValue, "Invalid page token")
	}},
}
