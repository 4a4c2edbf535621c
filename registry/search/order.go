package search

import (
	"fmt"
	"slices"
	"strings"
)

// Order parses order-by clauses, each a field and optionally ASC or DESC. The
// error is an *Error.
func (l *Language) Order(clauses []string) ([]Order, error) {
	if len(clauses) > MaxConditions {
		return nil, &Error{Message: fmt.Sprintf("There are %d order_by clauses, more than %d", len(clauses), MaxConditions)}
	}
	var orders []Order
	for _, clause := range clauses {
		o, err := l.orderBy(clause)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(orders, func(has Order) bool { return has.Field == o.Field }) {
			return nil, &Error{fmt.Sprintf("`order_by` contains duplicate fields: ['%s']", strings.Join(clauses, "', '")), clause, 0}
		}
		orders = append(orders, o)
	}
	return orders, nil
}

func (l *Language) orderBy(clause string) (Order, error) {
	if len(clause) > MaxLength {
		return Order{}, &Error{Message: fmt.Sprintf("An order_by clause is longer than %d characters", MaxLength)}
	}
	tokens, bad := tokenize(clause)
	p := parser{language: l, input: clause, tokens: tokens}
	if bad != nil || len(tokens) == 0 || len(tokens) > 2 {
		return Order{}, p.fail(0, "Invalid order_by clause '%s'. Could not be parsed.", clause)
	}
	o := Order{}
	if len(tokens) == 2 {
		o.Descending = tokens[1].is("DESC")
		if !o.Descending && !tokens[1].is("ASC") {
			return Order{}, p.fail(tokens[1].at, "Invalid ordering key in order_by clause '%s'.", clause)
		}
	}
	name := tokens[0]
	if name.kind != word && name.kind != quoted {
		return Order{}, p.fail(name.at, "Invalid order_by clause '%s'. Could not be parsed.", clause)
	}
	kind, key, err := p.name(name)
	if err != nil {
		return Order{}, err
	}
	switch kind {
	case Attribute:
		canonical, ok := l.order[key]
		if !ok {
			return Order{}, p.invalidKey(name, "attribute", key, keys(l.order))
		}
		key = canonical
	case Dataset:
		return Order{}, p.fail(name.at, "Invalid order_by clause '%s'. Datasets have no order.", clause)
	}
	o.Field = Field{kind, key}
	return o, nil
}
