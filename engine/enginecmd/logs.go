package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

var levels = []string{"DEBUG", "INFO", "WARN", "ERROR"}

func (a *App) logsCommand() *cobra.Command {
	var q engine.LogQuery
	var follow bool
	var level string
	cmd := &cobra.Command{Use: "logs RUN", Short: "Print the log of a run and its subflows",
		Long: "Print the log of a run and its subflows, oldest first. " + runRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at := slices.Index(levels, strings.ToUpper(level))
			switch {
			case level != "" && at < 0:
				return Usage("--level %q: want one of %s", level, strings.Join(levels, " "))
			case at > 0:
				q.Levels = levels[at:]
			}
			if follow && a.JSON {
				return Usage("--follow prints lines as they come, --json one object: give one of them")
			}
			return a.logs(cmd.Context(), args[0], q, follow)
		}}
	flags := cmd.Flags()
	flags.BoolVarP(&follow, "follow", "f", false, "go on printing until the run has ended")
	flags.StringVar(&q.TaskKey, "task", "", "only the lines of the call with this key")
	flags.StringVar(&level, "level", "", "only lines of this level and above: DEBUG, INFO, WARN or ERROR")
	flags.StringVar(&q.Contains, "contains", "", "only lines with this text, in any case")
	return cmd
}

// logPage is how many lines are read at once.
const logPage = 5000

func (a *App) logs(ctx context.Context, ref string, q engine.LogQuery, follow bool) error {
	return a.withRun(ctx, ref, func(h *history.Store, run engine.FlowRun) error {
		q.FlowRunID, q.Subflows, q.Limit = run.ID, run.RootID == run.ID, logPage
		var all []engine.NumberedLine
		for {
			run, err := h.FlowRun(ctx, run.ID) // before its log, so that the last lines are in that
			if err != nil {
				return err
			}
			lines, err := h.SearchLogs(ctx, q)
			if err != nil {
				return err
			}
			if len(lines) > 0 {
				q.After = lines[len(lines)-1].Seq
			}
			if a.JSON {
				all = append(all, lines...)
			} else {
				a.printLines(lines)
			}
			switch {
			case len(lines) == logPage:
			case a.JSON:
				return a.PrintJSON(map[string]any{"logs": enginehttp.NewLogLines(all)})
			case !follow || run.State.Type.Final():
				return nil
			default:
				if err := a.wait(ctx, h); err != nil {
					return errors.Join(fmt.Errorf("flow run %s goes on", run.ID), err)
				}
			}
		}
	})
}

func (a *App) printLines(lines []engine.NumberedLine) {
	for _, l := range lines {
		by := ""
		if l.TaskKey != "" {
			by = l.TaskKey + ": "
		}
		fmt.Fprintf(a.Out, "%s %-5s %s%s\n", l.Time.Local().Format("15:04:05.000"), l.Level, by, l.Message)
	}
}

// wait waits for a change, or for a second; its error is why ctx is done.
func (a *App) wait(ctx context.Context, h *history.Store) error {
	waiting, cancel := context.WithTimeout(ctx, followPause)
	defer cancel()
	_ = h.Wait(waiting)
	return context.Cause(ctx)
}
