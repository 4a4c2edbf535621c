package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/pipeline"
)

func (a *app) flowRunCommand() *cobra.Command {
	var limit int
	ls := &cobra.Command{Use: "ls", Short: "List the newest flow runs", Args: wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.listFlowRuns(cmd.Context(), limit)
	}}
	ls.Flags().IntVar(&limit, "limit", 20, "how many")
	return group("flow-run", "List, inspect and resume flow runs",
		ls,
		&cobra.Command{Use: "inspect RUN", Short: "Show a flow run with its tasks", Long: "Show a flow run with its tasks. " + runRefs, Args: wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.inspectFlowRun(cmd.Context(), args[0]) }},
		&cobra.Command{Use: "resume RUN", Short: "Go on with a run that was interrupted or failed",
			Long: "Go on with a run that was interrupted or failed: tasks that completed are not run\nagain. Of a run that completed, print what it printed. " + runRefs,
			Args: wants(1, 1), Annotations: map[string]string{reportsTraining: ""},
			RunE: func(cmd *cobra.Command, args []string) error { return a.resumeFlowRun(cmd.Context(), args[0]) }},
	)
}

const runRefs = "RUN is an ID, the beginning of one, a name, or \"latest\"."

func (a *app) listFlowRuns(ctx context.Context, limit int) error {
	if limit < 1 {
		return usage("--limit %d: want at least 1", limit)
	}
	h, err := a.openHistory(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := a.reap(ctx, h); err != nil {
		return err
	}
	runs, err := h.List(ctx, "", limit)
	if err != nil {
		return fmt.Errorf("list flow runs: %w", err)
	}
	return a.show(map[string]any{"flow_runs": enginehttp.NewFlowRuns(runs)}, func() {
		if len(runs) == 0 {
			fmt.Fprintln(a.out, `no flow run yet: "taximeter train" makes one`)
			return
		}
		rows := [][]string{{"ID", "FLOW", "NAME", "STATE", "STARTED", "TOOK"}}
		for _, r := range enginehttp.NewFlowRuns(runs) {
			rows = append(rows, []string{r.ID, r.Flow, r.Name, r.State.Name, ago(r.Created), seconds(r.Seconds)})
		}
		a.table(rows)
	})
}

// findFlowRun opens the history and finds the run that ref names. The caller
// closes the history.
func (a *app) findFlowRun(ctx context.Context, ref string) (*history.Store, engine.FlowRun, error) {
	h, err := a.openHistory(ctx)
	if err != nil {
		return nil, engine.FlowRun{}, err
	}
	run, err := h.Find(ctx, ref)
	if err != nil {
		if errors.Is(err, engine.ErrNotFound) {
			err = (&hinted{error: err, code: exitFailed}).hint(`"taximeter flow-run ls" lists them`)
		}
		return nil, run, errors.Join(err, h.Close())
	}
	return h, run, nil
}

func (a *app) inspectFlowRun(ctx context.Context, ref string) error {
	h, run, err := a.findFlowRun(ctx, ref)
	if err != nil {
		return err
	}
	defer h.Close()
	d, err := enginehttp.Inspect(ctx, h, run)
	if err != nil {
		return err
	}
	calls, err := taskRows(ctx, h, d, "")
	if err != nil {
		return err
	}
	return a.show(d, func() {
		fmt.Fprintf(a.out, "%s  %s\nflow      %s\nstate     %s\n", run.ID, run.Name, run.Flow, stateText(d.FlowRun.State))
		fmt.Fprintf(a.out, "started   %s, took %s, attempt %d\nparams    %s\n\n", ago(run.Start), seconds(d.FlowRun.Seconds), run.Attempts, run.Parameters)
		a.table(append([][]string{{"TASK", "STATE", "ATTEMPTS", "TOOK", "CACHED FROM"}}, calls...))
	})
}

// taskRows are the calls of d, those of a subflow following its own.
func taskRows(ctx context.Context, h *history.Store, d enginehttp.Details, prefix string) (rows [][]string, err error) {
	for _, t := range d.TaskRuns {
		rows = append(rows, []string{prefix + t.Key, stateText(t.State), fmt.Sprint(t.Attempts), seconds(t.Seconds), t.CachedFrom})
		if t.SubflowID == "" {
			continue
		}
		sub, err := h.FlowRun(ctx, t.SubflowID)
		if err != nil {
			return nil, err
		}
		inner, err := enginehttp.Inspect(ctx, h, sub)
		if err != nil {
			return nil, err
		}
		more, err := taskRows(ctx, h, inner, prefix+t.Key+"/")
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// reap records as Crashed the runs whose process has ended, and ends what they
// have left running in a registry.
func (a *app) reap(ctx context.Context, h *history.Store) error {
	crashed, err := h.Reap(ctx)
	if err != nil {
		return err
	}
	for _, run := range crashed {
		a.note("flow run %s (%s): its process has ended; taximeter flow-run resume %s goes on with it", run.ID, run.Name, run.ID)
		if err := a.closeAbandoned(ctx, run); err != nil {
			a.note("flow run %s: %v", run.ID, err) // such as a tracking server that is gone: no reason to stop
		}
	}
	return nil
}

func (a *app) closeAbandoned(ctx context.Context, run engine.FlowRun) error {
	p, err := pipeline.ParamsOf(run)
	if err != nil {
		return err
	}
	t, err := a.openTracking(ctx, p.TrackingURI)
	if err != nil {
		return err
	}
	defer t.Close()
	return (&pipeline.Flows{Tracker: t}).CloseAbandoned(ctx, run)
}

func stateText(s enginehttp.State) string {
	message, _, _ := strings.Cut(s.Message, "\n")
	if s.Type == engine.TypeCompleted || message == "" {
		return s.Name
	}
	return s.Name + ": " + message
}

func (a *app) resumeFlowRun(ctx context.Context, ref string) error {
	h, run, err := a.findFlowRun(ctx, ref)
	if err != nil {
		return err
	}
	if run.ParentID != "" {
		err := (&hinted{error: fmt.Errorf("flow run %s is part of another run", run.ID), code: exitUsage}).
			hint("taximeter flow-run resume %s", run.RootID)
		return errors.Join(err, h.Close())
	}
	// What the run works on is among its parameters, so it is opened anew.
	p, perr := pipeline.ParamsOf(run)
	if err := errors.Join(perr, h.Close()); err != nil {
		return err
	}
	return a.runTraining(ctx, p, func(ctx context.Context, flows *pipeline.Flows, e *engine.Engine, _ *history.Store) (engine.FlowRun, error) {
		return flows.ResumeTraining(ctx, e, run.ID)
	})
}
