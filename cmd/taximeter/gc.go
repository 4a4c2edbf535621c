package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// gcCommand has the flags of "mlflow gc".
func (a *app) gcCommand() *cobra.Command {
	var g store.Garbage
	var olderThan string
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove deleted runs, experiments and logged models for good",
		Long: `Remove what was deleted for good, with its artifacts: runs, logged models, and
experiments with all in them. What a model version still needs is kept. The
home's registry may be in use meanwhile.`,
		Args: enginecmd.Wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if g.OlderThan, err = enginecmd.ParseAge(olderThan); err != nil {
				return enginecmd.Usage("--older-than %v", err)
			}
			return a.collectGarbage(cmd.Context(), g)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&olderThan, "older-than", "0s", "only what was deleted longer ago than this, such as 30d or 1d12h")
	flags.StringSliceVar(&g.RunIDs, "run-ids", nil, "only these runs")
	flags.StringSliceVar(&g.ExperimentIDs, "experiment-ids", nil, "only these experiments")
	flags.StringSliceVar(&g.LoggedModelIDs, "logged-model-ids", nil, "only these logged models")
	flags.BoolVar(&g.DryRun, "dry-run", false, "only tell what would be removed")
	return cmd
}

func (a *app) collectGarbage(ctx context.Context, g store.Garbage) error {
	dir, err := a.HomeDir()
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, dir)
	if err != nil {
		return fmt.Errorf("open the registry: %w", err)
	}
	defer s.Close()
	done, err := s.GC(ctx, g)
	if registry.CodeOf(err) == registry.InvalidParameterValue || registry.CodeOf(err) == registry.ResourceDoesNotExist {
		return enginecmd.Usage("%w", err)
	}
	if err != nil {
		return err
	}
	return a.Show(done, func() {
		verb := "removed"
		if g.DryRun {
			verb = "would remove"
		}
		fmt.Fprintf(a.Out, "%s %d runs, %d logged models, %d experiments\n", verb, len(done.Runs), len(done.LoggedModels), len(done.Experiments))
		for _, k := range done.Kept {
			fmt.Fprintf(a.Out, "kept %s: %s\n", k.ID, k.Reason)
		}
	})
}
