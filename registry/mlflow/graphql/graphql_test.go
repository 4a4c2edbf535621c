package graphql_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry/mlflow/graphql"
)

const schema = `
# Books and who wrote them.
type Query { book(input: BookInput): Book broken: Book books(n: Int): [Book!] }
type Mutation { shelve(title: String!): Boolean }
input BookInput { title: String pages: LongString genre: Genre tags: [String] }
enum Genre { PROSE VERSE }
type Book { title: String pages: LongString price: Float genre: Genre sold: Boolean author: Author tags: [String] }
type Author { name: String best: Book }
`

func newSchema(t testing.TB) *graphql.Schema {
	t.Helper()
	s, err := graphql.NewSchema(schema, "component")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// resolvers give a book with the title asked for; the author is fetched apart.
var resolvers = map[string]graphql.Resolve{
	"Query.book": func(_ context.Context, _, arguments map[string]any) (any, error) {
		input, _ := arguments["input"].(map[string]any)
		if input["title"] == "none" {
			return nil, errors.New("No such book")
		}
		book := map[string]any{"title": input["title"], "pages": json.Number("9007199254740993"), "price": "NaN", "genre": input["genre"]}
		if tags, ok := input["tags"].([]any); ok {
			book["tags"] = tags
		}
		return book, nil
	},
	"Query.broken": func(context.Context, map[string]any, map[string]any) (any, error) { return "no object", nil },
	"Query.books": func(_ context.Context, _, arguments map[string]any) (any, error) {
		n, err := arguments["n"].(json.Number).Int64()
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{}
		}
		return list, err
	},
	"Book.author": func(_ context.Context, book, _ map[string]any) (any, error) {
		return map[string]any{"name": fmt.Sprint("author of ", book["title"])}, nil
	},
	"Mutation.shelve": func(_ context.Context, _, arguments map[string]any) (any, error) {
		return arguments["title"] == "x", nil
	},
}

func ask(t testing.TB, r graphql.Request) string {
	t.Helper()
	b, err := json.Marshal(newSchema(t).Do(t.Context(), r, resolvers))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestQueries(t *testing.T) {
	for _, c := range []struct{ name, query, variables, want string }{
		{"fields", `{ book(input: {title: "x"}) { title pages price } }`, "",
			`{"data":{"book":{"pages":"9007199254740993","price":null,"title":"x"}},"errors":null}`},
		{"what is not there is zero", `{ book(input: {title: "x"}) { sold tags genre author { name best { title sold } } } }`, "",
			`{"data":{"book":{"author":{"best":{"sold":false,"title":""},"name":"author of x"},"genre":null,"sold":false,"tags":[]}},"errors":null}`},
		{"variables", `query Q($in: BookInput, $no: Boolean = false) @component(name: "a") { a: book(input: $in) { title genre tags @skip(if: $no) pages @include(if: $no) } }`,
			`{"in":{"title":"v","genre":"VERSE","pages":12,"tags":["a","b"]}}`, `{"data":{"a":{"genre":"VERSE","tags":["a","b"],"title":"v"}},"errors":null}`},
		{"fragments", `query { book(input: {title: "x"}) { ...F ... on Book { author { name } } } } fragment F on Book { __typename title author { name } }`, "",
			`{"data":{"book":{"__typename":"Book","author":{"name":"author of x"},"title":"x"}},"errors":null}`},
		{"strings", `{ book(input: {title: "tab	\"é\u00e9\\/", genre: PROSE, tags: ["""a "b" c"""]}) { title tags } }`, "",
			`{"data":{"book":{"tags":["a \"b\" c"],"title":"tab\t\"éé\\/"}},"errors":null}`},
		{"errors of resolvers", `{ book(input: {title: "none"}) { title } broken { title } }`, "", `{"data":{"book":null,"broken":null},"errors":["No such book"]}`},
		{"mutation", `mutation M($t: String!) { shelve(title: $t) }`, `{"t":"x"}`, `{"data":{"shelve":true},"errors":null}`},
		{"unknown field", `{ book { nope } }`, "", `{"data":null,"errors":["Cannot query field 'nope' on type 'Book'."]}`},
		{"no subfields", `{ book }`, "", `Field 'book' of type 'Book' must have a selection of subfields.`},
		{"subfields of a scalar", `{ book { title { x } } }`, "", `must not have a selection`},
		{"unknown argument", `{ book(x: 1) { title } }`, "", `Unknown argument 'x' on field 'book'.`},
		{"bad literal", `{ book(input: {pages: "many"}) { title } }`, "", `LongString cannot represent value: \"many\"`},
		{"bad enum", `{ book(input: {genre: MAP}) { title } }`, "", `does not exist in 'Genre' enum`},
		{"unknown input field", `query($i: BookInput) { book(input: $i) { title } }`, `{"i":{"isbn":1}}`, `Field 'isbn' is not defined by type 'BookInput'.`},
		{"variable not given", `mutation($t: String!) { shelve(title: $t) }`, "", `Variable '$t' of required type 'String!' was not provided.`},
		{"argument not given", `mutation { shelve }`, "", `argument 'title' of type 'String!' is required`},
		{"variable not declared", `{ book(input: {title: $x}) { title } }`, "", `Variable '$x' is not defined.`},
		{"conflict", `{ a: book(input: {title: "1"}) { title } a: book(input: {title: "2"}) { title } }`, "", `Fields 'a' conflict`},
		{"unknown fragment", `{ book { ...F } }`, "", `Unknown fragment 'F'.`},
		{"fragment of another type", `{ book { ...F } } fragment F on Author { name }`, "", `can never be of type 'Author'`},
		{"unknown directive", `query @x { book { title } }`, "", `Unknown directive '@x'.`},
		{"two operations", `query A { book { title } } query B { book { pages } }`, "", `Must provide operation name`},
		{"not GraphQL", "{ book {\n title %", "", `Syntax Error: Unexpected character: '%'. (line 2)`},
		{"nothing", ``, "", `Syntax Error: Unexpected `},
		{"cut off", `{ book(input: {title: "x`, "", `Unterminated string`},
		{"introspection", `{ __schema { types { name } } }`, "", `Cannot query field '__schema' on type 'Query'.`},
	} {
		r := graphql.Request{Query: c.query}
		if c.variables != "" {
			d := json.NewDecoder(strings.NewReader(c.variables))
			d.UseNumber()
			if err := d.Decode(&r.Variables); err != nil {
				t.Fatal(err)
			}
		}
		if got := ask(t, r); got != c.want && (strings.HasPrefix(c.want, "{") || !strings.Contains(got, c.want) || !strings.HasPrefix(got, `{"data":null,`) && !strings.Contains(got, ":null},")) {
			t.Errorf("%s: got %s\nwant %s", c.name, got, c.want)
		}
	}
	r := graphql.Request{Query: `query A { book { title } } query B { book { sold } }`, OperationName: "B"}
	if got, want := ask(t, r), `{"data":{"book":{"sold":false}},"errors":null}`; got != want {
		t.Errorf("operation B: got %s", got)
	}
}

// What is too much is refused before anything is done.
func TestBounds(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	deep := strings.Repeat("author { best { ", 6) + "title" + strings.Repeat(" } }", 6)
	for name, c := range map[string]struct{ query, want string }{
		"aliases":           {"{ " + many(11, "a%d: broken { title } ") + "}", "at most 10 root fields, got 11 root fields"},
		"aliases below":     {"{ broken { " + many(11, "a%d: title ") + "} }", "at most 10 aliases, got 11 aliases"},
		"aliases in pieces": {"{ broken { " + many(11, "... { a%d: title } ") + "} }", "at most 10 aliases, got 11 aliases"},
		"root fields":       {"{ " + many(11, "...F%d ") + "} " + many(11, "fragment F%[1]d on Query { a%[1]d: broken { title } } "), "at most 10 root fields"},
		"depth":             {"{ broken { " + deep + " } }", "Query exceeds maximum depth of 10"},
		"selections":        {"{ broken { " + strings.Repeat("title ", 1001) + "} }", "Query exceeds maximum total selections of 1000"},
		"cycle":             {"{ broken { ...F } } fragment F on Book { author { best { ...F } } }", "Query exceeds maximum depth of 10"},
		"cycle at a level":  {"{ broken { ...F } } fragment F on Book { ...F title }", "within itself"},
		"brackets":          {"{ broken(x: " + strings.Repeat("[", 100000/2), "Query is longer than 65536 bytes"},
		"nested brackets":   {"{ broken(x: " + strings.Repeat("[", 1000), "Nested deeper than 50 levels"},
		"resolvers":         {"{ books(n: 2001) { author { name } } }", "Query resolves more than 2000 values"},
	} {
		query := c.query
		if name == "brackets" {
			query += strings.Repeat("[", graphql.MaxQuery)
		}
		if got := ask(t, graphql.Request{Query: query}); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %.300s\nwant %s", name, got, c.want)
		}
	}
}

