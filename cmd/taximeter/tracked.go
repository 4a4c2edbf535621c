package main

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/pipeline"
	"github.com/taximeter/taximeter/registry"
)

// trackedCommand is a command that reads the registry.
func (a *app) trackedCommand(use, short string, args cobra.PositionalArgs, do func(ctx context.Context, t *tracking, args []string) error) *cobra.Command {
	var uri string
	cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		resolved, err := a.trackingURI(uri)
		if err != nil {
			return err
		}
		t, err := a.openTracking(cmd.Context(), resolved)
		if err != nil {
			return err
		}
		defer t.Close()
		return do(cmd.Context(), t, args)
	}}
	cmd.Flags().StringVar(&uri, "tracking-uri", "", "address of an MLflow server (default $MLFLOW_TRACKING_URI, else the home's registry)")
	return cmd
}

func (a *app) experimentsCommand() *cobra.Command {
	return enginecmd.Group("experiments", "List and show experiments",
		a.trackedCommand("ls", "List experiments", enginecmd.Wants(0, 0), a.listExperiments),
		a.trackedCommand("show NAME|ID", "Show an experiment with its newest runs", enginecmd.Wants(1, 1), a.showExperiment))
}

func (a *app) listExperiments(ctx context.Context, t *tracking, _ []string) error {
	page, err := t.SearchExperiments(ctx, registry.ExperimentQuery{})
	if err != nil {
		return fmt.Errorf("list experiments: %w", err)
	}
	return a.Show(map[string]any{"experiments": enginecmd.OrEmpty(page.Items)}, func() {
		rows := [][]string{{"ID", "NAME", "UPDATED"}}
		for _, e := range page.Items {
			rows = append(rows, []string{e.ID, e.Name, enginecmd.Ago(time.UnixMilli(e.LastUpdateTime))})
		}
		a.Table(rows)
	})
}

// findExperiment finds an experiment by name or ID.
func findExperiment(ctx context.Context, t *tracking, ref string) (registry.Experiment, error) {
	e, err := t.GetExperimentByName(ctx, ref)
	if registry.CodeOf(err) == registry.ResourceDoesNotExist {
		if byID, err := t.GetExperiment(ctx, ref); err == nil {
			return byID, nil
		}
		return e, enginecmd.Failure(enginecmd.ExitFailed, fmt.Errorf("there is no experiment %q", ref)).Hint(`"taximeter experiments ls" lists them`)
	}
	if err != nil {
		err = fmt.Errorf("find experiment %q: %w", ref, err)
	}
	return e, err
}

func (a *app) showExperiment(ctx context.Context, t *tracking, args []string) error {
	e, err := findExperiment(ctx, t, args[0])
	if err != nil {
		return err
	}
	page, err := t.SearchRuns(ctx, registry.RunQuery{ExperimentIDs: []string{e.ID}, MaxResults: 50})
	if err != nil {
		return fmt.Errorf("list the runs of %s: %w", e.Name, err)
	}
	return a.Show(map[string]any{"experiment": e, "runs": enginecmd.OrEmpty(page.Items)}, func() {
		fmt.Fprintf(a.Out, "%s (%s), %s\nartifacts at %s\n\n", e.Name, e.ID, e.Lifecycle, e.ArtifactLocation)
		a.runTable(page.Items)
	})
}

func (a *app) runsCommand() *cobra.Command {
	var experiment, filter, order string
	var limit int
	ls := a.trackedCommand("ls", "List tracked runs", enginecmd.Wants(0, 0), func(ctx context.Context, t *tracking, _ []string) error {
		return a.listRuns(ctx, t, experiment, registry.RunQuery{Filter: filter, MaxResults: limit}, order)
	})
	ls.Flags().StringVar(&experiment, "experiment", pipeline.DefaultExperiment, "name or ID")
	ls.Flags().StringVar(&filter, "filter", "", `in MLflow's language, such as "metrics.rmse_valid < 6.5"`)
	ls.Flags().StringVar(&order, "order-by", "", `such as "metrics.rmse_valid ASC" (default: newest first)`)
	ls.Flags().IntVar(&limit, "limit", 50, "how many")
	return enginecmd.Group("runs", "List, show and clean up tracked runs", ls,
		a.trackedCommand("show RUN", "Show a tracked run, by its ID or the beginning of it", enginecmd.Wants(1, 1), a.showRun), a.gcCommand())
}

