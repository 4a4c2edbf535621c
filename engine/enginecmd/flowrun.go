package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

// FlowRunCommand is "flow-run".
func (a *App) FlowRunCommand() *cobra.Command {
	one := func(use, short, long string, do func(ctx context.Context, ref string) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Long: long + " " + runRefs, Args: Wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return do(cmd.Context(), args[0]) }}
	}
	resume := a.resumeCommand()
	return Group("flow-run", "List, run, follow and steer flow runs",
		a.listRunsCommand(), a.runCommand(), a.logsCommand(), a.watchCommand(), resume,
		one("inspect RUN", "Show a flow run with its tasks", "Show a flow run with its tasks and what it published.", a.inspectFlowRun),
		one("cancel RUN", "Cancel a run with all below it", "Cancel a run with all below it, in whatever process it is. One that nobody carries\nout is cancelled at once; else its process ends it.",
			func(ctx context.Context, ref string) error { return a.signal(ctx, ref, engine.SignalCancel) }),
		one("pause RUN", "Begin no more tasks of a run, until it is resumed", "Begin no more tasks of a run, until it is resumed. What is under way finishes.",
			func(ctx context.Context, ref string) error { return a.signal(ctx, ref, engine.SignalPause) }),
		one("retry RUN", "Have a worker go on with a run that failed", "Have a worker go on with a run that failed, crashed or was cancelled: tasks that\ncompleted are not run again. \"flow-run resume\" does that in this process.", a.retryFlowRun),
		one("delete RUN", "Delete a run with all below it", "Delete a run with all below it: subflows, tasks, states, logs and artifacts. Cached\nresults stay.", a.deleteFlowRun),
	)
}

const runRefs = "RUN is an ID, the\nbeginning of one, a name, or \"latest\"."

func (a *App) listRunsCommand() *cobra.Command {
	q := engine.RunQuery{}
	var states []string
	ls := &cobra.Command{Use: "ls", Short: "List the newest flow runs", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error {
		if q.Limit < 1 {
			return Usage("--limit %d: want at least 1", q.Limit)
		}
		for _, s := range states {
			t, err := parseState(s)
			if err != nil {
				return err
			}
			q.States = append(q.States, t)
		}
		return a.listFlowRuns(cmd.Context(), q)
	}}
	flags := ls.Flags()
	flags.IntVar(&q.Limit, "limit", 20, "how many")
	flags.StringVar(&q.Flow, "flow", "", "only runs of this flow")
	flags.StringSliceVar(&states, "state", nil, "only runs in this state, such as FAILED; give it several times")
	flags.StringSliceVar(&q.Tags, "tag", nil, "only runs with this tag")
	flags.BoolVar(&q.Subflows, "subflows", false, "also runs that other runs made")
	flags.BoolVar(&q.Ahead, "ahead", false, "also runs that schedules have made and that have not begun")
	return ls
}

func parseState(text string) (engine.StateType, error) {
	var names []string
	for _, t := range engine.StateTypes() {
		if strings.EqualFold(string(t), text) {
			return t, nil
		}
		names = append(names, string(t))
	}
	return "", Usage("--state %q: want one of %s", text, strings.Join(names, " "))
}

func (a *App) listFlowRuns(ctx context.Context, q engine.RunQuery) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		if err := a.Reap(ctx, h); err != nil {
			return err
		}
		runs, err := h.Search(ctx, q)
		if err != nil {
			return fmt.Errorf("list flow runs: %w", err)
		}
		return a.Show(map[string]any{"flow_runs": enginehttp.NewFlowRuns(runs)}, func() {
			if len(runs) == 0 {
				fmt.Fprintf(a.Out, "no flow run yet that fits: \"%s flow ls\" lists what can be run\n", a.Name)
				return
			}
			a.runTable(runs)
		})
	})
}

func (a *App) runTable(runs []engine.FlowRun) {
	rows := [][]string{{"ID", "FLOW", "NAME", "STATE", "STARTED", "TOOK"}}
	for i, r := range enginehttp.NewFlowRuns(runs) {
		started := Ago(runs[i].Start)
		if due := runs[i].NextStart; due.After(time.Now()) {
			started = "due " + due.Local().Format("2006-01-02 15:04")
		}
		rows = append(rows, []string{r.ID, r.Flow, r.Name, r.State.Name, started, Seconds(r.Seconds)})
	}
	a.Table(rows)
}

// withRun opens the history and finds the run that ref names.
func (a *App) withRun(ctx context.Context, ref string, do func(*history.Store, engine.FlowRun) error) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		run, err := h.Find(ctx, ref)
		if err != nil {
			return a.lost(err, "flow-run")
		}
		return do(h, run)
	})
}

