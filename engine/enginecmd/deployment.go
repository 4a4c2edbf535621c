package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
)

func (a *App) DeploymentCommand() *cobra.Command {
	var file string
	apply := &cobra.Command{Use: "apply [FILE]", Short: "Create or update the deployments of a file, all or none", Args: Wants(0, 1),
		Long: "Create or update the deployments of a file, by default " + a.fileName() + ": all of them or, where\nanything in it is wrong, none. Runs that are under way stay as they are.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				file = args[0]
			}
			return a.applyFile(cmd.Context(), file)
		}}
	file = a.fileName()
	inspect := &cobra.Command{Use: "inspect DEPLOYMENT", Short: "Show a deployment with its next and its last runs", Long: "Show a deployment with its next and its last runs; with -o yaml, as " + a.fileName() + " has it.\n" + deploymentRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inspectDeployment(cmd.Context(), args[0])
		}}
	return Group("deployment", "Schedule flows, and run them with their parameters",
		&cobra.Command{Use: "ls", Short: "List the deployments", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.listDeployments(cmd.Context()) }},
		inspect, apply, a.deploymentRunCommand(), a.setScheduleCommand(), a.backfillCommand(),
		a.pauseDeploymentCommand("pause", "Let a deployment's schedules make no more runs, and take back those ahead", true),
		a.pauseDeploymentCommand("resume", "Let a deployment's schedules make runs again", false),
		&cobra.Command{Use: "delete DEPLOYMENT", Short: "Delete a deployment and the runs it has ahead", Long: "Delete a deployment and the runs it has ahead; other runs stay. " + deploymentRefs, Args: Wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.deleteDeployment(cmd.Context(), args[0]) }},
	)
}

const deploymentRefs = "DEPLOYMENT is flow/name, a\nname that only one has, an ID or the beginning of one."

// WithHistory opens the history for the time that do takes.
func (a *App) WithHistory(ctx context.Context, do func(*history.Store) error) error {
	h, err := a.OpenHistory(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(h), h.Close())
}

// withDeployment opens the history and finds the deployment that ref names.
func (a *App) withDeployment(ctx context.Context, ref string, do func(*history.Store, schedule.Record) error) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		d, err := h.FindDeployment(ctx, ref)
		if errors.Is(err, engine.ErrNotFound) {
			return a.lostDeployment(ctx, h, err, ref)
		}
		if err != nil {
			return err
		}
		return do(h, d)
	})
}

// lostDeployment is lost for a deployment that is called otherwise.
func (a *App) lostDeployment(ctx context.Context, h *history.Store, err error, ref string) error {
	list, other := h.Deployments(ctx)
	if other != nil {
		return errors.Join(err, other)
	}
	var names []string
	for _, d := range list {
		names = append(names, d.Spec.Ref())
		if !strings.Contains(ref, "/") {
			names[len(names)-1] = d.Spec.Name
		}
	}
	return a.missing("deployment", ref, names)
}

// checkDeployment checks what only the flow knows: that it is there, and what
// parameters it takes.
func (a *App) checkDeployment(d schedule.Deployment) error {
	if err := d.Check(a.Flows); err != nil {
		return Usage("%v", err)
	}
	return nil
}

func (a *App) applyFile(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Usage("there is no %s here", file).Hint("it has a list of deployments, each with at least a name and a flow")
	}
	if err != nil {
		return fmt.Errorf("read the deployments: %w", err)
	}
	list, err := schedule.ParseFile(file, text, a.Flows...)
	if err != nil {
		return Failure(ExitUsage, err).Hint("nothing was applied")
	}
	return a.apply(ctx, list)
}

func (a *App) apply(ctx context.Context, list []schedule.Deployment) error {
	for _, d := range list {
		if err := a.checkDeployment(d); err != nil {
			return err
		}
	}
	return a.WithHistory(ctx, func(h *history.Store) error {
		applied, err := h.ApplyDeployments(ctx, list)
		if err != nil {
			return err
		}
		return a.Show(map[string]any{"deployments": applied}, func() {
			for _, d := range applied {
				fmt.Fprintf(a.Out, "%s  %s  %s\n", d.ID, d.Spec.Ref(), schedulesText(d.Spec))
			}
		})
	})
}

func schedulesText(d schedule.Deployment) string {
	var parts []string
	for _, s := range d.Schedules {
		text := s.String()
		if s.Inactive {
			text += " (inactive)"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		parts = []string{"no schedule"}
	}
	if d.Paused {
		parts = append(parts, "paused")
	}
	return strings.Join(parts, "; ")
}

func (a *App) listDeployments(ctx context.Context) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		list, err := h.Deployments(ctx)
		if err != nil {
			return err
		}
		if list == nil {
			list = []schedule.Record{}
		}
		return a.Show(map[string]any{"deployments": list}, func() {
			if len(list) == 0 {
				fmt.Fprintf(a.Out, "no deployment yet: \"%s deploy FLOW -n NAME\" makes one\n", a.Name)
				return
			}
			rows := [][]string{{"ID", "DEPLOYMENT", "SCHEDULES", "POOL/QUEUE"}}
			for _, d := range list {
				rows = append(rows, []string{d.ID, d.Spec.Ref(), schedulesText(d.Spec), d.Spec.Pool + "/" + d.Spec.Queue})
			}
			a.Table(rows)
		})
	})
}