func (a *app) listRuns(ctx context.Context, t *tracking, experiment string, q registry.RunQuery, order string) error {
	if q.MaxResults < 1 {
		return enginecmd.Usage("--limit %d: want at least 1", q.MaxResults)
	}
	e, err := findExperiment(ctx, t, experiment)
	if err != nil {
		return err
	}
	q.ExperimentIDs = []string{e.ID}
	if order != "" {
		q.OrderBy = []string{order}
	}
	page, err := t.SearchRuns(ctx, q)
	if err != nil {
		return asUsage(fmt.Errorf("list the runs of %s: %w", e.Name, err))
	}
	return a.Show(map[string]any{"runs": enginecmd.OrEmpty(page.Items)}, func() { a.runTable(page.Items) })
}

// asUsage marks what the registry refused as a mistake of the caller's.
func asUsage(err error) error {
	if registry.CodeOf(err) == registry.InvalidParameterValue {
		return enginecmd.Usage("%w", err)
	}
	return err
}

func (a *app) runTable(runs []registry.Run) {
	if len(runs) == 0 {
		fmt.Fprintln(a.Out, "no runs")
		return
	}
	rows := [][]string{{"RUN", "NAME", "STATUS", "STARTED", "RMSE VALID", "INFERENCE"}}
	for _, r := range runs {
		valid, speed := "", ""
		if v, ok := r.Data.Metric("rmse_valid"); ok {
			valid = fmt.Sprintf("%.6f", v)
		}
		if v, ok := r.Data.Metric("inference_time"); ok {
			speed = perRow(v) + " a row"
		}
		rows = append(rows, []string{r.Info.RunID, r.Info.RunName, string(r.Info.Status), enginecmd.Ago(time.UnixMilli(r.Info.StartTime)), valid, speed})
	}
	a.Table(rows)
}

// findRun finds the tracked run that ref names: an ID, or the beginning of one (4
// characters at least) that only one has.
func findRun(ctx context.Context, t *tracking, ref string) (r registry.Run, err error) {
	r, err = t.GetRun(ctx, ref)
	if code := registry.CodeOf(err); code != registry.ResourceDoesNotExist && code != registry.InvalidParameterValue {
		return r, err
	}
	none := enginecmd.Failure(enginecmd.ExitFailed, fmt.Errorf("there is no run %q", ref)).Hint(`"taximeter runs ls" lists them`)
	if len(ref) < 4 || strings.Trim(ref, "0123456789abcdef") != "" {
		return r, none
	}
	all, err := t.SearchExperiments(ctx, registry.ExperimentQuery{})
	if err != nil {
		return r, fmt.Errorf("list experiments: %w", err)
	}
	q := registry.RunQuery{Filter: fmt.Sprintf("attributes.run_id LIKE '%s%%'", ref), MaxResults: 2}
	for _, e := range all.Items {
		q.ExperimentIDs = append(q.ExperimentIDs, e.ID)
	}
	page, err := t.SearchRuns(ctx, q)
	switch {
	case err != nil:
		return r, fmt.Errorf("find run %s: %w", ref, err)
	case len(page.Items) == 0:
		return r, none
	case len(page.Items) > 1:
		return r, enginecmd.Failure(enginecmd.ExitFailed, fmt.Errorf("several runs begin with %q: %s, %s, …", ref, page.Items[0].Info.RunID, page.Items[1].Info.RunID))
	}
	return page.Items[0], nil
}

