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
	"github.com/taximeter/taximeter/engine/schedule"
)

// deploymentRunFlags are what the user typed.
type deploymentRunFlags struct {
	params, tags           []string
	name, startIn, startAt string
	watch                  bool
}

func (a *App) deploymentRunCommand() *cobra.Command {
	var f deploymentRunFlags
	cmd := &cobra.Command{Use: "run DEPLOYMENT", Short: "Have a worker run a deployment, now or later",
		Long: "Have a worker run a deployment. With --watch, follow the run to its end; the exit\ncode then says how it ended. " + deploymentRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runDeployment(cmd.Context(), args[0], f) }}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.params, "param", nil, "name=value of a parameter, over the deployment's; give it several times")
	flags.StringSliceVar(&f.tags, "tag", nil, "of this run, beside the deployment's")
	flags.StringVar(&f.name, "name", "", "of this run (default one is found)")
	flags.StringVar(&f.startIn, "start-in", "", "begin after this time: seconds, or a duration such as 2h")
	flags.StringVar(&f.startAt, "start-at", "", "begin at this time, such as 2024-03-15T09:00:00Z")
	flags.BoolVar(&f.watch, "watch", false, "follow the run to its end")
	return cmd
}

func (a *App) newRequest(f deploymentRunFlags, d schedule.Deployment) (r schedule.RunRequest, err error) {
	r = schedule.RunRequest{Name: f.name, Tags: f.tags}
	if r.Parameters, err = a.typedParams(d.Flow, f.params); err != nil {
		return r, err
	}
	switch {
	case f.startIn != "" && f.startAt != "":
		return r, Usage("--start-in and --start-at both say when: give one")
	case f.startIn != "":
		wait, err := schedule.ParseInterval(f.startIn)
		if err != nil || wait < 0 {
			return r, Usage("--start-in %q: want seconds, or a duration such as 90s, 5m or 2h", f.startIn)
		}
		r.At = time.Now().Add(wait)
	case f.startAt != "":
		if r.At, err = time.Parse(time.RFC3339, f.startAt); err != nil {
			return r, Usage("--start-at %q: want a time such as 2024-03-15T09:00:00Z", f.startAt)
		}
	}
	edited := d
	if edited.Parameters, err = d.RunParameters(nil, r.Parameters); err != nil {
		return r, Usage("%v", err)
	}
	return r, a.checkDeployment(edited)
}

func (a *App) runDeployment(ctx context.Context, ref string, f deploymentRunFlags) error {
	return a.withDeployment(ctx, ref, func(h *history.Store, d schedule.Record) error {
		r, err := a.newRequest(f, d.Spec)
		if err != nil {
			return err
		}
		run, err := h.RunDeployment(ctx, d.ID, r)
		if err != nil {
			return err
		}
		a.Note("flow run %s (%s) is due %s", run.ID, run.Name, inZone(run.NextStart, d.Spec))
		if why, err := h.Why(ctx, run.ID); err == nil && !f.watch && why != "" && !run.NextStart.After(time.Now()) {
			a.Note("it waits: %s", why)
		}
		if f.watch {
			return a.watchRun(ctx, h, run.ID, "")
		}
		return a.Show(map[string]any{"flow_run": enginehttp.NewFlowRun(run)}, func() { fmt.Fprintln(a.Out, run.ID) })
	})
}

func (a *App) watchCommand() *cobra.Command {
	var until string
	cmd := &cobra.Command{Use: "watch RUN", Short: "Follow the states of a run to its end",
		Long: "Follow the states of a run to its end; the exit code says how it ended. " + runRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRun(cmd.Context(), args[0], func(h *history.Store, run engine.FlowRun) error {
				return a.watchRun(cmd.Context(), h, run.ID, until)
			})
		}}
	cmd.Flags().StringVar(&until, "until", "", "or until it is in this state, such as PAUSED or AwaitingRetry")
	return cmd
}

// watchRun tells each state of a run until it has ended, and fails if the run did; or
// until it is in a state of this type or name.
func (a *App) watchRun(ctx context.Context, h *history.Store, id, until string) error {
	var told engine.State
	for {
		run, err := h.FlowRun(ctx, id)
		if err != nil {
			return err
		}
		shown := enginehttp.NewFlowRun(run)
		if run.State != told {
			told = run.State
			a.Note("%s  %s", run.State.Time.Local().Format(time.TimeOnly), stateText(run.State))
			if why, err := h.Why(ctx, id); err == nil && why != "" && !run.NextStart.After(time.Now()) {
				a.Note("          it waits: %s", why)
			}
		}
		there := strings.EqualFold(until, string(run.State.Type)) || strings.EqualFold(until, run.State.Name)
		if there || run.State.Type.Final() {
			if err := a.Show(map[string]any{"flow_run": shown}, func() { fmt.Fprintf(a.Out, "%s  %s  %s\n", run.ID, run.Name, run.State.Name) }); err != nil {
				return err
			}
			if !there && run.State.Type != engine.TypeCompleted {
				return Failure(ExitFailed, fmt.Errorf("flow run %s is %s", run.ID, stateText(run.State))).
					Hint("%s flow-run inspect %s", a.Name, run.ID)
			}
			return nil
		}
		if err := a.wait(ctx, h); err != nil {
			return errors.Join(fmt.Errorf("flow run %s goes on", run.ID), err)
		}
	}
}

func (a *App) backfillCommand() *cobra.Command {
	var from, to string
	var again bool
	var f scheduleFlags
	cmd := &cobra.Command{Use: "backfill DEPLOYMENT", Short: "Make the runs that schedules would have made between two days",
		Long: `Make the runs that the deployment's schedules, or the one given here, would have
made from one day to another, both included: each takes its dates from the day it
would have been due. Workers carry them out, the oldest first.

  ` + a.Name + ` deployment backfill FLOW/NAME --from 2021-01-01 --to 2021-12-31

` + deploymentRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			first, err := time.Parse(time.DateOnly, from)
			if err != nil {
				return Usage("--from %q: want year-month-day, such as 2021-01-01", from)
			}
			last, err := time.Parse(time.DateOnly, to)
			if err != nil {
				return Usage("--to %q: want year-month-day, such as 2021-12-31", to)
			}
			if last.Before(first) {
				return Usage("--to %s is before --from %s", to, from)
			}
			s, given, err := f.schedule()
			if err != nil {
				return err
			}
			b := schedule.Backfill{From: first, To: last.AddDate(0, 0, 1).Add(-1), Again: again}
			if given {
				b.Schedule = &s
			}
			return a.backfill(cmd.Context(), args[0], b)
		}}
	cmd.Flags().StringVar(&from, "from", "", "first day, such as 2021-01-01")
	cmd.Flags().StringVar(&to, "to", "", "last day, such as 2021-12-31")
	cmd.Flags().BoolVar(&again, "again", false, "also for instants that had a run")
	f.add(cmd.Flags())
	return cmd
}

func (a *App) backfill(ctx context.Context, ref string, b schedule.Backfill) error {
	return a.withDeployment(ctx, ref, func(h *history.Store, d schedule.Record) error {
		runs, there, err := h.Backfill(ctx, d.ID, b)
		if err != nil {
			return err
		}
		if there > 0 {
			a.Note("%d runs were there already; --again makes others", there)
		}
		return a.Show(map[string]any{"flow_runs": enginehttp.NewFlowRuns(runs), "already_there": there}, func() {
			rows := [][]string{{"ID", "NAME", "OF"}}
			for _, r := range runs {
				rows = append(rows, []string{r.ID, r.Name, inZone(r.ExpectedStart, d.Spec)})
			}
			a.Table(rows)
		})
	})
}
