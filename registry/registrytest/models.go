package registrytest

import (
	"strings"

	"github.com/taximeter/taximeter/registry"
)

var modelRules = []rule{
	{"model/is made, read, described, tagged and deleted", func(c *checker) {
		name := c.name("NYC Ride é")
		made, err := c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: name, Description: "d", Tags: []registry.Tag{{Key: "k", Value: "v"}}})
		c.must(err)
		equal(c, "name", made.Name, name)
		m, err := c.UpdateRegisteredModel(c.ctx, name, "described")
		c.must(err)
		equal(c, "description", m.Description, "described")
		c.must(c.SetRegisteredModelTag(c.ctx, name, registry.Tag{Key: "k", Value: "w"}))
		m, err = c.GetRegisteredModel(c.ctx, name)
		c.must(err)
		same(c, "tags", m.Tags, []registry.Tag{{Key: "k", Value: "w"}})
		c.must(c.DeleteRegisteredModelTag(c.ctx, name, "k"))
		c.must(c.DeleteRegisteredModelTag(c.ctx, name, "k"))
		c.must(c.DeleteRegisteredModel(c.ctx, name))
		_, err = c.GetRegisteredModel(c.ctx, name)
		c.refused("deleted", err, registry.ResourceDoesNotExist, "Registered Model with name="+name+" not found")
	}},
	{"model/mistakes are refused", func(c *checker) {
		name, _ := c.model()
		create := func(name string) error {
			_, err := c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: name})
			return err
		}
		c.refused("taken", create(name), registry.ResourceAlreadyExists, "Registered Model (name="+name+") already exists.")
		c.refused("slash", create("a/b"), registry.InvalidParameterValue, "Names cannot contain '/' or ':'.")
		c.refused("dots", create(".."), registry.InvalidParameterValue, "This name would resolve to '..'")
		c.refused("blank", create("  "), registry.InvalidParameterValue, "Missing value for required parameter 'name'.")
		c.refused("delete missing", c.DeleteRegisteredModel(c.ctx, "no such model"), registry.ResourceDoesNotExist)
		_, err := c.LatestVersions(c.ctx, "no such model", nil)
		c.refused("versions of missing", err, registry.ResourceDoesNotExist)
	}},
	{"model/a rename takes versions and aliases along", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		c.must(c.SetAlias(c.ctx, name, "best", "1"))
		to := c.name("renamed")
		m, err := c.RenameRegisteredModel(c.ctx, name, to)
		c.must(err)
		equal(c, "name", m.Name, to)
		v, err := c.VersionByAlias(c.ctx, to, "best")
		c.must(err)
		equal(c, "version's model", v.Name, to)
		_, err = c.GetRegisteredModel(c.ctx, name)
		c.refused("old name", err, registry.ResourceDoesNotExist)
	}},
	{"model/search filters, orders and pages", func(c *checker) {
		prefix := c.name("search")
		for _, letter := range []string{"b", "a", "c"} {
			_, err := c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: prefix + letter, Tags: []registry.Tag{{Key: "l", Value: letter}}})
			c.must(err)
		}
		find := func(q registry.ModelQuery) (names, token string) {
			p, err := c.SearchRegisteredModels(c.ctx, q)
			c.must(err)
			for _, m := range p.Items {
				names += strings.TrimPrefix(m.Name, prefix)
			}
			return names, p.NextPageToken
		}
		filter := "name LIKE '" + prefix + "%'"
		names, token := find(registry.ModelQuery{Filter: filter, MaxResults: 2})
		equal(c, "first page", names, "ab")
		names, token = find(registry.ModelQuery{Filter: filter, MaxResults: 2, PageToken: token})
		equal(c, "second page", names, "c")
		equal(c, "last token", token, "")
		names, _ = find(registry.ModelQuery{Filter: filter, OrderBy: []string{"name DESC"}})
		equal(c, "down", names, "cba")
		names, _ = find(registry.ModelQuery{Filter: filter + " AND tags.l = 'b'"})
		equal(c, "by tag", names, "b")
		names, _ = find(registry.ModelQuery{Filter: "name ilike '" + strings.ToUpper(prefix) + "_' AND tag.`mlflow.prompt.is_prompt` != 'true'"})
		equal(c, "as the Python client asks", names, "abc")
		_, err := c.SearchRegisteredModels(c.ctx, registry.ModelQuery{Filter: "foo = 'x'"})
		c.refused("filter", err, registry.InvalidParameterValue)
	}},
	{"model/prompts are hidden unless asked for", func(c *checker) {
		name := c.name("prompt")
		_, err := c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: name, Tags: []registry.Tag{{Key: "mlflow.prompt.is_prompt", Value: "true"}}})
		c.must(err)
		for filter, want := range map[string]int{"": 0, " AND tags.`mlflow.prompt.is_prompt` = 'true'": 1, " AND tags.`mlflow.prompt.is_prompt` != 'true'": 0} {
			p, err := c.SearchRegisteredModels(c.ctx, registry.ModelQuery{Filter: "name = '" + name + "'" + filter})
			c.must(err)
			equal(c, "found with"+filter, len(p.Items), want)
		}
	}},
	{"model/aliases name one version, and move", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		c.version(name, run)
		c.must(c.SetAlias(c.ctx, name, "staging", "1"))
		c.must(c.SetAlias(c.ctx, name, "staging", "1"))
		c.must(c.SetAlias(c.ctx, name, "staging", "2"))
		v, err := c.VersionByAlias(c.ctx, name, "staging")
		c.must(err)
		equal(c, "version", v.Version, "2")
		same(c, "aliases of the version", v.Aliases, []string{"staging"})
		m, err := c.GetRegisteredModel(c.ctx, name)
		c.must(err)
		same(c, "aliases of the model", m.Aliases, []registry.Alias{{Alias: "staging", Version: "2"}})
		v, err = c.VersionByAlias(c.ctx, name, "latest")
		c.must(err)
		equal(c, "latest", v.Version, "2")
		c.must(c.DeleteAlias(c.ctx, name, "staging"))
		c.must(c.DeleteAlias(c.ctx, name, "staging"))
		_, err = c.VersionByAlias(c.ctx, name, "staging")
		c.refused("gone", err, registry.InvalidParameterValue, "Registered model alias staging not found.")
		_, err = c.VersionByAlias(c.ctx, "no such model", "staging")
		c.refused("no model", err, registry.ResourceDoesNotExist)
		for _, alias := range []string{"", "latest", "Latest", "v1", "a b", "a/b", strings.Repeat("a", 256)} {
			c.refused("alias "+alias, c.SetAlias(c.ctx, name, alias, "1"), registry.InvalidParameterValue)
		}
		c.refused("missing version", c.SetAlias(c.ctx, name, "x", "9"), registry.ResourceDoesNotExist)
	}},
}
