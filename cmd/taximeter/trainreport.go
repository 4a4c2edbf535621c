package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/pipeline"
)

// reportsTraining annotates the commands whose --json object is a training's
// report, also when they fail before there is a training.
const reportsTraining = "reports a training"

// emptyReport reports a training that was not begun.
func emptyReport(message string) any {
	return pipeline.Report{Schema: 1, Error: &message, Runs: []pipeline.TrackedRun{}, Tasks: []pipeline.TaskReport{}}
}

// report prints a training as it is recorded. failed is why this command did
// not complete it; nil: it did.
func (a *app) report(ctx context.Context, h *history.Store, run engine.FlowRun, failed error) error {
	r, err := pipeline.NewReport(ctx, h, run)
	if err != nil {
		return err
	}
	if failed != nil && r.Error == nil { // such as: another process is running it
		message := failed.Error()
		r.Error = &message
	}
	return a.Show(r, func() { a.printReport(r) })
}

func (a *app) printReport(r pipeline.Report) {
	if r.Train.RowsRead > 0 && r.Valid.RowsRead > 0 {
		fmt.Fprintf(a.Out, "train %s: %d of %d rides kept; valid %s: %d of %d\n",
			r.Train.Name(), r.Train.RowsKept, r.Train.RowsRead, r.Valid.Name(), r.Valid.RowsKept, r.Valid.RowsRead)
	}
	if len(r.Runs) > 0 {
		rows := [][]string{{"RUN", "NAME", "FEATURES", "RMSE TRAIN", "RMSE VALID", "INFERENCE", ""}}
		for _, run := range r.Runs {
			mark := ""
			if run.Cached {
				mark = "cached"
			}
			if run.Error != "" {
				message, _, _ := strings.Cut(run.Error, "\n")
				rows = append(rows, []string{run.RunID, run.Name, run.Features, "-", "-", "-", "failed: " + message})
				continue
			}
			if run.WorseThanMean {
				mark = strings.TrimSpace(mark + " worse than the mean")
			}
			if r.Chosen != nil && r.Chosen.RunID == run.RunID {
				mark = strings.TrimSpace(mark + " chosen")
			}
			rows = append(rows, []string{run.RunID, run.Name, run.Features,
				fmt.Sprintf("%.6f", run.RMSETrain), fmt.Sprintf("%.6f", run.RMSEValid), perRow(run.InferenceTime) + " a row", mark})
		}
		a.Table(rows)
	}
	if r.Chosen != nil {
		fmt.Fprintf(a.Out, "staged: %s version %s, in experiment %s\n", r.Chosen.Model, r.Chosen.Version, r.Experiment)
	}
}

// perRow prints a time a row, given in seconds.
func perRow(s float64) string {
	if s >= 1e-6 {
		return fmt.Sprintf("%.2f µs", s*1e6)
	}
	return fmt.Sprintf("%.1f ns", s*1e9)
}
