package graphql

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Request is a query as clients send it.
type Request struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables"` // numbers as json.Number
	OperationName string         `json:"operationName"`
}

// Response is the answer to a query, in the form that MLflow gives it: errors
// are plain texts.
type Response struct {
	Data   any      `json:"data"`
	Errors []string `json:"errors"`
}

// Resolve returns the value of a field: a JSON value, objects being
// map[string]any with names in snake case (as those of the arguments are),
// numbers json.Number. The parent is the object the field is of; nil for the
// fields of Query and Mutation.
type Resolve func(ctx context.Context, parent, arguments map[string]any) (any, error)

// Do answers a query. The resolvers have names such as "Query.run"; a field
// without one has the value that its parent has for it, or the zero value of
// its type when the parent says nothing. An error of a resolver makes its field
// null and is among the errors.
func (s *Schema) Do(ctx context.Context, r Request, resolvers map[string]Resolve) Response {
	e := &execution{ctx: ctx, schema: s, resolvers: resolvers}
	data, err := e.do(r)
	if err != nil {
		return Response{Errors: []string{err.Error()}}
	}
	return Response{data, e.errors}
}

type execution struct {
	ctx       context.Context
	schema    *Schema
	resolvers map[string]Resolve
	doc       *document
	variables map[string]any
	resolved  int
	errors    []string
}

func (e *execution) do(r Request) (any, error) {
	if len(r.Query) > MaxQuery {
		return nil, fmt.Errorf("Query is longer than %d bytes", MaxQuery)
	}
	doc, err := parse(r.Query)
	if err != nil {
		return nil, err
	}
	if err := checkBounds(doc); err != nil {
		return nil, err
	}
	e.doc = doc
	i := slices.IndexFunc(doc.operations, func(o *operation) bool { return r.OperationName == "" || o.name == r.OperationName })
	switch {
	case i < 0:
		return nil, fmt.Errorf("Unknown operation named '%.100s'.", r.OperationName)
	case r.OperationName == "" && len(doc.operations) > 1:
		return nil, fmt.Errorf("Must provide operation name if query contains multiple operations.")
	}
	o := doc.operations[i]
	root := e.schema.types["Query"]
	if o.kind == "mutation" {
		root = e.schema.types["Mutation"]
	}
	if e.variables, err = e.schema.variables(o, r.Variables); err != nil {
		return nil, err
	}
	if err := e.check(o, root); err != nil {
		return nil, err
	}
	return e.object(root, o.selections, nil)
}

// object returns the selected fields of an object that has these values.
func (e *execution) object(of *definition, selections []selection, values map[string]any) (map[string]any, error) {
	object := map[string]any{}
	for _, same := range e.collect(selections) {
		s := same[0]
		if s.name == "__typename" {
			object[s.key()] = of.name
			continue
		}
		f := of.fields[s.name]
		value, err := e.value(of, f, s, values)
		if err != nil {
			e.errors = append(e.errors, err.Error())
			object[s.key()] = nil
			continue
		}
		var below []selection
		for _, s := range same {
			below = append(below, s.selections...)
		}
		if object[s.key()], err = e.complete(f.of, below, value); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// missing is the value that a parent says nothing about.
type missing struct{}

func (e *execution) value(of *definition, f *field, s *selection, parent map[string]any) (any, error) {
	resolve := e.resolvers[of.name+"."+f.name]
	if resolve == nil {
		if value, there := parent[snake(f.name)]; there {
			return value, nil
		}
		return missing{}, nil
	}
	if e.resolved++; e.resolved > maxResolved {
		return nil, fmt.Errorf("Query resolves more than %d values", maxResolved)
	}
	arguments, err := e.schema.arguments(f, s.arguments, e.variables)
	if err != nil {
		return nil, err
	}
	if err := e.ctx.Err(); err != nil {
		return nil, err
	}
	return resolve(e.ctx, parent, arguments)
}

// complete makes a value what its type says.
func (e *execution) complete(of typeRef, below []selection, value any) (any, error) {
	d := e.schema.types[of.name]
	_, none := value.(missing)
	switch {
	case of.list:
		items, _ := value.([]any)
		list := make([]any, len(items))
		for i, item := range items {
			var err error
			if list[i], err = e.complete(typeRef{name: of.name}, below, item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case d.kind == "type":
		values, ok := value.(map[string]any)
		if !ok && !none {
			return nil, nil
		}
		return e.object(d, below, values)
	case none:
		return zero[d.name], nil
	}
	return scalar(d.name, value), nil
}

// zero is what a parent that says nothing about a scalar means; null for enums.
var zero = map[string]any{"String": "", "ID": "", "Boolean": false, "Int": 0, "Float": 0.0, LongString: "0"}

// scalar returns a value as answers have it: long integers as texts, and null
// for what is no number where one should be.
func scalar(of string, value any) any {
	number, isNumber := value.(json.Number)
	switch {
	case of == LongString && isNumber:
		return number.String()
	case of == "Float" && !isNumber:
		return nil
	}
	return value
}

// collect returns the fields to answer, those of one key together.
func (e *execution) collect(selections []selection) [][]*selection {
	var groups [][]*selection
	at := map[string]int{}
	seen := map[string]bool{}
	var add func([]selection)
	add = func(selections []selection) {
		for i := range selections {
			s := &selections[i]
			switch {
			case e.skips(s.directives):
			case s.inline:
				add(s.selections)
			case s.spread != "":
				if !seen[s.spread] {
					seen[s.spread] = true
					add(e.doc.fragments[s.spread].selections)
				}
			default:
				if j, there := at[s.key()]; there {
					groups[j] = append(groups[j], s)
					continue
				}
				at[s.key()] = len(groups)
				groups = append(groups, []*selection{s})
			}
		}
	}
	add(selections)
	return groups
}

func (e *execution) skips(directives []directive) bool {
	for _, d := range directives {
		for _, a := range d.arguments {
			holds, _ := a.value.(bool)
			if ref, ok := a.value.(variableRef); ok {
				holds, _ = e.variables[string(ref)].(bool)
			}
			if a.name == "if" && (d.name == "skip" && holds || d.name == "include" && !holds) {
				return true
			}
		}
	}
	return false
}

// snake returns a name like artifactUri as artifact_uri.
func snake(camel string) string {
	var b strings.Builder
	for _, r := range camel {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
