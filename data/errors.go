package data

import (
	"fmt"
	"strings"
)

// NotPublishedError says that TLC has not published a month, as far as anyone
// can tell: the server answered, and answered for other months.
type NotPublishedError struct {
	Taxi   Taxi
	Month  Month
	Newest Month // the newest month that is published; zero when not known
	URL    string
	Status int // HTTP status of the answer
}

func (e *NotPublishedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s is not published", e.Taxi, e.Month)
	first := e.Taxi.first()
	early := e.Month.Compare(first) < 0
	if !early {
		b.WriteString(" yet")
	}
	fmt.Fprintf(&b, " (%s answered %d", e.URL, e.Status)
	if !e.Newest.IsZero() {
		fmt.Fprintf(&b, "; %s is the newest there", e.Newest)
	}
	b.WriteString(")")
	if early {
		fmt.Fprintf(&b, "; TLC's %s files begin with %s", e.Taxi, first)
		return b.String()
	}
	fmt.Fprintf(&b, "; TLC publishes about two months late: expect it about %s-15", e.Month.Add(2))
	if !e.Newest.IsZero() {
		fmt.Fprintf(&b, ", or take the newest pair with --date latest")
	}
	return b.String()
}

// NetworkError says that a month could not be fetched for a reason that says
// nothing about the month: no connection, a server's trouble, throttling.
type NetworkError struct {
	URL       string
	Attempts  int
	Throttled bool // the server refused months that are known to exist as well
	Err       error
}

func (e *NetworkError) Error() string {
	what := "fetch"
	if e.Throttled {
		what = "fetch (the server refuses us for now: wait some minutes)"
	}
	if e.Attempts > 1 {
		what = "gave up after " + count(e.Attempts, "attempt") + " to " + what
	}
	return fmt.Sprintf("%s %s: %v; put the file into a directory named by --data to do without the network", what, e.URL, e.Err)
}

// Unwrap returns the error of the last attempt.
func (e *NetworkError) Unwrap() error { return e.Err }

// CorruptError says that a file is no whole Parquet file, or not the one it was
// when it was identified.
type CorruptError struct {
	Path   string
	Size   int64  // bytes there are
	Detail string // what is wrong
	Err    error  // the cause, where there is one
}

func (e *CorruptError) Error() string {
	cause := ""
	if e.Err != nil {
		cause = fmt.Sprintf(": %v", e.Err)
	}
	return fmt.Sprintf("%s (%s) is corrupt: %s%s", e.Path, count(int(e.Size), "byte"), e.Detail, cause)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// SchemaError says that a file lacks a column we need, or has it in a type that
// cannot mean what we need.
type SchemaError struct {
	Path    string
	Column  string   // the name looked for first
	Aliases []string // the other names that would have done
	Want    string   // types that would have done; empty when the column is missing
	Got     string   // the type there is; empty likewise
	Columns []string // the columns there are, in file order
}

func (e *SchemaError) Error() string {
	if e.Got != "" {
		return fmt.Sprintf("%s: column %s is %s, want %s", e.Path, e.Column, e.Got, e.Want)
	}
	or := ""
	if len(e.Aliases) > 0 {
		or = " (also known as " + strings.Join(e.Aliases, ", ") + ")"
	}
	return fmt.Sprintf("%s: column %s%s is missing; there are %s: give a file of TLC's green or yellow trip records",
		e.Path, e.Column, or, strings.Join(e.Columns, ", "))
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
