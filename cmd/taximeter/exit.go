package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/pipeline"
	"github.com/taximeter/taximeter/registry"
)

// Exit codes beyond the engine's own.
const (
	exitNotPublished = 3
	exitNoCandidate  = 4
	exitNetwork      = 5
	exitCorrupt      = 6
	exitSchema       = 7
)

// explain says with which code err ends the program, and what may help.
func explain(err error) (code int, hints []string) {
	var (
		known        *enginecmd.Error
		notPublished *data.NotPublishedError
		network      *data.NetworkError
		corrupt      *data.CorruptError
		schema       *data.SchemaError
		noCandidate  *pipeline.NoCandidateError
		stopped      enginecmd.Interrupted
		request      *url.Error
		later        *engine.Reschedule
	)
	switch {
	case errors.As(err, &known):
		return known.Code, known.Hints
	case errors.As(err, &stopped):
		return enginecmd.ExitFailed, nil
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
		return enginecmd.ExitFailed, []string{"set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"}
	case errors.As(err, &request):
		return exitNetwork, []string{"is the tracking server running? --tracking-uri or MLFLOW_TRACKING_URI names it"}
	case errors.Is(err, syscall.EADDRINUSE):
		return exitNetwork, nil
	case errors.Is(err, fs.ErrNotExist):
		return enginecmd.ExitFailed, []string{"if a month's file has moved, put it back, or start anew with taximeter train"}
	case errors.Is(err, sqlite.ErrForeign):
		return enginecmd.ExitFailed, []string{"--home must name a directory of taximeter's own; a store of MLflow's is taken over with \"taximeter import\""}
	}
	return enginecmd.Explain(err)
}

// failed is the JSON object of a command that failed before it printed one.
func failed(cmd *cobra.Command, message string, code int) any {
	_, reports := cmd.Annotations[reportsTraining]
	_, resumes := cmd.Annotations[enginecmd.ResumesRun]
	if reports || resumes {
		return emptyReport(message)
	}
	return enginecmd.Problem{Error: message, ExitCode: code}
}
