package registrytest

import (
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// long returns a text of n characters, each of two bytes.
func long(n int) string { return strings.Repeat("é", n) }

var limitRules = []rule{
	{"limit/keys have at most 250 characters, which need not be ASCII", func(c *checker) {
		id := c.run(c.experiment())
		c.must(c.LogBatch(c.ctx, id, registry.Batch{Metrics: []registry.Metric{{Key: long(250)}},
			Params: []registry.Param{{Key: long(250), Value: "1"}}, Tags: []registry.Tag{{Key: long(250), Value: "1"}}}))
		for _, test := range []struct {
			what  string
			err   error
			words string
		}{
			{"metric", c.LogMetric(c.ctx, id, registry.Metric{Key: long(251)}), "'Metric name' exceeds the maximum length of 250 characters"},
			{"metric of a batch", c.LogBatch(c.ctx, id, registry.Batch{Metrics: []registry.Metric{{Key: long(251)}}}), "exceeds the maximum length of 250 characters"},
			{"param", c.LogParam(c.ctx, id, registry.Param{Key: long(251)}), "'Param key' exceeds the maximum length of 250 characters"},
			{"param of a batch", c.LogBatch(c.ctx, id, registry.Batch{Params: []registry.Param{{Key: long(251)}}}), "exceeds the maximum length of 250 characters"},
			{"tag", c.SetTag(c.ctx, id, registry.Tag{Key: long(251)}), "exceeds the maximum length of 250 characters"},
			{"tag of a batch", c.LogBatch(c.ctx, id, registry.Batch{Tags: []registry.Tag{{Key: long(251)}}}), "exceeds the maximum length of 250 characters"},
		} {
			c.refused(test.what, test.err, registry.InvalidParameterValue, test.words)
		}
	}},
	{"limit/keys hold letters, digits and a few signs, and are clean paths", func(c *checker) {
		id := c.run(c.experiment())
		for _, key := range []string{"a/b-c_d.e f:g", "中/é", "٣", "²", "a.", ".a", "-", "_"} {
			c.must(c.LogMetric(c.ctx, id, registry.Metric{Key: key}))
		}
		const names, paths = "Names may only contain alphanumerics", "must not resolve to other names when treated as such"
		for key, words := range map[string]string{"a@b": names, "a\nb": names, "a,b": names, "a\\b": names, "€": names, "💥": names, "a(b)": names,
			"/a": paths, "a//b": paths, "a/": paths, "./a": paths, ".": paths, "..": paths, "..a": paths, "a/../b": paths} {
			c.refused("metric "+key, c.LogMetric(c.ctx, id, registry.Metric{Key: key}), registry.InvalidParameterValue, words)
			c.refused("param "+key, c.LogParam(c.ctx, id, registry.Param{Key: key, Value: "1"}), registry.InvalidParameterValue, words)
			c.refused("tag "+key, c.SetTag(c.ctx, id, registry.Tag{Key: key, Value: "1"}), registry.InvalidParameterValue, words)
		}
	}},
	{"limit/tags of models and versions", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		value := strings.Repeat("a", 100000)
		c.must(c.SetRegisteredModelTag(c.ctx, name, registry.Tag{Key: long(250), Value: value}))
		c.must(c.SetModelVersionTag(c.ctx, name, "1", registry.Tag{Key: long(250), Value: value}))
		for _, tag := range []registry.Tag{{Key: long(251), Value: "v"}, {Key: "a@b", Value: "v"}} {
			c.refused("model tag", c.SetRegisteredModelTag(c.ctx, name, tag), registry.InvalidParameterValue)
			c.refused("version tag", c.SetModelVersionTag(c.ctx, name, "1", tag), registry.InvalidParameterValue)
		}
		c.refused("missing version", c.SetModelVersionTag(c.ctx, name, "9", registry.Tag{Key: "k", Value: "v"}), registry.ResourceDoesNotExist)
		c.refused("missing model", c.SetRegisteredModelTag(c.ctx, "no such model", registry.Tag{Key: "k", Value: "v"}), registry.ResourceDoesNotExist)
	}},
	{"limit/aliases have at most 255 characters", func(c *checker) {
		name, run := c.model()
		c.version(name, run)
		c.must(c.SetAlias(c.ctx, name, strings.Repeat("a", 255), "1"))
		c.refused("256", c.SetAlias(c.ctx, name, strings.Repeat("a", 256), "1"), registry.InvalidParameterValue)
	}},
	{"limit/datasets", func(c *checker) {
		id := c.run(c.experiment())
		fine := registry.Dataset{Name: strings.Repeat("n", 500), Digest: strings.Repeat("d", 36), SourceType: "local", Source: strings.Repeat("s", 65535)}
		c.must(c.LogInputs(c.ctx, id, []registry.DatasetInput{{Dataset: fine, Tags: []registry.Tag{{Key: strings.Repeat("k", 255), Value: strings.Repeat("v", 500)}}}}, nil))
		for what, change := range map[string]func(in *registry.DatasetInput){
			"name":      func(in *registry.DatasetInput) { in.Dataset.Name = strings.Repeat("n", 501) },
			"digest":    func(in *registry.DatasetInput) { in.Dataset.Digest = strings.Repeat("d", 37) },
			"source":    func(in *registry.DatasetInput) { in.Dataset.Source = strings.Repeat("s", 65536) },
			"tag key":   func(in *registry.DatasetInput) { in.Tags = []registry.Tag{{Key: strings.Repeat("k", 256), Value: "v"}} },
			"tag value": func(in *registry.DatasetInput) { in.Tags = []registry.Tag{{Key: "k", Value: strings.Repeat("v", 501)}} },
		} {
			in := registry.DatasetInput{Dataset: fine}
			change(&in)
			c.refused(what, c.LogInputs(c.ctx, id, []registry.DatasetInput{in}, nil), registry.InvalidParameterValue)
		}
	}},
	{"limit/results of a search", func(c *checker) {
		_, err := c.SearchRegisteredModels(c.ctx, registry.ModelQuery{MaxResults: 1001})
		c.refused("models", err, registry.InvalidParameterValue, "max_results")
		_, err = c.SearchModelVersions(c.ctx, registry.ModelQuery{MaxResults: 200001})
		c.refused("versions", err, registry.InvalidParameterValue, "max_results")
		ids := make([]string, 101)
		for i := range ids {
			ids[i] = fmt.Sprintf("%032x", i)
		}
		_, err = c.SampleMetrics(c.ctx, registry.SampleQuery{RunIDs: ids, Key: "m"})
		c.refused("runs to sample", err, registry.InvalidParameterValue)
	}},
}
