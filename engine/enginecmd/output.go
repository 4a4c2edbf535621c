package enginecmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"golang.org/x/term"
)

// Output is stdout, and remembers when it could not be written to.
type Output struct {
	*os.File
	err error
}

func (o *Output) Write(b []byte) (int, error) {
	n, err := o.File.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// formats are what -o takes.
var formats = []string{"text", "json", "yaml"}

// PrintJSON prints the one object of --json, or of -o yaml in the words of that.
func (a *App) PrintJSON(v any) error {
	a.said = true
	if a.Output == "yaml" {
		return a.printYAML(v)
	}
	enc := json.NewEncoder(a.Out)
	enc.SetEscapeHTML(false)
	if term.IsTerminal(int(a.Out.Fd())) {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// printYAML prints v as its JSON would be, in YAML.
func (a *App) printYAML(v any) error {
	var encoded bytes.Buffer
	enc := json.NewEncoder(&encoded)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	var text []byte
	if err == nil {
		text, err = yaml.JSONToYAML(encoded.Bytes())
	}
	if err != nil {
		return fmt.Errorf("print as YAML: %w", err)
	}
	_, err = a.Out.Write(text)
	return err
}

// Table prints rows in columns, the first row being the head.
func (a *App) Table(rows [][]string) {
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
		fmt.Fprintln(a.Out, strings.TrimRight(line.String(), " "))
	}
}

// Show prints v as JSON if that is asked for, and else what people does.
func (a *App) Show(v any, people func()) error {
	if a.JSON {
		return a.PrintJSON(v)
	}
	people()
	return nil
}

// Ago prints how long ago t was.
func Ago(t time.Time) string {
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

// Seconds prints a duration given in seconds.
func Seconds(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.2f s", s)
	}
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

// OrEmpty makes an empty list [] in JSON, and not null.
func OrEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