func (a *App) inspectFlowRun(ctx context.Context, ref string) error {
	return a.withRun(ctx, ref, func(h *history.Store, run engine.FlowRun) error {
		tasks, err := h.TaskRuns(ctx, run.ID)
		if err != nil {
			return err
		}
		subflows, err := h.Subflows(ctx, run.ID)
		if err != nil {
			return err
		}
		published, err := h.Artifacts(ctx, engine.ArtifactQuery{FlowRunID: run.ID})
		if err != nil {
			return err
		}
		calls, err := taskRows(ctx, h, tasks, "")
		if err != nil {
			return err
		}
		shown := enginehttp.NewFlowRun(run)
		object := map[string]any{"flow_run": shown, "task_runs": enginehttp.NewTaskRuns(tasks), "subflows": enginehttp.NewFlowRuns(subflows), "artifacts": OrEmpty(published)}
		return a.Show(object, func() {
			fmt.Fprintf(a.Out, "%s  %s\nflow      %s\nstate     %s\n", run.ID, run.Name, run.Flow, stateText(run.State))
			fmt.Fprintf(a.Out, "started   %s, took %s, attempt %d\nparams    %s\n", Ago(run.Start), Seconds(shown.Seconds), run.Attempts, run.Parameters)
			for _, f := range [][2]string{{"part of", run.ParentID}, {"tags", strings.Join(run.Tags, " ")}, {"deployed", run.Deployment}, {"result", string(run.Result)}} {
				if f[1] != "" {
					fmt.Fprintf(a.Out, "%-9s %s\n", f[0], f[1])
				}
			}
			if w := run.Waiting; w != nil {
				fmt.Fprintf(a.Out, "waits for %s: %s\n", w.Key, w.Message)
			}
			fmt.Fprintln(a.Out)
			a.Table(append([][]string{{"TASK", "STATE", "ATTEMPTS", "TOOK", "CACHED FROM"}}, calls...))
			if len(published) > 0 {
				fmt.Fprintln(a.Out)
				a.artifactTable(published)
			}
		})
	})
}

// taskRows are calls, those of a subflow following its own.
func taskRows(ctx context.Context, h *history.Store, tasks []engine.TaskRun, prefix string) (rows [][]string, err error) {
	for _, t := range enginehttp.NewTaskRuns(tasks) {
		rows = append(rows, []string{prefix + t.Key, stateText(engine.State(t.State)), fmt.Sprint(t.Attempts), Seconds(t.Seconds), t.CachedFrom})
		if t.SubflowID == "" {
			continue
		}
		inner, err := h.TaskRuns(ctx, t.SubflowID)
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

// Reap records as Crashed the runs whose process has ended, and tidies up after them.
func (a *App) Reap(ctx context.Context, h *history.Store) error {
	crashed, err := h.Reap(ctx)
	if err != nil {
		return err
	}
	for _, run := range crashed {
		a.Note("flow run %s (%s): its process has ended; %s flow-run resume %s goes on with it", run.ID, run.Name, a.Name, run.ID)
		if a.Abandoned == nil {
			continue
		}
		if err := a.Abandoned(ctx, run); err != nil {
			a.Note("flow run %s: %v", run.ID, err) // such as a server that is gone: no reason to stop
		}
	}
	return nil
}

func stateText(s engine.State) string {
	message, _, _ := strings.Cut(s.Message, "\n")
	if s.Type == engine.TypeCompleted || message == "" {
		return s.Name
	}
	return s.Name + ": " + message
}

func (a *App) signal(ctx context.Context, ref string, kind engine.SignalKind) error {
	return a.withRun(ctx, ref, func(h *history.Store, run engine.FlowRun) error {
		run, err := h.Signal(ctx, engine.Signal{FlowRunID: run.ID, Kind: kind, Message: "asked for on the command line"})
		if err != nil {
			return err
		}
		return a.showRun(run)
	})
}

// showRun prints where a run is now.
func (a *App) showRun(run engine.FlowRun) error {
	return a.Show(map[string]any{"flow_run": enginehttp.NewFlowRun(run)}, func() {
		fmt.Fprintf(a.Out, "%s  %s  %s\n", run.ID, run.Name, stateText(run.State))
	})
}

func (a *App) retryFlowRun(ctx context.Context, ref string) error {
	return a.withRun(ctx, ref, func(h *history.Store, run engine.FlowRun) error {
		if err := a.Reap(ctx, h); err != nil {
			return err
		}
		run, err := h.Retry(ctx, run.ID, "asked for on the command line")
		if err != nil {
			return err
		}
		a.Note("a worker goes on with it: the server has one, and \"%s worker start\" is one", a.Name)
		return a.showRun(run)
	})
}

func (a *App) deleteFlowRun(ctx context.Context, ref string) error {
	return a.withRun(ctx, ref, func(h *history.Store, run engine.FlowRun) error {
		if err := h.DeleteFlowRun(ctx, run.ID); err != nil {
			var owned *engine.OwnedError
			if errors.As(err, &owned) {
				return Failure(ExitFailed, err).Hint("%s flow-run cancel %s ends it first", a.Name, run.ID)
			}
			return err
		}
		return a.Show(map[string]any{"deleted": run.ID}, func() { fmt.Fprintf(a.Out, "deleted %s (%s)\n", run.ID, run.Name) })
	})
}