const runsShown = 10

func (a *App) inspectDeployment(ctx context.Context, ref string) error {
	return a.withDeployment(ctx, ref, func(h *history.Store, d schedule.Record) error {
		if a.Output == "yaml" {
			return a.PrintJSON(map[string]any{"deployments": []schedule.Deployment{d.Spec}})
		}
		upcoming, err := h.DeploymentRuns(ctx, d.Spec, true, runsShown)
		if err != nil {
			return err
		}
		last, err := h.DeploymentRuns(ctx, d.Spec, false, runsShown)
		if err != nil {
			return err
		}
		object := map[string]any{"deployment": d, "upcoming": enginehttp.NewFlowRuns(upcoming), "runs": enginehttp.NewFlowRuns(last)}
		return a.Show(object, func() {
			fmt.Fprintf(a.Out, "%s  %s\n", d.ID, d.Spec.Ref())
			if d.Spec.Description != "" {
				fmt.Fprintln(a.Out, d.Spec.Description)
			}
			fmt.Fprintf(a.Out, "params    %s\npool      %s, queue %s\ncatch up  %s\non crash  %s\n", d.Spec.Parameters, d.Spec.Pool, d.Spec.Queue, d.Spec.CatchUp, d.Spec.OnCrash)
			if d.Spec.Limit > 0 {
				fmt.Fprintf(a.Out, "limit     %d at once, %s\n", d.Spec.Limit, d.Spec.Collision)
			}
			for _, s := range d.Spec.Schedules {
				fmt.Fprintf(a.Out, "schedule  %s: %s\n", s.Slug, schedulesText(schedule.Deployment{Schedules: []schedule.Schedule{s}, Paused: d.Spec.Paused}))
			}
			a.dueTable("NEXT", upcoming, d.Spec)
			a.dueTable("LAST", last, d.Spec)
		})
	})
}

func (a *App) dueTable(title string, runs []engine.FlowRun, d schedule.Deployment) {
	if len(runs) == 0 {
		return
	}
	rows := [][]string{{title, "NAME", "STATE", "DUE"}}
	for i, shown := range runs {
		rows = append(rows, []string{shown.ID, shown.Name, stateText(runs[i].State), inZone(runs[i].ExpectedStart, d)})
	}
	fmt.Fprintln(a.Out)
	a.Table(rows)
}

// inZone shows a time in the zone of the deployment's first schedule.
func inZone(t time.Time, d schedule.Deployment) string {
	loc := time.UTC
	if len(d.Schedules) > 0 {
		if l, err := time.LoadLocation(d.Schedules[0].TimeZone); err == nil {
			loc = l
		}
	}
	return t.In(loc).Format("2006-01-02 15:04:05 MST")
}

func (a *App) pauseDeploymentCommand(verb, short string, paused bool) *cobra.Command {
	var slug string
	cmd := &cobra.Command{Use: verb + " DEPLOYMENT", Short: short, Long: short + ". " + deploymentRefs, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeDeployment(cmd.Context(), args[0], func(d *schedule.Deployment) error {
				if slug == "" {
					d.Paused = paused
					return nil
				}
				i := slices.IndexFunc(d.Schedules, func(s schedule.Schedule) bool { return s.Slug == slug })
				if i < 0 {
					return Usage("deployment %s has no schedule %q", d.Ref(), slug)
				}
				d.Schedules[i].Inactive = paused
				return nil
			})
		}}
	cmd.Flags().StringVar(&slug, "slug", "", "only the schedule with this slug")
	return cmd
}

func (a *App) changeDeployment(ctx context.Context, ref string, edit func(*schedule.Deployment) error) error {
	return a.withDeployment(ctx, ref, func(h *history.Store, d schedule.Record) error {
		edited := d.Spec
		edited.Schedules = slices.Clone(d.Spec.Schedules)
		if err := edit(&edited); err != nil {
			return err
		}
		if err := a.checkDeployment(edited); err != nil {
			return err
		}
		kept, err := h.ChangeDeployment(ctx, d.ID, edit)
		if err != nil {
			return Failure(ExitUsage, err)
		}
		return a.Show(map[string]any{"deployment": kept}, func() {
			fmt.Fprintf(a.Out, "%s  %s  %s\n", kept.ID, kept.Spec.Ref(), schedulesText(kept.Spec))
		})
	})
}

func (a *App) deleteDeployment(ctx context.Context, ref string) error {
	return a.withDeployment(ctx, ref, func(h *history.Store, d schedule.Record) error {
		if err := h.DeleteDeployment(ctx, d.ID); err != nil {
			return err
		}
		return a.Show(map[string]any{"deleted": d.Spec.Ref()}, func() { fmt.Fprintf(a.Out, "deleted %s\n", d.Spec.Ref()) })
	})
}
