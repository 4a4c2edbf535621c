package search

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what Filter and Order take.
const (
	MaxLength     = 1 << 16 // bytes of a filter
	MaxConditions = 50
	MaxPattern    = 10000 // bytes of a LIKE pattern
)

// Filter parses a filter string; blank means no condition. The error is an *Error.
func (l *Language) Filter(input string) ([]Condition, error) {
	if len(input) > MaxLength {
		return nil, &Error{fmt.Sprintf("The filter string is longer than %d characters", MaxLength), input[:0], 0}
	}
	tokens, bad := tokenize(input)
	if bad != nil {
		return nil, bad
	}
	p := parser{language: l, input: input, tokens: tokens}
	conditions, err := p.filter()
	if err != nil {
		return nil, err
	}
	if len(conditions) > MaxConditions {
		return nil, &Error{fmt.Sprintf("The filter string has %d conditions, more than %d", len(conditions), MaxConditions), input, 0}
	}
	return conditions, nil
}

type parser struct {
	language *Language
	input    string
	tokens   []token
	next     int
}

func (p *parser) fail(at int, format string, args ...any) error {
	return &Error{fmt.Sprintf(format, args...), p.input, at}
}

// filter parses conditions joined by AND. Like MLflow's parser it goes on after
// a token that belongs to no condition, to name all of them.
func (p *parser) filter() ([]Condition, error) {
	var conditions []Condition
	var strays []token
	var misplaced *token
	joined := true // at the beginning, and after AND
	for p.next < len(p.tokens) {
		t := p.tokens[p.next]
		switch {
		case t.is("AND"):
			if joined && misplaced == nil {
				misplaced = &t
			}
			joined = true
			p.next++
		case p.atComparison():
			if !joined && misplaced == nil {
				misplaced = &t
			}
			c, err := p.comparison()
			if err != nil && len(strays) == 0 {
				return nil, err
			}
			conditions = append(conditions, c)
			joined = false
		default:
			strays = append(strays, t)
			p.next++
		}
	}
	if len(strays) > 0 {
		texts := make([]string, len(strays))
		for i, t := range strays {
			texts[i] = "'" + t.text + "'"
		}
		return nil, p.fail(strays[0].at, "Invalid clause(s) in filter string: %s", strings.Join(texts, ", "))
	}
	if misplaced == nil && joined && len(p.tokens) > 0 {
		misplaced = &p.tokens[len(p.tokens)-1]
	}
	if misplaced != nil {
		return nil, p.fail(misplaced.at, "Invalid clause(s) in filter string: '%s'. Conditions are joined by AND", misplaced.text)
	}
	return conditions, nil
}

// atComparison reports whether the next tokens are a name, an operator and a
// value.
func (p *parser) atComparison() bool {
	left := p.tokens[p.next]
	if left.kind != word && left.kind != quoted {
		return false
	}
	_, length := p.operator(p.next + 1)
	if length == 0 {
		return false
	}
	op, _ := p.operator(p.next + 1)
	if op == IsNull || op == IsNotNull {
		return true
	}
	right := p.next + 1 + length
	return right < len(p.tokens) && p.tokens[right].kind != symbol && !p.tokens[right].is("AND")
}

// operator returns the operator at the token numbered i, and of how many tokens
// it is: 0 when there is none. The operator may be one that nobody supports.
func (p *parser) operator(i int) (Op, int) {
	is := func(offset int, keyword string) bool {
		return i+offset < len(p.tokens) && p.tokens[i+offset].is(keyword)
	}
	switch {
	case i >= len(p.tokens):
		return "", 0
	case p.tokens[i].kind == symbol:
		return Op(p.tokens[i].text), 1
	case is(0, "NOT") && is(1, "IN"):
		return NotIn, 2
	case is(0, "IS") && is(1, "NULL"):
		return IsNull, 2
	case is(0, "IS") && is(1, "NOT") && is(2, "NULL"):
		return IsNotNull, 3
	case is(0, "LIKE"), is(0, "ILIKE"), is(0, "RLIKE"), is(0, "IN"):
		return Op(strings.ToUpper(p.tokens[i].text)), 1
	}
	return "", 0
}

// comparison parses the comparison that atComparison has seen.
func (p *parser) comparison() (Condition, error) {
	left := p.tokens[p.next]
	op, length := p.operator(p.next + 1)
	opAt := p.tokens[p.next+1].at
	p.next += 1 + length
	var right token
	if op != IsNull && op != IsNotNull {
		right = p.tokens[p.next]
		p.next++
	}
	kind, key, err := p.name(left)
	if err != nil {
		return Condition{}, err
	}
	c := Condition{Field: Field{kind, key}, Op: op, Numeric: kind == Metric}
	allowed, integer := p.language.ops[kind], false
	switch kind {
	case Attribute:
		a, ok := p.language.attributes[key]
		if !ok {
			return Condition{}, p.invalidKey(left, "attribute", key, keys(p.language.attributes))
		}
		c.Key, c.Numeric, allowed, integer = a.name, a.numeric, a.ops, a.integer
	case Dataset:
		if known := []string{"name", "digest", "context"}; !slices.Contains(known, key) {
			return Condition{}, p.invalidKey(left, "dataset", key, known)
		}
	}
	if !slices.Contains(allowed, op) {
		return Condition{}, p.refuse(c, opAt, right, allowed)
	}
	err = p.value(&c, right, integer)
	return c, err
}