// Fragments that spread others twice double with every one; the answer must not.
func TestFragmentsThatDouble(t *testing.T) {
	var b strings.Builder
	b.WriteString("{ broken { ...F0 } }")
	for i := range 100 {
		fmt.Fprintf(&b, " fragment F%d on Book { ...F%d ...F%[2]d author { best { ...F%[2]d } } }", i, i+1)
	}
	b.WriteString(" fragment F100 on Book { title }")
	if got := ask(t, graphql.Request{Query: b.String()}); !strings.Contains(got, "Query exceeds maximum") {
		t.Errorf("got %.300s", got)
	}
}

func TestSchemasThatAreWrong(t *testing.T) {
	for source, want := range map[string]string{
		"type Query { a: Nope } type Mutation { b: Int }": "unknown type Nope",
		"type Query { a: Int }":                           "no type Mutation",
		"type Query { a Int }":                            "Unexpected",
		"kind Query { a: Int }":                           "Unexpected",
	} {
		if _, err := graphql.NewSchema(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}

// Whatever the query, there is an answer.
func FuzzQueries(f *testing.F) {
	for _, seed := range []string{
		`query Q($i: BookInput) @component(name: "x") { a: book(input: $i) { ...F ... on Book { tags } } } fragment F on Book { title @skip(if: true) }`,
		`{ book(input: {title: "\u00e9", pages: -12, genre: VERSE, tags: [null, "x"]}) { price } }`,
		`mutation($t: String! = """x""") { shelve(title: $t) }`, "{ books(n: 3) { author { best { author { name } } } } } # end",
	} {
		f.Add(seed, `{"i":{"title":"x"}}`)
	}
	s := newSchema(f)
	f.Fuzz(func(t *testing.T, query, variables string) {
		r := graphql.Request{Query: query}
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if d.Decode(&r.Variables) != nil {
			return
		}
		if strings.Contains(query, "books") {
			return // asks for lists of any length
		}
		if _, err := json.Marshal(s.Do(t.Context(), r, resolvers)); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	})
}
