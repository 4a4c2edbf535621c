package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"
)

func (a *app) databaseCommand() *cobra.Command {
	open := func(ctx context.Context) error {
		h, t, err := a.openBoth(ctx, "")
		if err != nil {
			return err
		}
		return both(h.Close, t.Close)
	}
	return enginecmd.Group("database", "Back up, empty and bring up to date what the home keeps", a.BackupCommand(), a.MigrateCommand(open),
		a.ResetCommand("engine.db", "registry.db", "results", "owners", "artifacts"))
}
