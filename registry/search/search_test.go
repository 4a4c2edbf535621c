package search

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestFilter(t *testing.T) {
	metric := func(key string, op Op, n float64) Condition {
		return Condition{Field: Field{Metric, key}, Op: op, Numeric: true, Number: n}
	}
	text := func(kind Kind, key string, op Op, s string) Condition {
		return Condition{Field: Field{kind, key}, Op: op, Text: s}
	}
	for _, test := range []struct {
		filter string
		want   []Condition
	}{
		{"", nil},
		{" \n\t", nil},
		{"metrics.rmse_valid < 6.5 and metrics.inference_time < 20e-6",
			[]Condition{metric("rmse_valid", Less, 6.5), metric("inference_time", Less, 20e-6)}},
		{"metric.a>=-1.5E+3", []Condition{metric("a", GreaterEqual, -1500)}},
		{"metrics.`a b/c` = .5", []Condition{metric("a b/c", Equal, .5)}},
		{`metrics."val-loss" != 1`, []Condition{metric("val-loss", NotEqual, 1)}},
		{"metrics.val-loss/x <= 1.", []Condition{metric("val-loss/x", LessEqual, 1)}},
		{"metrics.a > 1 AND metrics.a < 2", []Condition{metric("a", Greater, 1), metric("a", Less, 2)}},
		{`params.p = "1"`, []Condition{text(Param, "p", Equal, "1")}},
		{"parameters.p ilike '%a_'", []Condition{text(Param, "p", ILike, "%a_")}},
		{"tags.mlflow.user LIKE 'r%'", []Condition{text(Tag, "mlflow.user", Like, "r%")}},
		{"tags.`taximeter.key` = 'it''s AND x'", []Condition{text(Tag, "taximeter.key", Equal, "it's AND x")}},
		{"tags.a is  not null", []Condition{{Field: Field{Tag, "a"}, Op: IsNotNull}}},
		{"params.`a` IS NULL AND tags.b='x'",
			[]Condition{{Field: Field{Param, "a"}, Op: IsNull}, text(Tag, "b", Equal, "x")}},
		{"status = 'FINISHED'", []Condition{text(Attribute, "status", Equal, "FINISHED")}},
		{"attributes.run_name != 'x'", []Condition{text(Attribute, "run_name", NotEqual, "x")}},
		{"`Run name` = 'x'", []Condition{text(Attribute, "run_name", Equal, "x")}},
		{"created > 1", []Condition{{Field: Field{Attribute, "start_time"}, Op: Greater, Numeric: true, Number: 1}}},
		{"run_id IN ('A', \"b\")", []Condition{{Field: Field{Attribute, "run_id"}, Op: In, List: []string{"A", "b"}}}},
		{"run_id NOT IN('(')", []Condition{{Field: Field{Attribute, "run_id"}, Op: NotIn, List: []string{"("}}}},
		{"datasets.context = 'training'", []Condition{text(Dataset, "context", Equal, "training")}},
		{"metrics.é中 = 1", []Condition{metric("é中", Equal, 1)}},
	} {
		got, err := Runs.Filter(test.filter)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("Filter(%q) = %v, %v; want %v", test.filter, got, err, test.want)
		}
	}
}