func (a *app) showRun(ctx context.Context, t *tracking, args []string) error {
	r, err := findRun(ctx, t, args[0])
	if err != nil {
		return err
	}
	files, err := t.ListArtifacts(ctx, r.Info.RunID, "")
	if err != nil {
		return fmt.Errorf("list the artifacts of run %s: %w", args[0], err)
	}
	return a.Show(map[string]any{"run": r, "artifacts": enginecmd.OrEmpty(files)}, func() {
		fmt.Fprintf(a.Out, "%s  %s, %s, started %s\n", r.Info.RunID, r.Info.RunName, r.Info.Status, enginecmd.Ago(time.UnixMilli(r.Info.StartTime)))
		list := func(head string, rows [][2]string) {
			sort.Slice(rows, func(i, j int) bool { return rows[i][0] < rows[j][0] })
			fmt.Fprintf(a.Out, "\n%s\n", head)
			for _, row := range rows {
				fmt.Fprintf(a.Out, "  %-24s %s\n", row[0], row[1])
			}
		}
		var metrics, params, tags, artifacts [][2]string
		for _, m := range r.Data.Metrics {
			metrics = append(metrics, [2]string{m.Key, strconv.FormatFloat(m.Value, 'g', -1, 64)})
		}
		for _, p := range r.Data.Params {
			params = append(params, [2]string{p.Key, p.Value})
		}
		for _, tag := range r.Data.Tags {
			tags = append(tags, [2]string{tag.Key, tag.Value})
		}
		for _, f := range files {
			size := fmt.Sprintf("%d bytes", f.Size)
			if f.IsDir {
				size = "folder"
			}
			artifacts = append(artifacts, [2]string{f.Path, size})
		}
		list("metrics", metrics)
		list("params", params)
		list("tags", tags)
		list("artifacts", artifacts)
	})
}

func (a *app) modelsCommand() *cobra.Command {
	return enginecmd.Group("models", "List and show registered models",
		a.trackedCommand("ls", "List registered models", enginecmd.Wants(0, 0), a.listModels),
		a.trackedCommand("show NAME", "Show a registered model with its versions", enginecmd.Wants(1, 1), a.showModel))
}

func (a *app) listModels(ctx context.Context, t *tracking, _ []string) error {
	page, err := t.SearchRegisteredModels(ctx, registry.ModelQuery{})
	if err != nil {
		return fmt.Errorf("list models: %w", err)
	}
	return a.Show(map[string]any{"models": enginecmd.OrEmpty(page.Items)}, func() {
		if len(page.Items) == 0 {
			fmt.Fprintln(a.Out, `no model yet: "taximeter train" makes one`)
			return
		}
		rows := [][]string{{"NAME", "STAGE", "VERSION", "UPDATED"}}
		for _, m := range page.Items {
			for _, v := range m.LatestVersions {
				rows = append(rows, []string{m.Name, string(v.CurrentStage), v.Version, enginecmd.Ago(time.UnixMilli(v.LastUpdateTime))})
			}
		}
		a.Table(rows)
	})
}

func (a *app) showModel(ctx context.Context, t *tracking, args []string) error {
	m, err := t.GetRegisteredModel(ctx, args[0])
	if registry.CodeOf(err) == registry.ResourceDoesNotExist {
		return enginecmd.Failure(enginecmd.ExitFailed, fmt.Errorf("there is no registered model %q", args[0])).Hint(`"taximeter models ls" lists them`)
	}
	if err != nil {
		return fmt.Errorf("show model %s: %w", args[0], err)
	}
	page, err := t.SearchModelVersions(ctx, registry.ModelQuery{Filter: fmt.Sprintf("name = '%s'", m.Name), OrderBy: []string{"version_number DESC"}})
	if err != nil {
		return fmt.Errorf("list the versions of %s: %w", m.Name, err)
	}
	return a.Show(map[string]any{"model": m, "versions": enginecmd.OrEmpty(page.Items)}, func() {
		fmt.Fprintln(a.Out, m.Name)
		for _, alias := range m.Aliases {
			fmt.Fprintf(a.Out, "@%s is version %s\n", alias.Alias, alias.Version)
		}
		rows := [][]string{{"VERSION", "STAGE", "RUN", "CREATED", "DESCRIPTION"}}
		for _, v := range page.Items {
			rows = append(rows, []string{v.Version, string(v.CurrentStage), v.RunID, enginecmd.Ago(time.UnixMilli(v.CreationTime)), v.Description})
		}
		fmt.Fprintln(a.Out)
		a.Table(rows)
	})
}
