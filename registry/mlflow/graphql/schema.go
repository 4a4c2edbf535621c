package graphql

import (
	"fmt"
	"maps"
	"slices"
)

// Schema says which fields there are. It is safe for concurrent use.
type Schema struct {
	types      map[string]*definition
	directives map[string]bool
}

// definition is a type: an object or input with fields, or, without, a scalar
// or an enum with values.
type definition struct {
	kind   string // type, input, enum or scalar
	name   string
	fields map[string]*field
	values map[string]bool
}

type field struct {
	name      string
	of        typeRef
	arguments map[string]typeRef
}

var builtIn = []string{"String", "Int", "Float", "Boolean", "ID", LongString}

// LongString is the scalar of 64-bit integers, which are texts in answers
// because JavaScript would round them.
const LongString = "LongString"

// NewSchema reads a schema: types, inputs and enums, with Query and Mutation
// being where queries and mutations begin, and the names of directives that
// queries may carry and that do nothing.
func NewSchema(source string, ignoredDirectives ...string) (*Schema, error) {
	s := &Schema{types: map[string]*definition{}, directives: map[string]bool{"skip": true, "include": true}}
	for _, name := range builtIn {
		s.types[name] = &definition{kind: "scalar", name: name}
	}
	for _, name := range ignoredDirectives {
		s.directives[name] = true
	}
	p := parser{lexer: lexer{rest: source, line: 1}}
	for p.advance(); p.err == nil && p.now.kind != end; {
		d := p.definition()
		s.types[d.name] = d
	}
	if p.err != nil {
		return nil, fmt.Errorf("read schema: %w", p.err)
	}
	return s, s.complete()
}

func (p *parser) definition() *definition {
	d := &definition{kind: p.name(), fields: map[string]*field{}, values: map[string]bool{}}
	d.name = p.name()
	p.expect("{")
	for p.open() && !p.accept("}") {
		if d.kind == "enum" {
			d.values[p.name()] = true
			continue
		}
		f := &field{name: p.name(), arguments: map[string]typeRef{}}
		if p.accept("(") {
			for p.open() && !p.accept(")") {
				name := p.name()
				p.expect(":")
				f.arguments[name] = p.typeRef()
			}
		}
		p.expect(":")
		f.of = p.typeRef()
		d.fields[f.name] = f
	}
	if !slices.Contains([]string{"type", "input", "enum"}, d.kind) {
		p.unexpected()
	}
	return d
}

// complete returns an error unless every type that is used is there.
func (s *Schema) complete() error {
	for _, name := range slices.Sorted(maps.Keys(s.types)) {
		for _, f := range s.types[name].fields {
			uses := append(slices.Collect(maps.Values(f.arguments)), f.of)
			for _, use := range uses {
				if s.types[use.name] == nil {
					return fmt.Errorf("read schema: %s.%s is of unknown type %s", name, f.name, use.name)
				}
			}
		}
	}
	for _, root := range []string{"Query", "Mutation"} {
		if s.types[root] == nil {
			return fmt.Errorf("read schema: it has no type %s", root)
		}
	}
	return nil
}
