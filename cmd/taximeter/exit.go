package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/pipeline"
	"github.com/taximeter/taximeter/registry"
)

// Exit codes.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNotPublished = 3
	exitNoCandidate  = 4
	exitNetwork      = 5
	exitCorrupt      = 6
	exitSchema       = 7
)

// hinted is an error with what to do about it, and the exit code it ends with.
type hinted struct {
	error
	code  int
	hints []string
}

func (h *hinted) Unwrap() error { return h.error }

// usage is a mistake in how the command was called.
func usage(format string, args ...any) *hinted {
	return &hinted{error: fmt.Errorf(format, args...), code: exitUsage}
}

func (h *hinted) hint(format string, args ...any) *hinted {
	h.hints = append(h.hints, fmt.Sprintf(format, args...))
	return h
}

// explain says with which code err ends the program, and what may help.
func explain(err error) (code int, hints []string) {
	var (
		known        *hinted
		notPublished *data.NotPublishedError
		network      *data.NetworkError
		corrupt      *data.CorruptError
		schema       *data.SchemaError
		noCandidate  *pipeline.NoCandidateError
		owned        *engine.OwnedError
		stopped      interrupted
		request      *url.Error
		later        *engine.Reschedule
	)
	switch {
	case errors.As(err, &known):
		return known.code, known.hints
	case errors.As(err, &stopped):
		return exitFailed, nil
	case errors.As(err, &later):
		return exitNotPublished, []string{"a worker goes on with it then: taximeter server has one, and taximeter worker start is one"}
	case errors.As(err, &notPublished):
		return exitNotPublished, []string{`run "taximeter train --date latest" for the newest months that can be had, wait for them with --when-missing wait, or give months with --data or --train and --valid`}
	case errors.As(err, &network):
		return exitNetwork, []string{`months that are here already are found with --data DIR; "taximeter months make" synthesises some`}
	case errors.As(err, &corrupt):
		return exitCorrupt, []string{fmt.Sprintf("put a good copy of %s in its place, or take it away to have the month fetched anew", corrupt.Path)}
	case errors.As(err, &schema):
		return exitSchema, nil
	case errors.As(err, &noCandidate):
		return exitNoCandidate, []string{"nothing was registered; try more --trials, or another --gate"}
	case registry.CodeOf(err) == registry.Unauthenticated:
		return exitFailed, []string{"set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"}
	case errors.As(err, &owned):
		return exitFailed, []string{"wait for it, or end that process first"}
	case errors.As(err, &request):
		return exitNetwork, []string{"is the tracking server running? --tracking-uri or MLFLOW_TRACKING_URI names it"}
	case errors.Is(err, fs.ErrNotExist):
		return exitFailed, []string{"if a month's file has moved, put it back, or start anew with taximeter train"}
	case errors.Is(err, fs.ErrPermission):
		return exitFailed, []string{"--home names another place to keep things in"}
	case errors.Is(err, sqlite.ErrForeign):
		return exitFailed, []string{"--home must name a directory of taximeter's own; a store of MLflow's is taken over with \"taximeter import\""}
	}
	return exitFailed, nil
}

// fail prints how cmd failed, with hints, and returns the exit code.
func (a *app) fail(cmd *cobra.Command, err error) int {
	code, hints := explain(err)
	// What a panic left behind is for the log, and follows the message there.
	message, _, _ := strings.Cut(err.Error(), "\ngoroutine ")
	fmt.Fprintf(a.err, "taximeter: %s\n", message)
	for _, h := range hints {
		fmt.Fprintf(a.err, "taximeter: hint: %s\n", h)
	}
	if a.json && !a.said {
		var object any = failure{Error: message, ExitCode: code}
		if _, reports := cmd.Annotations[reportsTraining]; reports {
			object = emptyReport(message)
		}
		_ = a.printJSON(object) // there is nobody left to tell
	}
	return code
}

// failure is what --json prints when there is nothing else to print.
type failure struct {
	Error    string `json:"error"`
	ExitCode int    `json:"exit_code"`
}
