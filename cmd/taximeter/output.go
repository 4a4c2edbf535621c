package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// output is stdout, and remembers when it could not be written to.
type output struct {
	*os.File
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.File.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// printJSON prints the one object of --json.
func (a *app) printJSON(v any) error {
	a.said = true
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	if term.IsTerminal(int(a.out.Fd())) {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// table prints rows in columns, the first row being the head.
func (a *app) table(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		fmt.Fprintln(a.out, strings.TrimRight(line.String(), " "))
	}
}

// show prints v as JSON if that is asked for, and else what people does.
func (a *app) show(v any, people func()) error {
	if a.json {
		return a.printJSON(v)
	}
	people()
	return nil
}

// ago prints how long ago t was.
func ago(t time.Time) string {
	d := time.Since(t)
	switch {
	case t.IsZero():
		return "-"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return t.Local().Format("2006-01-02 15:04")
}

// seconds prints a duration given in seconds.
func seconds(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.2f s", s)
	}
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

// perRow prints a time a row, given in seconds.
func perRow(s float64) string {
	if s >= 1e-6 {
		return fmt.Sprintf("%.2f µs", s*1e6)
	}
	return fmt.Sprintf("%.1f ns", s*1e9)
}
