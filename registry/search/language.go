package search

import (
	"slices"
	"strings"
)

// Language is what can be said about one kind of item.
type Language struct {
	kinds      map[string]Kind // by the name before the dot
	attributes map[string]attribute
	order      map[string]string // canonical names, by name
	ops        map[Kind][]Op
}

// attribute is one that filters may name.
type attribute struct {
	name    string // canonical
	ops     []Op
	numeric bool
	integer bool
}

var (
	textOps   = []Op{Equal, NotEqual, Like, ILike}
	listOps   = []Op{Equal, NotEqual, Like, ILike, In, NotIn}
	nullOps   = []Op{Equal, NotEqual, Like, ILike, IsNull, IsNotNull}
	numberOps = []Op{Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual}
)

func text(name string) attribute   { return attribute{name: name, ops: textOps} }
func listed(name string) attribute { return attribute{name: name, ops: listOps} }
func number(name string) attribute { return attribute{name: name, ops: numberOps, numeric: true} }
func integer(name string) attribute {
	return attribute{name: name, ops: numberOps, numeric: true, integer: true}
}

func kinds(named map[Kind]string) map[string]Kind {
	m := map[string]Kind{}
	for k, names := range named {
		for name := range strings.FieldsSeq(names) {
			m[name] = k
		}
	}
	return m
}

func same(names ...string) map[string]string {
	m := map[string]string{}
	for _, n := range names {
		m[n] = n
	}
	return m
}

const (
	attributeNames = "attribute attributes attr"
	metricNames    = "metric metrics"
	paramNames     = "parameter parameters param params"
	tagNames       = "tag tags"
)

// Runs is the language of searches over runs.
var Runs = &Language{
	kinds: kinds(map[Kind]string{Attribute: attributeNames + " run", Metric: metricNames, Param: paramNames,
		Tag: tagNames, Dataset: "dataset datasets"}),
	attributes: map[string]attribute{
		"run_id":   listed("run_id"),
		"run_name": text("run_name"), "run name": text("run_name"), "Run name": text("run_name"), "Run Name": text("run_name"),
		"user_id": text("user_id"), "status": text("status"), "artifact_uri": text("artifact_uri"),
		"start_time": number("start_time"), "created": number("start_time"), "Created": number("start_time"),
		"end_time": number("end_time"),
	},
	order: map[string]string{"run_id": "run_id", "run_name": "run_name", "user_id": "user_id", "status": "status", "artifact_uri": "artifact_uri",
		"start_time": "start_time", "created": "start_time", "Created": "start_time", "end_time": "end_time"},
	ops: map[Kind][]Op{Metric: numberOps, Param: nullOps, Tag: nullOps, Dataset: listOps},
}

// Experiments is the language of searches over experiments.
var Experiments = &Language{
	kinds: kinds(map[Kind]string{Attribute: attributeNames, Tag: tagNames}),
	attributes: map[string]attribute{
		"name": text("name"), "creation_time": number("creation_time"), "last_update_time": number("last_update_time"),
		"experiment_id": {name: "experiment_id", ops: []Op{Equal, NotEqual, In, NotIn}},
	},
	order: same("name", "experiment_id", "creation_time", "last_update_time"),
	ops:   map[Kind][]Op{Tag: nullOps},
}

// Models is the language of searches over registered models.
var Models = &Language{
	kinds:      kinds(map[Kind]string{Attribute: attributeNames, Tag: tagNames}),
	attributes: map[string]attribute{"name": listed("name")},
	order:      map[string]string{"name": "name", "timestamp": "last_updated_timestamp", "last_updated_timestamp": "last_updated_timestamp"},
	ops:        map[Kind][]Op{Tag: textOps},
}

// Versions is the language of searches over model versions.
var Versions = &Language{
	kinds: kinds(map[Kind]string{Attribute: attributeNames, Tag: tagNames}),
	attributes: map[string]attribute{"name": listed("name"), "run_id": listed("run_id"),
		"source_path": text("source_path"), "version_number": integer("version_number")},
	order: same("name", "version_number", "creation_timestamp", "last_updated_timestamp"),
	ops:   map[Kind][]Op{Tag: textOps},
}

// LoggedModels is the language of searches over logged models.
var LoggedModels = &Language{
	kinds: kinds(map[Kind]string{Attribute: attributeNames, Metric: metricNames, Param: paramNames, Tag: tagNames}),
	attributes: map[string]attribute{
		"name": listed("name"), "model_id": listed("model_id"), "model_type": listed("model_type"),
		"status": listed("status"), "source_run_id": listed("source_run_id"),
		"creation_timestamp": number("creation_time"), "creation_time": number("creation_time"),
		"last_updated_timestamp": number("last_updated_time"), "last_updated_time": number("last_updated_time"),
	},
	order: map[string]string{"name": "name", "model_id": "model_id", "model_type": "model_type", "status": "status",
		"source_run_id": "source_run_id", "creation_timestamp": "creation_time", "creation_time": "creation_time",
		"last_updated_timestamp": "last_updated_time", "last_updated_time": "last_updated_time"},
	ops: map[Kind][]Op{Metric: numberOps, Param: listOps, Tag: listOps},
}

// entities returns the kinds' names for messages, in MLflow's order.
func (l *Language) entities() string {
	var names []string
	for _, k := range []Kind{Metric, Param, Tag, Attribute, Dataset} {
		for _, has := range l.kinds {
			if has == k {
				names = append(names, "'"+k.String()+"'")
				break
			}
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// listable returns the attributes that IN works on, for messages.
func (l *Language) listable() string {
	var names []string
	for _, a := range l.attributes {
		if slices.Contains(a.ops, In) && !slices.Contains(names, "'"+a.name+"'") {
			names = append(names, "'"+a.name+"'")
		}
	}
	slices.Sort(names)
	return "[" + strings.Join(names, ", ") + "]"
}

// set returns names as Python prints a set, sorted.
func set[T ~string](names []T) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "'" + string(n) + "'"
	}
	slices.Sort(quoted)
	return "{" + strings.Join(quoted, ", ") + "}"
}
