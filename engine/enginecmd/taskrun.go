package enginecmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
)

// TaskRunCommand is "task-run".
func (a *App) TaskRunCommand() *cobra.Command {
	q := engine.TaskQuery{}
	var states []string
	ls := &cobra.Command{Use: "ls RUN", Short: "List the calls of a run", Long: "List the calls of tasks and subflows that a run has made. " + runRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
			return a.listTasks(cmd.Context(), args[0], q)
		}}
	ls.Flags().IntVar(&q.Limit, "limit", 200, "how many")
	ls.Flags().StringSliceVar(&states, "state", nil, "only calls in this state, such as FAILED; give it several times")
	ls.Flags().StringVar(&q.Name, "name", "", "only calls with this in their name")
	logs := &cobra.Command{Use: "logs RUN KEY", Short: "Print the log of a call", Long: "Print the log of a call, oldest line first. " + runRefs, Args: Wants(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTask(cmd.Context(), args[0], args[1], func(_ *history.Store, run engine.FlowRun, t engine.TaskRun) error {
				return a.logs(cmd.Context(), run.ID, engine.LogQuery{TaskKey: t.Key}, false)
			})
		}}
	return Group("task-run", "List and inspect the calls of a flow run", ls, logs,
		&cobra.Command{Use: "inspect RUN KEY", Short: "Show a call with all its states", Args: Wants(2, 2),
			Long: fmt.Sprintf("Show a call with all its states and its log. KEY is as \"%s task-run ls\" lists it,\nor the beginning that only one has. %s", a.Name, runRefs),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.inspectTask(cmd.Context(), args[0], args[1])
			}})
}

func (a *App) listTasks(ctx context.Context, ref string, q engine.TaskQuery) error {
	return a.withRun(ctx, ref, func(h *history.Store, run engine.FlowRun) error {
		q.FlowRunID = run.ID
		tasks, err := h.SearchTasks(ctx, q)
		if err != nil {
			return err
		}
		return a.Show(map[string]any{"flow_run_id": run.ID, "task_runs": enginehttp.NewTaskRuns(tasks)}, func() {
			rows := [][]string{{"KEY", "NAME", "STATE", "ATTEMPTS", "TOOK", "AFTER"}}
			for _, t := range enginehttp.NewTaskRuns(tasks) {
				name := t.Name
				if t.RunName != "" {
					name = t.RunName
				}
				rows = append(rows, []string{t.Key, name, stateText(engine.State(t.State)), fmt.Sprint(t.Attempts), Seconds(t.Seconds), strings.Join(append(t.DependsOn, t.After...), " ")})
			}
			a.Table(rows)
		})
	})
}

// findTask is the call of a run with a key, or the only one whose key begins so.
func findTask(ctx context.Context, h *history.Store, run engine.FlowRun, key string) (t engine.TaskRun, err error) {
	tasks, err := h.TaskRuns(ctx, run.ID)
	if err != nil {
		return t, err
	}
	var keys, fit []string
	for _, task := range tasks {
		if task.Key == key {
			return task, nil
		}
		keys = append(keys, task.Key)
		if strings.HasPrefix(task.Key, key) {
			t, fit = task, append(fit, task.Key)
		}
	}
	switch len(fit) {
	case 0:
		return t, fmt.Errorf("flow run %s has no call %q%s", run.ID, key, schedule.Suggest(key, keys))
	case 1:
		return t, nil
	}
	return t, fmt.Errorf("call %q is %w: %s", key, engine.ErrAmbiguous, strings.Join(fit, ", "))
}

// withTask opens the history and finds a call.
func (a *App) withTask(ctx context.Context, ref, key string, do func(*history.Store, engine.FlowRun, engine.TaskRun) error) error {
	return a.withRun(ctx, ref, func(h *history.Store, run engine.FlowRun) error {
		t, err := findTask(ctx, h, run, key)
		if err != nil {
			return a.lost(err, "task-run")
		}
		return do(h, run, t)
	})
}

func (a *App) inspectTask(ctx context.Context, ref, key string) error {
	return a.withTask(ctx, ref, key, func(h *history.Store, run engine.FlowRun, t engine.TaskRun) error {
		states, err := h.States(ctx, run.ID, t.Key)
		if err != nil {
			return err
		}
		lines, err := h.SearchLogs(ctx, engine.LogQuery{FlowRunID: run.ID, TaskKey: t.Key, Limit: logPage})
		if err != nil {
			return err
		}
		shown := enginehttp.NewTaskRuns([]engine.TaskRun{t})[0]
		return a.Show(map[string]any{"flow_run_id": run.ID, "task_run": shown, "states": enginehttp.NewStates(states), "logs": enginehttp.NewLogLines(lines)}, func() {
			fmt.Fprintf(a.Out, "%s  %s\nrun       %s  %s\nattempts  %d, took %s\n", t.Key, t.Name, run.ID, run.Name, t.Attempts, Seconds(shown.Seconds))
			if t.SubflowID != "" {
				fmt.Fprintf(a.Out, "subflow   %s\n", t.SubflowID)
			}
			if t.Result != nil {
				fmt.Fprintf(a.Out, "result    %d bytes of %s\n", t.Result.Size, t.Result.Codec)
			}
			if len(t.DependsOn) > 0 {
				fmt.Fprintf(a.Out, "takes     %s\n", strings.Join(t.DependsOn, ", "))
			}
			fmt.Fprintln(a.Out)
			rows := [][]string{{"TIME", "STATE"}}
			for _, s := range states {
				rows = append(rows, []string{s.Time.Local().Format("15:04:05.000"), stateText(s)})
			}
			a.Table(rows)
			if len(lines) > 0 {
				fmt.Fprintln(a.Out)
				a.printLines(lines)
			}
		})
	})
}
