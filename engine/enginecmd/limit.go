package enginecmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

// LimitCommand is "concurrency-limit".
func (a *App) LimitCommand() *cobra.Command {
	return Group("concurrency-limit", "How many tasks with a tag run at once, in all processes",
		&cobra.Command{Use: "create TAG SLOTS", Short: "Make or change the limit of a tag; with 0 slots none may run", Args: Wants(2, 2),
			RunE: func(cmd *cobra.Command, args []string) error {
				slots, err := strconv.Atoi(args[1])
				if err != nil || slots < 0 {
					return Usage("SLOTS %q: want a number of tasks, 0 for none", args[1])
				}
				return a.setLimit(cmd.Context(), args[0], slots)
			}},
		&cobra.Command{Use: "ls", Short: "List the limits", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.listLimits(cmd.Context()) }},
		&cobra.Command{Use: "inspect TAG", Short: "Show a limit with who has its slots", Args: Wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.inspectLimit(cmd.Context(), args[0]) }},
		&cobra.Command{Use: "delete TAG", Short: "Let any number of tasks with a tag run", Args: Wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.deleteLimit(cmd.Context(), args[0]) }},
	)
}

// showLimit shows a limit, to programs as the API has it.
func (a *App) showLimit(l engine.Limit, people func()) error {
	return a.Show(map[string]any{"concurrency_limit": enginehttp.NewLimit(l)}, people)
}

// withLimit finds the limit of a name.
func (a *App) withLimit(ctx context.Context, name string, do func(*history.Store, engine.Limit) error) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		limits, err := h.Limits(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(limits, func(l engine.Limit) bool { return l.Name == name })
		if i < 0 {
			var names []string
			for _, l := range limits {
				names = append(names, l.Name)
			}
			return a.missing("concurrency-limit", name, names)
		}
		return do(h, limits[i])
	})
}

func (a *App) setLimit(ctx context.Context, name string, slots int) error {
	err := a.WithHistory(ctx, func(h *history.Store) error { return h.SetLimit(ctx, name, slots) })
	if err != nil {
		return err
	}
	return a.withLimit(ctx, name, func(_ *history.Store, l engine.Limit) error {
		return a.showLimit(l, func() { fmt.Fprintf(a.Out, "%s  %d at once\n", l.Name, l.Slots) })
	})
}

func (a *App) listLimits(ctx context.Context) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		limits, err := h.Limits(ctx)
		if err != nil {
			return err
		}
		rows := [][]string{{"TAG", "SLOTS", "TAKEN"}}
		for _, l := range limits {
			rows = append(rows, []string{l.Name, strconv.Itoa(l.Slots), strconv.Itoa(len(l.Holders))})
		}
		return a.Show(map[string]any{"concurrency_limits": enginehttp.NewLimits(limits)}, func() {
			if len(limits) == 0 {
				fmt.Fprintf(a.Out, "no limit: \"%s concurrency-limit create TAG SLOTS\" makes one\n", a.Name)
				return
			}
			a.Table(rows)
		})
	})
}

func (a *App) inspectLimit(ctx context.Context, name string) error {
	return a.withLimit(ctx, name, func(_ *history.Store, l engine.Limit) error {
		return a.showLimit(l, func() {
			fmt.Fprintf(a.Out, "%s  %d of %d slots taken\n", l.Name, len(l.Holders), l.Slots)
			for _, h := range l.Holders {
				fmt.Fprintf(a.Out, "  %s %s\n", h.FlowRunID, h.TaskKey)
			}
		})
	})
}

func (a *App) deleteLimit(ctx context.Context, name string) error {
	return a.withLimit(ctx, name, func(h *history.Store, _ engine.Limit) error {
		if err := h.SetLimit(ctx, name, -1); err != nil {
			return err
		}
		return a.Show(map[string]any{"deleted": name}, func() { fmt.Fprintf(a.Out, "deleted %s\n", name) })
	})
}
