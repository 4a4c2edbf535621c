// Package search parses MLflow's filter and order-by language:
//
//	metrics.rmse < 6.5 AND params.`max depth` = '30' AND tags.note IS NOT NULL
//
// A filter is a list of conditions joined by AND; there is no OR and there are
// no parentheses. The package yields conditions whose names, operators and
// values are checked; it does not know what is searched, nor SQL.
package search

import (
	"fmt"
	"unicode/utf8"
)

// Kind is what a Field names.
type Kind int

// The kinds of fields.
const (
	Attribute Kind = iota // something every item has, such as start_time
	Metric
	Param
	Tag
	Dataset // the name, digest or context of an input
)

var kindNames = [...]string{"attribute", "metric", "parameter", "tag", "dataset"}

func (k Kind) String() string { return kindNames[k] }

// Field is one thing of an item that can be compared or sorted by. The key of
// an attribute is its canonical name (run_name for `Run name`).
type Field struct {
	Kind Kind
	Key  string
}

// Op is how a condition compares.
type Op string

// The operators. LIKE knows % and _ and minds upper and lower case; ILIKE does not.
const (
	Equal        Op = "="
	NotEqual     Op = "!="
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
	Like         Op = "LIKE"
	ILike        Op = "ILIKE"
	In           Op = "IN"
	NotIn        Op = "NOT IN"
	IsNull       Op = "IS NULL"
	IsNotNull    Op = "IS NOT NULL"
)

// Condition compares a field with a value: Number if the field is Numeric, List
// for In and NotIn, none for IsNull and IsNotNull, else Text.
type Condition struct {
	Field
	Op      Op
	Numeric bool
	Number  float64
	Text    string
	List    []string
}

// Order is one key to sort by.
type Order struct {
	Field
	Descending bool
}

// Error is a mistake in a filter or order-by clause.
type Error struct {
	Message string // in MLflow's words
	Input   string
	Offset  int // of the mistake in Input, in bytes
}

// Error says what is wrong and at which character, counted from 1.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (at character %d of %q)", e.Message, 1+utf8.RuneCountInString(e.Input[:e.Offset]), e.Input)
}
