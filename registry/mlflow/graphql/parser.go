package graphql

import "strconv"

// maxNesting bounds how deep a document may nest brackets of any kind; what
// MLflow allows of fields is less.
const maxNesting = 50

// parser reads tokens; its first error ends all reading.
type parser struct {
	lexer lexer
	now   token
	depth int
	err   error
}

func (p *parser) advance() {
	if p.err != nil {
		return
	}
	p.now, p.err = p.lexer.next()
	if p.err != nil {
		p.now = token{}
	}
}

func (p *parser) unexpected() {
	if p.err == nil {
		what := "<EOF>"
		if p.now.kind != end {
			what = strconv.Quote(p.now.value)
		}
		p.err = syntaxError(p.now.line, "Unexpected %.100s.", what)
	}
	p.now = token{}
}

// open tells whether a list may go on: the document is not at its end.
func (p *parser) open() bool {
	if p.now.kind == end {
		p.unexpected()
	}
	return p.err == nil
}

// deeper counts a level of nesting until the returned function is called.
func (p *parser) deeper() func() {
	if p.depth++; p.depth > maxNesting && p.err == nil {
		p.err = syntaxError(p.now.line, "Nested deeper than %d levels.", maxNesting)
		p.now = token{}
	}
	return func() { p.depth-- }
}

// at tells whether the token is this word or punctuation.
func (p *parser) at(word string) bool {
	return (p.now.kind == name || p.now.kind == punctuation) && p.now.value == word
}

func (p *parser) accept(word string) bool {
	found := p.at(word)
	if found {
		p.advance()
	}
	return found
}

func (p *parser) expect(word string) {
	if !p.accept(word) {
		p.unexpected()
	}
}

func (p *parser) name() string {
	if p.now.kind != name {
		p.unexpected()
		return ""
	}
	word := p.now.value
	p.advance()
	return word
}

func (p *parser) value() value {
	defer p.deeper()()
	word := p.now.value
	switch p.now.kind {
	case text:
		p.advance()
		return word
	case integer:
		p.advance()
		n, _ := strconv.ParseInt(word, 10, 64) // the lexer has tried
		return n
	case float:
		p.advance()
		f, _ := strconv.ParseFloat(word, 64)
		return f
	case name:
		p.advance()
		switch word {
		case "true", "false":
			return word == "true"
		case "null":
			return nullValue{}
		}
		return enumValue(word)
	}
	switch {
	case p.accept("$"):
		return variableRef(p.name())
	case p.accept("["):
		list := []any{}
		for p.open() && !p.accept("]") {
			list = append(list, p.value())
		}
		return list
	case p.accept("{"):
		object := map[string]any{}
		for p.open() && !p.accept("}") {
			key := p.name()
			p.expect(":")
			object[key] = p.value()
		}
		return object
	}
	p.unexpected()
	return nil
}

// typeRef is a use of a type: T, T!, [T], [T!]!.
type typeRef struct {
	name     string
	list     bool
	required bool // what the use as a whole says; not that of a list's items
}

func (p *parser) typeRef() (t typeRef) {
	if p.accept("[") {
		t.list = true
		t.name = p.name()
		p.accept("!")
		p.expect("]")
	} else {
		t.name = p.name()
	}
	t.required = p.accept("!")
	return t
}

func (t typeRef) String() string {
	s := t.name
	if t.list {
		s = "[" + s + "]"
	}
	if t.required {
		s += "!"
	}
	return s
}
