package enginecmd

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// Exit codes. A program may have others.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// Error is an error with what to do about it, and the exit code it ends with.
type Error struct {
	Err   error
	Code  int
	Hints []string
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Usage is a mistake in how the command was called.
func Usage(format string, args ...any) *Error { return Failure(ExitUsage, fmt.Errorf(format, args...)) }

// Failure is an error that ends the program with a code.
func Failure(code int, err error) *Error { return &Error{Err: err, Code: code} }

// Hint adds to e what may help, and returns it.
func (e *Error) Hint(format string, args ...any) *Error {
	e.Hints = append(e.Hints, fmt.Sprintf(format, args...))
	return e
}

// Explain says with which code err ends the program, and what may help, as far as
// that does not depend on the flows.
func Explain(err error) (code int, hints []string) {
	var (
		known   *Error
		owned   *engine.OwnedError
		stopped Interrupted
	)
	switch {
	case errors.As(err, &known):
		return known.Code, known.Hints
	case errors.As(err, &stopped):
	case errors.As(err, &owned):
		return ExitFailed, []string{"wait for it, or end that process first"}
	case errors.Is(err, fs.ErrPermission):
		return ExitFailed, []string{"--home names another place to keep things in"}
	case errors.Is(err, sqlite.ErrForeign):
		return ExitFailed, []string{"--home must name a directory of this program's own"}
	}
	return ExitFailed, nil
}

// Problem is what --json prints when there is nothing else to print.
type Problem struct {
	Error    string `json:"error"`
	ExitCode int    `json:"exit_code"`
}

// fail prints how cmd failed, with hints, and returns the exit code.
func (a *App) fail(cmd *cobra.Command, err error) int {
	explain := a.Explain
	if explain == nil {
		explain = Explain
	}
	code, hints := explain(err)
	// What a panic left behind is for the log, and follows the message there.
	message, _, _ := strings.Cut(err.Error(), "\ngoroutine ")
	fmt.Fprintf(a.Err, "%s: %s\n", a.Name, message)
	for _, h := range hints {
		fmt.Fprintf(a.Err, "%s: hint: %s\n", a.Name, h)
	}
	if a.JSON && !a.said {
		var object any = Problem{Error: message, ExitCode: code}
		if a.Failed != nil {
			object = a.Failed(cmd, message, code)
		}
		_ = a.PrintJSON(object) // there is nobody left to tell
	}
	return code
}
