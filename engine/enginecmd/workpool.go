package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

func (a *App) WorkPoolCommand() *cobra.Command {
	var p worker.Pool
	create := &cobra.Command{Use: "create NAME", Short: "Make a work pool", Args: Wants(1, 1), RunE: func(cmd *cobra.Command, args []string) error {
		p.Name = args[0]
		return a.createPool(cmd.Context(), p)
	}}
	create.Flags().StringVarP(&p.Type, "type", "t", worker.Process, "of the pool: process is the only one")
	create.Flags().StringVar(&p.Description, "description", "", "what it is for")
	create.Flags().IntVar(&p.Limit, "limit", 0, "runs at once, of all its workers (default any number)")
	var limit int
	preview := &cobra.Command{Use: "preview NAME", Short: "List what waits in a pool, in the order in which it is run", Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.preview(cmd.Context(), args[0], nil, limit)
		}}
	preview.Flags().IntVar(&limit, "limit", 20, "how many")
	change := func(use, short string, most int, edit func(p *worker.Pool, args []string) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: Wants(most, most), RunE: func(cmd *cobra.Command, args []string) error {
			if err := edit(&worker.Pool{}, args); err != nil { // before anything is opened
				return err
			}
			return a.changePool(cmd.Context(), args[0], func(p *worker.Pool) { _ = edit(p, args) })
		}}
	}
	return Group("work-pool", "Where workers find runs", create, preview,
		&cobra.Command{Use: "ls", Short: "List the work pools", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.listPools(cmd.Context()) }},
		&cobra.Command{Use: "inspect NAME", Short: "Show a pool with its queues and workers", Args: Wants(1, 1), RunE: func(cmd *cobra.Command, args []string) error { return a.inspectPool(cmd.Context(), args[0]) }},
		change("pause NAME", "Begin no more runs of a pool", 1, func(p *worker.Pool, _ []string) error { p.Paused = true; return nil }),
		change("resume NAME", "Begin runs of a pool again", 1, func(p *worker.Pool, _ []string) error { p.Paused = false; return nil }),
		change("set-limit NAME RUNS", "Set how many runs of a pool go at once; 0 is any number", 2, func(p *worker.Pool, args []string) (err error) {
			p.Limit, err = parseLimit(args[1])
			return err
		}),
		&cobra.Command{Use: "delete NAME", Short: "Delete a pool that nothing is in", Args: Wants(1, 1), RunE: func(cmd *cobra.Command, args []string) error {
			return a.WithHistory(cmd.Context(), func(h *history.Store) error {
				if err := h.DeletePool(cmd.Context(), args[0]); err != nil {
					return a.lostPool(cmd.Context(), h, err, args[0])
				}
				return a.Show(map[string]any{"deleted": args[0]}, func() { fmt.Fprintf(a.Out, "deleted %s\n", args[0]) })
			})
		}},
	)
}

func parseLimit(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, Usage("limit %q: want a number of runs, 0 for any", text)
	}
	return n, nil
}

// lost adds to an error about what is not there where to look for it.
func (a *App) lost(err error, noun string) error {
	if errors.Is(err, engine.ErrNotFound) {
		return Failure(ExitFailed, err).Hint("\"%s %s ls\" lists them", a.Name, noun)
	}
	return err
}

// missing says that there is no thing of a noun called word, and which may be meant.
func (a *App) missing(noun, word string, known []string) error {
	err := fmt.Errorf("there is no %s %q", strings.ReplaceAll(noun, "-", " "), word)
	if len(known) > 0 {
		err = fmt.Errorf("%w%s", err, schedule.Suggest(word, known))
	}
	return Failure(ExitFailed, err).Hint("\"%s %s ls\" lists them", a.Name, noun)
}

// lostPool is lost for a pool that is called otherwise.
func (a *App) lostPool(ctx context.Context, h *history.Store, err error, name string) error {
	pools, other := h.Pools(ctx)
	if !errors.Is(err, engine.ErrNotFound) || other != nil {
		return errors.Join(err, other)
	}
	var names []string
	for _, p := range pools {
		names = append(names, p.Name)
	}
	return a.missing("work-pool", name, names)
}