func keys[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}

func (p *parser) invalidKey(t token, what, key string, valid []string) error {
	return p.fail(t.at, "Invalid %s key '%s' specified. Valid keys are '%s'", what, key, set(valid))
}

// name splits a token such as metrics.`a b` into kind and key.
func (p *parser) name(t token) (Kind, string, error) {
	entity, key, dotted := strings.Cut(t.text, ".")
	if t.kind == quoted || !dotted || strings.HasPrefix(t.text, "`") {
		return Attribute, unquote(t.text), nil
	}
	kind, ok := p.language.kinds[entity]
	if !ok {
		return 0, "", p.fail(t.at, "Invalid entity type '%s'. Valid values are %s", entity, p.language.entities())
	}
	if key = unquote(key); key == "" {
		return 0, "", p.fail(t.at, "Invalid identifier '%s'. Expected '%s.<key>'", t.text, entity)
	}
	return kind, key, nil
}

// refuse explains that c's operator does not go with its field.
func (p *parser) refuse(c Condition, at int, right token, allowed []Op) error {
	switch {
	case c.Op == IsNull || c.Op == IsNotNull:
		return p.fail(at, "IS NULL / IS NOT NULL is only supported for tags and params, not for '%s' '%s'", c.Kind, c.Key)
	case (c.Op == In || c.Op == NotIn) && c.Kind == Attribute && !c.Numeric:
		return p.fail(at, "Only %s attributes support comparison with a list of quoted string values.", p.language.listable())
	case (c.Op == In || c.Op == NotIn) && !c.Numeric:
		return p.fail(right.at, "Expected a quoted string value for %s (e.g. 'my-value'). Got value %s", c.Kind, right.text)
	}
	return p.fail(at, "Invalid comparator '%s' not one of '%s'", c.Op, set(allowed))
}

// value reads the right side of c.
func (p *parser) value(c *Condition, t token, integer bool) error {
	switch {
	case c.Op == IsNull || c.Op == IsNotNull:
		return nil
	case c.Op == In || c.Op == NotIn:
		var err error
		c.List, err = p.list(t)
		return err
	case c.Numeric:
		number, err := strconv.ParseFloat(t.text, 64)
		if t.kind != numeral || err != nil {
			if c.Kind == Metric {
				return p.fail(t.at, "Expected numeric value type for metric. Found %s", t.text)
			}
			return p.fail(t.at, "Expected numeric value type for numeric attribute: %s. Found %s", c.Key, t.text)
		}
		if integer && number != math.Trunc(number) {
			return p.fail(t.at, "Invalid value for numeric attribute '%s': %s", c.Key, t.text)
		}
		c.Number = number
		return nil
	case t.kind == quoted:
		c.Text = unquote(t.text)
		if (c.Op == Like || c.Op == ILike) && len(c.Text) > MaxPattern {
			return p.fail(t.at, "The pattern is longer than %d characters", MaxPattern)
		}
		return nil
	case c.Kind == Attribute && t.kind == word:
		return p.fail(t.at, "Parameter value is either not quoted or unidentified quote types used for string value %s. "+
			"Use either single or double quotes.", t.text)
	case c.Kind == Attribute:
		return p.fail(t.at, "Expected a quoted string value for attributes. Got value %s", t.text)
	}
	return p.fail(t.at, "Expected a quoted string value for %s (e.g. 'my-value'). Got value %s", c.Kind, t.text)
}

// list reads ('a', "b").
func (p *parser) list(t token) ([]string, error) {
	if t.kind != group {
		return nil, p.fail(t.at, "While parsing a list in the query, expected a list in parentheses, but got %s", t.text)
	}
	var items []string
	tokens, bad := tokenize(t.text[1 : len(t.text)-1])
	if bad != nil {
		return nil, p.fail(t.at+1+bad.Offset, "While parsing a list in the query, expected quoted strings, but got %s", t.text)
	}
	for i, item := range tokens {
		if comma := i%2 == 1; comma && item.text == "," {
			continue
		} else if comma || item.kind != quoted {
			return nil, p.fail(t.at+1+item.at, "While parsing a list in the query, expected string value, punctuation, "+
				"or whitespace, but got different type in list: %s", t.text)
		}
		items = append(items, unquote(item.text))
	}
	if len(items) == 0 {
		return nil, p.fail(t.at, "While parsing a list in the query, expected a non-empty list of string values, but got empty list")
	}
	return items, nil
}
