package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/registry/mlflowstore"
	"github.com/taximeter/taximeter/registry/store"
)

func (a *app) importCommand() *cobra.Command {
	var artifacts string
	cmd := &cobra.Command{
		Use:   "import mlflow.db|mlruns",
		Short: "Take over experiments, runs and models of an MLflow store",
		Long: `Copy everything in a store of MLflow's own (a mlflow.db of MLflow 2 or 3, or a
mlruns folder) into the home's registry: experiments, runs with all their points,
datasets, logged models, registered models with stages and aliases, what is
deleted, and the artifacts. The store is only read, and may be in use. Doing it
again adds what is new; what is here already is left as it is.`,
		Args: enginecmd.Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.importStore(cmd.Context(), args[0], artifacts) },
	}
	cmd.Flags().StringVar(&artifacts, "artifacts", "", "what the server of the store had as --artifacts-destination (default: mlartifacts beside the store)")
	return cmd
}

func (a *app) importStore(ctx context.Context, path, artifacts string) error {
	artifacts, err := existingDir("--artifacts", artifacts)
	if err != nil {
		return err
	}
	archive, err := mlflowstore.Open(ctx, path, artifacts)
	if err != nil {
		return enginecmd.Usage("%w", err).Hint("name a mlflow.db or a mlruns folder")
	}
	defer archive.Close()
	dir, err := a.HomeDir()
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, dir)
	if err != nil {
		return fmt.Errorf("open the registry: %w", err)
	}
	defer s.Close()
	told := time.Now()
	done, err := s.Import(ctx, archive, func(so store.Imported) {
		if time.Since(told) >= 2*time.Second {
			told = time.Now()
			a.Note("%d runs, %d points, %d files (%d MB) so far", so.Runs, so.Points, so.Files, so.Bytes>>20)
		}
	})
	if err != nil {
		return enginecmd.Failure(enginecmd.ExitFailed, err).Hint("what was taken over stays; do it again to go on")
	}
	return a.Show(done, func() {
		fmt.Fprintf(a.Out, "added %d experiments, %d runs with %d points, %d logged models, %d registered models with %d versions, %d files (%d bytes)\n",
			done.Experiments, done.Runs, done.Points, done.LoggedModels, done.Models, done.Versions, done.Files, done.Bytes)
		for _, n := range done.Notes {
			fmt.Fprintf(a.Out, "note: %s\n", n)
		}
	})
}
