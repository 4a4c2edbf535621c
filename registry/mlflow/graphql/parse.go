package graphql

// document is a parsed query: operations and the fragments they use.
type document struct {
	operations []*operation
	fragments  map[string]*fragment
}

type operation struct {
	kind       string // query or mutation
	name       string
	variables  []variable
	directives []directive
	selections []selection
}

type variable struct {
	name     string
	of       typeRef
	standard value // nil: none
}

type fragment struct {
	name, on   string
	selections []selection
}

// selection is a field, or, where spread or inline is set, a fragment.
type selection struct {
	name, alias string
	arguments   []argument
	directives  []directive
	selections  []selection
	spread      string // name of a fragment
	inline      bool   // a fragment without a name
	on          string // the type an inline fragment is for; may be empty
}

// key is the name of a field's value in the answer.
func (s *selection) key() string {
	if s.alias != "" {
		return s.alias
	}
	return s.name
}

type directive struct {
	name      string
	arguments []argument
}

type argument struct {
	name  string
	value value
}

// value is a literal: string, int64, float64, bool, nullValue, enumValue,
// variableRef, []any or map[string]any.
type value = any

type (
	nullValue   struct{}
	enumValue   string
	variableRef string
)

func parse(source string) (*document, error) {
	p := parser{lexer: lexer{rest: source, line: 1}}
	doc := &document{fragments: map[string]*fragment{}}
	for p.advance(); p.err == nil && p.now.kind != end; {
		switch {
		case p.at("{"):
			doc.operations = append(doc.operations, &operation{kind: "query", selections: p.selections()})
		case p.at("query"), p.at("mutation"):
			doc.operations = append(doc.operations, p.operation())
		case p.at("fragment"):
			f := p.fragment()
			doc.fragments[f.name] = f
		default:
			p.unexpected()
		}
	}
	if p.err == nil && len(doc.operations) == 0 {
		p.unexpected()
	}
	return doc, p.err
}

func (p *parser) operation() *operation {
	o := &operation{kind: p.name()}
	if p.now.kind == name {
		o.name = p.name()
	}
	if p.accept("(") {
		for p.open() && !p.accept(")") {
			o.variables = append(o.variables, p.variable())
		}
	}
	o.directives = p.directives()
	o.selections = p.selections()
	return o
}

func (p *parser) variable() variable {
	p.expect("$")
	v := variable{name: p.name()}
	p.expect(":")
	v.of = p.typeRef()
	if p.accept("=") {
		v.standard = p.value()
	}
	p.directives()
	return v
}

func (p *parser) fragment() *fragment {
	p.expect("fragment")
	f := &fragment{name: p.name()}
	p.expect("on")
	f.on = p.name()
	p.directives()
	f.selections = p.selections()
	return f
}

func (p *parser) selections() []selection {
	defer p.deeper()()
	p.expect("{")
	var found []selection
	for p.open() && !p.accept("}") {
		found = append(found, p.selection())
	}
	if len(found) == 0 {
		p.unexpected()
	}
	return found
}

func (p *parser) selection() (s selection) {
	if p.accept("...") {
		if p.now.kind == name && p.now.value != "on" {
			s.spread = p.name()
			s.directives = p.directives()
			return s
		}
		s.inline = true
		if p.accept("on") {
			s.on = p.name()
		}
		s.directives = p.directives()
		s.selections = p.selections()
		return s
	}
	s.name = p.name()
	if p.accept(":") {
		s.alias, s.name = s.name, p.name()
	}
	s.arguments = p.arguments()
	s.directives = p.directives()
	if p.at("{") {
		s.selections = p.selections()
	}
	return s
}

func (p *parser) arguments() (found []argument) {
	if !p.accept("(") {
		return nil
	}
	for p.open() && !p.accept(")") {
		a := argument{name: p.name()}
		p.expect(":")
		a.value = p.value()
		found = append(found, a)
	}
	return found
}

func (p *parser) directives() (found []directive) {
	for p.accept("@") {
		found = append(found, directive{p.name(), p.arguments()})
	}
	return found
}
