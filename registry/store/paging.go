package store

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// term is one key of a search's order. Where it is NULL, so are all ties.
type term struct {
	column string
	desc   bool
}

func (t term) String() string {
	if t.desc {
		return t.column + " DESC"
	}
	return t.column
}

// from is the condition that the term is not before a value.
func (t term) from() string {
	if t.desc {
		return t.column + " <= ?"
	}
	return t.column + " >= ?"
}

// pageToken says after which item a page begins: its values of the order's
// terms. Unlike a count of items to skip it stays right when items come and go,
// and the last page costs what the first does.
type pageToken struct {
	After []any `json:"after"`
}

var badToken = registry.Errorf(registry.InvalidParameterValue, "Invalid page token, could not base64-decode")

func encodeToken(after []any) (string, error) {
	b, err := json.Marshal(pageToken{after})
	return base64.StdEncoding.EncodeToString(b), err
}

// decodeToken returns the values in a token, of which there must be n; none for
// the first page.
func decodeToken(token string, n int) ([]any, error) {
	if token == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return nil, badToken
	}
	var t pageToken
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&t); err != nil {
		return nil, badToken
	}
	if len(t.After) != n {
		return nil, registry.Errorf(registry.InvalidParameterValue, "Invalid page token: it belongs to a search with another order_by")
	}
	for i, value := range t.After {
		switch value := value.(type) {
		case nil, string:
		case json.Number:
			if t.After[i], err = number(value); err != nil {
				return nil, badToken
			}
		default:
			return nil, badToken
		}
	}
	return t.After, nil
}

func number(n json.Number) (any, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	return n.Float64()
}

// after keeps what comes after the values of the order's terms.
func (s *selection) after(values []any) {
	var either []string
	var args []any
	equal := ""
	var equalArgs []any
	for i, t := range s.order {
		beyond := t.column + " > ?"
		if t.desc {
			beyond = t.column + " < ?"
		}
		either = append(either, equal+beyond)
		args = append(append(args, equalArgs...), values[i])
		equal += t.column + " IS ? AND "
		equalArgs = append(equalArgs, values[i])
	}
	s.and("("+strings.Join(either, " OR ")+")", args...)
	if values[0] != nil { // once more, in the form that an index can begin from
		s.and(s.order[0].from(), values[0])
	}
}

// nextPage makes a page of found items, of which one more than the limit was
// asked for. The key of an item are the arguments of src.one.
func nextPage[T any](tx *sql.Tx, s *selection, src source, found []T, key func(T) []any) (registry.Page[T], error) {
	if len(found) <= s.limit {
		return registry.Page[T]{Items: found}, nil
	}
	found = found[:s.limit]
	columns, values := make([]string, len(s.order)), make([]any, len(s.order))
	into := make([]any, len(s.order))
	for i, t := range s.order {
		columns[i], into[i] = t.column, &values[i]
	}
	text := fmt.Sprintf("SELECT %s FROM %s%s WHERE %s", strings.Join(columns, ", "), src.table, strings.Join(s.joins, ""), src.one)
	args := append(s.joinArgs[:len(s.joinArgs):len(s.joinArgs)], key(found[len(found)-1])...)
	if err := tx.QueryRow(text, args...).Scan(into...); err != nil {
		return registry.Page[T]{}, fmt.Errorf("find where the next page begins: %w", err)
	}
	token, err := encodeToken(values)
	return registry.Page[T]{Items: found, NextPageToken: token}, err
}