func limitText(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func pausedText(paused bool) string {
	if paused {
		return "PAUSED"
	}
	return "READY"
}

func (a *App) createPool(ctx context.Context, p worker.Pool) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		p, err := h.CreatePool(ctx, p)
		if err != nil {
			return Failure(ExitUsage, err)
		}
		return a.Show(map[string]any{"work_pool": p}, func() {
			fmt.Fprintf(a.Out, "made work pool %s; \"%s worker start -p %s\" works on it\n", p.Name, a.Name, p.Name)
		})
	})
}

func (a *App) changePool(ctx context.Context, name string, edit func(*worker.Pool)) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		p, err := h.ChangePool(ctx, name, edit)
		if err != nil {
			return a.lostPool(ctx, h, err, name)
		}
		return a.Show(map[string]any{"work_pool": p}, func() {
			fmt.Fprintf(a.Out, "%s  %s  limit %s\n", p.Name, pausedText(p.Paused), limitText(p.Limit))
		})
	})
}

// poolStatus is a pool's, or that it has no worker.
func poolStatus(p worker.Pool, workers []worker.Status) (status string, online int) {
	for _, w := range workers {
		if w.Online && w.Pool == p.Name {
			online++
		}
	}
	if online == 0 && !p.Paused {
		return "NOT_READY", 0
	}
	return pausedText(p.Paused), online
}

func (a *App) listPools(ctx context.Context) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		pools, err := h.Pools(ctx)
		if err != nil {
			return err
		}
		workers, err := h.Workers(ctx, "")
		if err != nil {
			return err
		}
		type shown struct {
			worker.Pool
			Status  string `json:"status"`
			Workers int    `json:"workers"` // that live
		}
		list := []shown{}
		rows := [][]string{{"NAME", "TYPE", "STATUS", "WORKERS", "LIMIT"}}
		for _, p := range pools {
			s := shown{Pool: p}
			s.Status, s.Workers = poolStatus(p, workers)
			list = append(list, s)
			rows = append(rows, []string{p.Name, p.Type, s.Status, strconv.Itoa(s.Workers), limitText(p.Limit)})
		}
		return a.Show(map[string]any{"work_pools": list}, func() {
			if len(list) == 0 {
				fmt.Fprintln(a.Out, "no work pool yet: the first worker or deployment makes the default one")
				return
			}
			a.Table(rows)
		})
	})
}

func (a *App) inspectPool(ctx context.Context, name string) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		p, err := h.Pool(ctx, name)
		if err != nil {
			return a.lostPool(ctx, h, err, name)
		}
		queues, err := h.Queues(ctx, name)
		if err != nil {
			return err
		}
		workers, err := h.Workers(ctx, name)
		if err != nil {
			return err
		}
		status, _ := poolStatus(p, workers)
		return a.Show(map[string]any{"work_pool": p, "status": status, "work_queues": queues, "workers": workers}, func() {
			fmt.Fprintf(a.Out, "%s  %s  %s  limit %s\n%s\n", p.Name, p.Type, status, limitText(p.Limit), p.Description)
			a.queueTable(queues)
			for _, w := range workers {
				state := "OFFLINE"
				if w.Online {
					state = "ONLINE"
				}
				fmt.Fprintf(a.Out, "worker %s  %s  %s  process %d on %s, %d runs\n", w.ID, w.Name, state, w.PID, w.Host, w.Running)
			}
		})
	})
}

func (a *App) preview(ctx context.Context, pool string, queues []string, limit int) error {
	if limit < 1 {
		return Usage("--limit %d: want at least 1", limit)
	}
	return a.WithHistory(ctx, func(h *history.Store) error {
		if _, err := h.Pool(ctx, pool); err != nil {
			return a.lostPool(ctx, h, err, pool)
		}
		due, err := h.Preview(ctx, pool, queues, limit)
		if err != nil {
			return err
		}
		rows := [][]string{{"ID", "NAME", "DEPLOYMENT", "QUEUE", "DUE", "WAITS BECAUSE"}}
		for _, d := range due {
			name := ""
			if d.Deployment != "" {
				name = d.Flow + "/" + d.Deployment
			}
			rows = append(rows, []string{d.ID, d.Name, name, d.Queue, d.NextStart.UTC().Format("2006-01-02 15:04:05 MST"), d.Why})
		}
		return a.Show(map[string]any{"due": enginehttp.NewDue(due)}, func() {
			if len(due) == 0 {
				fmt.Fprintln(a.Out, "nothing waits here")
				return
			}
			a.Table(rows)
		})
	})
}