// The messages are those of MLflow 3.17.2, but for the order in its sets.
func TestFilterMistakes(t *testing.T) {
	for _, test := range []struct {
		filter  string
		message string
		offset  int
	}{
		{"metrics.m > 1 or params.a='1'", "Invalid clause(s) in filter string: 'or'", 14},
		{"(metrics.m > 1)", "Invalid clause(s) in filter string: '(metrics.m > 1)'", 0},
		{"metrics.m between 1 and 2", "Invalid clause(s) in filter string: 'metrics.m', 'between', '1', '2'", 0},
		{"status = 'FINISHED';", "Invalid clause(s) in filter string: ';'", 19},
		{"foo", "Invalid clause(s) in filter string: 'foo'", 0},
		{"=", "Invalid clause(s) in filter string: '='", 0},
		{"metrics.a > 'open", "Invalid clause(s) in filter string: ''open'", 12},
		{"metrics.a > 1 AND", "Invalid clause(s) in filter string: 'AND'. Conditions are joined by AND", 14},
		{"AND metrics.a > 1", "Invalid clause(s) in filter string: 'AND'. Conditions are joined by AND", 0},
		{"metrics.a > 1 metrics.b > 1", "Invalid clause(s) in filter string: 'metrics.b'. Conditions are joined by AND", 14},
		{"metric.m>'1'", "Expected numeric value type for metric. Found '1'", 9},
		{"metrics.m = NaN", "Expected numeric value type for metric. Found NaN", 12},
		{"metrics.m < 1e999", "Expected numeric value type for metric. Found 1e999", 12},
		{"metrics.m < 0x10", "Expected numeric value type for metric. Found 0x10", 12},
		{"params.p = 1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1", 11},
		{"params.p IN ('x')", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value ('x')", 12},
		{"start_time > 'x'", "Expected numeric value type for numeric attribute: start_time. Found 'x'", 13},
		{"foo.bar = 'x'", "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']", 0},
		{"metrics.a LIKE 1", "Invalid comparator 'LIKE' not one of '{'!=', '<', '<=', '=', '>', '>='}'", 10},
		{"tags.a rlike 'R'", "Invalid comparator 'RLIKE' not one of '{'!=', '=', 'ILIKE', 'IS NOT NULL', 'IS NULL', 'LIKE'}'", 7},
		{"metrics.a == 1", "Invalid comparator '==' not one of '{'!=', '<', '<=', '=', '>', '>='}'", 10},
		{"run_id IN ()", "While parsing a list in the query, expected a non-empty list of string values, but got empty list", 10},
		{"run_id IN (1)", "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: (1)", 11},
		{"status IN ('a')", "Only ['run_id'] attributes support comparison with a list of quoted string values.", 7},
		{"run_name = unquoted", "Parameter value is either not quoted or unidentified quote types used for string value unquoted. " +
			"Use either single or double quotes.", 11},
		{"metrics.s IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 's'", 10},
		{"dataset.foo = 'x'", "Invalid dataset key 'foo' specified. Valid keys are '{'context', 'digest', 'name'}'", 0},
	} {
		_, err := Runs.Filter(test.filter)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Message != test.message || e.Offset != test.offset {
			t.Errorf("Filter(%q): %v\nwant %s at %d", test.filter, err, test.message, test.offset)
		}
	}
	if _, err := Runs.Filter("lifecycle_stage = 'active'"); err == nil || !strings.Contains(err.Error(), "Invalid attribute key 'lifecycle_stage'") {
		t.Errorf("lifecycle_stage: %v", err)
	}
	if _, err := Runs.Filter(strings.Repeat("metrics.a > 1 AND ", MaxConditions) + "metrics.a > 1"); err == nil {
		t.Errorf("%d conditions are taken", MaxConditions+1)
	}
}

func TestErrorCountsCharacters(t *testing.T) {
	_, err := Runs.Filter("tags.é = 'ü' OR tags.a = 'b'")
	if want := `Invalid clause(s) in filter string: 'OR' (at character 14 of "tags.é = 'ü' OR tags.a = 'b'")`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestOtherLanguages(t *testing.T) {
	for _, test := range []struct {
		language *Language
		filter   string
		ok       bool
	}{
		{Experiments, "name ILIKE '%x%' AND tags.`mlflow.experiment.isGateway` IS NULL", true},
		{Experiments, "experiment_id IN ('1','2')", true},
		{Experiments, "experiment_id > '1'", false},
		{Experiments, "creation_time > 1", true},
		{Experiments, "name IN ('a')", false},
		{Experiments, "metrics.a > 1", false},
		{Models, "name ilike '%x%' AND tag.`mlflow.prompt.is_prompt` != 'true'", true},
		{Models, "name IN ('a')", true},
		{Models, "tags.a IS NULL", false},
		{Versions, "name='X' and run_id = 'r' AND version_number > 2", true},
		{Versions, "version_number = 1.5", false},
		{LoggedModels, "attributes.model_id IN ('m-1','m-2') AND metrics.a > 1", true},
	} {
		if _, err := test.language.Filter(test.filter); (err == nil) != test.ok {
			t.Errorf("Filter(%q): %v, want ok = %v", test.filter, err, test.ok)
		}
	}
}

func TestOrder(t *testing.T) {
	got, err := Runs.Order([]string{"metrics.`a b` ASC", "attributes.created desc", "tags.x", "params.\"p\""})
	want := []Order{{Field{Metric, "a b"}, false}, {Field{Attribute, "start_time"}, true}, {Field{Tag, "x"}, false}, {Field{Param, "p"}, false}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Order: %v, %v; want %v", got, err, want)
	}
	for clause, message := range map[string]string{
		"metrics.a FOO":      "Invalid ordering key in order_by clause 'metrics.a FOO'.",
		"metrics.a asc desc": "Invalid order_by clause 'metrics.a asc desc'. Could not be parsed.",
		"foo": "Invalid attribute key 'foo' specified. Valid keys are '{'Created', 'artifact_uri', 'created', " +
			"'end_time', 'run_id', 'run_name', 'start_time', 'status', 'user_id'}'",
		"":   "Invalid order_by clause ''. Could not be parsed.",
		"()": "Invalid order_by clause '()'. Could not be parsed.",
	} {
		_, err := Runs.Order([]string{clause})
		if e, ok := errors.AsType[*Error](err); !ok || e.Message != message {
			t.Errorf("Order(%q): %v\nwant %s", clause, err, message)
		}
	}
	if _, err := Runs.Order([]string{"metrics.x", "metric.`x` DESC"}); err == nil {
		t.Error("the same field twice is taken")
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"metrics.rmse < 6.5 and tags.`a b` = 'x'", "run_id IN ('a','b') AND tags.a IS NOT NULL",
		"((", "a.`", "1e+", "'''", "params.\"x\" ILIKE '%\\_'", "NOT IN", "tags. = 'x'", "\xff.a = 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, input string) {
		for _, l := range []*Language{Runs, Experiments, Models, Versions, LoggedModels} {
			conditions, err := l.Filter(input)
			if err != nil {
				e, ok := errors.AsType[*Error](err)
				if !ok || e.Offset < 0 || e.Offset > len(e.Input) || e.Error() == "" {
					t.Fatalf("Filter(%q): %#v", input, err)
				}
				continue
			}
			for _, c := range conditions {
				if c.Op == "" || c.Key == "" || (c.Op == In || c.Op == NotIn) != (c.List != nil) || c.Numeric && c.Number != c.Number {
					t.Fatalf("Filter(%q) gives %+v", input, c)
				}
			}
			_, _ = l.Order([]string{input})
		}
	})
}
