package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
)

// DatabaseCommand is "database" of a program that keeps nothing but flow runs.
func (a *App) DatabaseCommand() *cobra.Command {
	return Group("database", "Back up, empty and bring up to date what the home keeps", a.BackupCommand(), a.ResetCommand("engine.db", "results", "owners"), a.MigrateCommand(func(ctx context.Context) error {
		return a.WithHistory(ctx, func(*history.Store) error { return nil })
	}))
}

// MigrateCommand brings the databases in the home up to date by opening them.
func (a *App) MigrateCommand(open func(context.Context) error) *cobra.Command {
	return &cobra.Command{Use: "migrate", Short: "Bring the databases up to date, as each command does", Args: Wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := open(cmd.Context()); err != nil {
				return err
			}
			home, err := a.HomeDir()
			if err != nil {
				return err
			}
			return a.Show(map[string]string{"home": home}, func() { fmt.Fprintf(a.Out, "%s is up to date\n", home) })
		}}
}

// ResetCommand removes what the home keeps under these names, once it is sure that
// nobody uses it.
func (a *App) ResetCommand(names ...string) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{Use: "reset", Short: "Delete everything that the home keeps", Args: Wants(0, 0),
		Long: "Delete everything that the home keeps, for good, except its settings. Stop what works\non it first: a run that is under way keeps it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes {
				return Usage("database reset deletes everything in the home for good").Hint("--yes says that this is meant")
			}
			return a.reset(cmd.Context(), names)
		}}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "it is meant")
	return cmd
}

func (a *App) reset(ctx context.Context, names []string) error {
	home, err := a.HomeDir()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(home, "engine.db")); err == nil {
		if err := a.WithHistory(ctx, func(h *history.Store) error { return a.idle(ctx, h) }); err != nil {
			return err
		}
	}
	removed := []string{}
	for _, name := range names {
		for _, path := range []string{name, name + "-wal", name + "-shm", name + ".lock"} {
			path = filepath.Join(home, path)
			if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("reset the home: %w", err)
			}
			removed = append(removed, path)
		}
	}
	return a.Show(map[string]any{"home": home, "removed": removed}, func() { fmt.Fprintf(a.Out, "removed %d files and folders from %s\n", len(removed), home) })
}

// idle refuses a history that a living process carries out a run of, or works on.
func (a *App) idle(ctx context.Context, h *history.Store) error {
	workers, err := h.Workers(ctx, "")
	if err != nil {
		return err
	}
	for _, w := range workers {
		if w.Online {
			return Usage("worker %s (process %d) works on this home", w.Name, w.PID).Hint("stop it first")
		}
	}
	if err := a.Reap(ctx, h); err != nil {
		return err
	}
	running, err := h.Search(ctx, engine.RunQuery{States: []engine.StateType{engine.TypeRunning, engine.TypeCancelling}, Limit: 1})
	if err != nil {
		return err
	}
	if len(running) > 0 {
		return Usage("flow run %s (%s) is under way", running[0].ID, running[0].Name).Hint("%s flow-run cancel %s ends it", a.Name, running[0].ID)
	}
	return nil
}
