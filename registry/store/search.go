package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/search"
)

// source says in which columns the fields of a search language are.
type source struct {
	language   *search.Language
	table      string                  // with its alias
	one        string                  // the condition that finds one item
	attributes map[string]string       // column expressions, by canonical name
	nullable   map[string]bool         // the attributes that an item may lack
	details    map[search.Kind]details // where keyed fields are
}

// details is a table with the columns key and value; that of datasets has name,
// digest and context.
type details struct {
	table string
	match string // how a row x of it belongs to the item
}

// selection is a compiled search: SELECT … FROM … joins WHERE … ORDER BY ….
type selection struct {
	joins, where        []string
	joinArgs, whereArgs []any
	order               []term
	begins              []any // after these values of the order; nil: at the beginning
	limit               int
}

// clauses returns the statement's end and its arguments. One row more than the
// limit is asked for, to know whether there is a next page.
func (s *selection) clauses() (string, []any) {
	order := make([]string, len(s.order))
	for i, t := range s.order {
		order[i] = t.String()
	}
	text := strings.Join(s.joins, "") + " WHERE " + strings.Join(s.where, " AND ") + " ORDER BY " + strings.Join(order, ", ") + " LIMIT ?"
	return text, slices.Concat(s.joinArgs, s.whereArgs, []any{s.limit + 1})
}

func (s *selection) and(condition string, args ...any) {
	s.where = append(s.where, condition)
	s.whereArgs = append(s.whereArgs, args...)
}

// compile parses a search over src. Items that the order leaves equal come in
// the order of tie.
func compile(src source, filter string, orderBy []string, token string, limit int, tie ...term) (*selection, []search.Condition, error) {
	conditions, err := src.language.Filter(filter)
	if err != nil {
		return nil, nil, invalid(err)
	}
	orders, err := src.language.Order(orderBy)
	if err != nil {
		return nil, nil, invalid(err)
	}
	s := &selection{where: []string{"true"}, limit: limit}
	for i, o := range orders {
		s.by(src, i, o)
	}
	s.order = append(s.order, tie...)
	if s.begins, err = decodeToken(token, len(s.order)); s.begins != nil {
		s.after(s.begins)
	}
	return s, conditions, err
}

// invalid makes a mistake in a filter one that a client can act on.
func invalid(err error) error {
	if e, ok := errors.AsType[*search.Error](err); ok {
		return &registry.Error{Code: registry.InvalidParameterValue, Message: e.Message, Err: e}
	}
	return err
}

// filter adds the conditions.
func (s *selection) filter(src source, conditions []search.Condition) {
	for _, c := range conditions {
		if c.Kind == search.Attribute {
			s.and(compare(src.attributes[c.Key], c), argument(c)...)
		} else {
			s.detail(src.details[c.Kind], c)
		}
	}
}

// detail adds a condition on a keyed field. One that an item lacks satisfies
// only IS NULL; a metric that is NaN satisfies only !=.
func (s *selection) detail(d details, c search.Condition) {
	rows := fmt.Sprintf("SELECT 1 FROM %s x WHERE %s", d.table, d.match)
	switch {
	case c.Kind == search.Dataset:
		s.and(fmt.Sprintf("EXISTS (%s AND %s)", rows, compare("x."+c.Key, c)), argument(c)...)
	case c.Op == search.IsNull:
		s.and(fmt.Sprintf("NOT EXISTS (%s AND x.key = ?)", rows), c.Key)
	case c.Op == search.IsNotNull:
		s.and(fmt.Sprintf("EXISTS (%s AND x.key = ?)", rows), c.Key)
	case c.Kind == search.Metric && c.Op == search.NotEqual:
		s.and(fmt.Sprintf("EXISTS (%s AND x.key = ? AND (x.is_nan OR x.value != ?))", rows), c.Key, c.Number)
	case c.Kind == search.Metric:
		s.and(fmt.Sprintf("EXISTS (%s AND x.key = ? AND NOT x.is_nan AND %s)", rows, compare("x.value", c)), c.Key, c.Number)
	default:
		s.and(fmt.Sprintf("EXISTS (%s AND x.key = ? AND %s)", rows, compare("x.value", c)), append([]any{c.Key}, argument(c)...)...)
	}
}

// compare returns the comparison of a column with the parameter that argument returns.
func compare(column string, c search.Condition) string {
	switch c.Op {
	case search.Like:
		return column + " GLOB ?" // SQLite's LIKE does not mind upper and lower case
	case search.ILike:
		return column + " LIKE ?"
	case search.In, search.NotIn:
		return column + " " + string(c.Op) + " (SELECT value FROM json_each(?))"
	}
	return column + " " + string(c.Op) + " ?"
}

func argument(c search.Condition) []any {
	switch {
	case c.Op == search.In || c.Op == search.NotIn:
		return []any{jsonList(c.List)}
	case c.Numeric:
		return []any{c.Number}
	case c.Op == search.Like:
		return []any{glob(c.Text)}
	}
	return []any{c.Text}
}

var globbed = strings.NewReplacer("%", "*", "_", "?", "*", "[*]", "?", "[?]", "[", "[[]")

// glob turns a LIKE pattern into a GLOB pattern.
func glob(like string) string { return globbed.Replace(like) }

// by adds a key to sort by. Whatever the direction, NaN comes after numbers and
// what is missing comes last.
func (s *selection) by(src source, i int, o search.Order) {
	if o.Kind == search.Attribute {
		column := src.attributes[o.Key]
		if src.nullable[o.Key] {
			s.order = append(s.order, term{"(" + column + " IS NULL)", false})
		}
		s.order = append(s.order, term{column, o.Descending})
		return
	}
	d, name := src.details[o.Kind], fmt.Sprintf("o%d", i)
	s.joins = append(s.joins, fmt.Sprintf(" LEFT JOIN %s %s ON %s AND %[2]s.key = ?", d.table, name, strings.ReplaceAll(d.match, "x.", name+".")))
	s.joinArgs = append(s.joinArgs, o.Key)
	s.order = append(s.order, term{"(" + name + ".value IS NULL)", false})
	if o.Kind == search.Metric {
		s.order = append(s.order, term{name + ".is_nan", false})
	}
	s.order = append(s.order, term{name + ".value", o.Descending})
}
