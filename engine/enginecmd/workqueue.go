package enginecmd

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

func (a *App) WorkQueueCommand() *cobra.Command {
	var pool string
	var limit, priority, most int
	run := func(do func(ctx context.Context, name string, args []string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error { return do(cmd.Context(), args[0], args) }
	}
	create := &cobra.Command{Use: "create NAME", Short: "Make a work queue", Args: Wants(1, 1), RunE: run(func(ctx context.Context, name string, _ []string) error {
		if priority < 1 || limit < 0 {
			return Usage("--priority %d, --limit %d: want at least 1, and at least 0", priority, limit)
		}
		return a.putQueue(ctx, pool, name, true, func(q *worker.Queue) { q.Priority, q.Limit = priority, limit })
	})}
	create.Flags().IntVar(&priority, "priority", worker.DefaultPriority, "1 is the most urgent")
	create.Flags().IntVar(&limit, "limit", 0, "runs at once (default any number)")
	preview := &cobra.Command{Use: "preview NAME", Short: "List what waits in a queue, in the order in which it is run", Args: Wants(1, 1),
		RunE: run(func(ctx context.Context, name string, _ []string) error {
			if _, err := a.findQueue(ctx, pool, name); err != nil {
				return err
			}
			return a.preview(ctx, pool, []string{name}, most)
		})}
	preview.Flags().IntVar(&most, "limit", 20, "how many")
	pause := func(use, short string, paused bool) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: Wants(1, 1), RunE: run(func(ctx context.Context, name string, _ []string) error {
			return a.putQueue(ctx, pool, name, false, func(q *worker.Queue) { q.Paused = paused })
		})}
	}
	number := func(use, short string, set func(q *worker.Queue, n int)) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: Wants(2, 2), RunE: run(func(ctx context.Context, name string, args []string) error {
			n, err := parseLimit(args[1])
			if err != nil {
				return err
			}
			return a.putQueue(ctx, pool, name, false, func(q *worker.Queue) { set(q, n) })
		})}
	}
	g := Group("work-queue", "Parts of a work pool, with priorities and limits", create, preview,
		&cobra.Command{Use: "ls", Short: "List the work queues, the most urgent first", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.listQueues(cmd.Context()) }},
		&cobra.Command{Use: "inspect NAME", Short: "Show a work queue", Args: Wants(1, 1), RunE: run(func(ctx context.Context, name string, _ []string) error { return a.inspectQueue(ctx, pool, name) })},
		pause("pause NAME", "Begin no more runs of a queue", true), pause("resume NAME", "Begin runs of a queue again", false),
		number("set-limit NAME RUNS", "Set how many runs of a queue go at once; 0 is any number", func(q *worker.Queue, n int) { q.Limit = n }),
		number("set-priority NAME NUMBER", "Set a queue's priority; 1 is the most urgent", func(q *worker.Queue, n int) { q.Priority = max(1, n) }),
	)
	g.PersistentFlags().StringVarP(&pool, "pool", "p", schedule.DefaultPool, "work pool that the queue is in")
	return g
}

func (a *App) putQueue(ctx context.Context, pool, name string, create bool, edit func(*worker.Queue)) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		q, err := h.PutQueue(ctx, pool, name, create, edit)
		if create && err != nil {
			return Failure(ExitUsage, err)
		}
		if err != nil {
			return a.lost(err, "work-queue")
		}
		return a.Show(map[string]any{"work_queue": q}, func() { a.queueTable([]worker.Queue{q}) })
	})
}

func (a *App) queueTable(queues []worker.Queue) {
	rows := [][]string{{"POOL", "QUEUE", "PRIORITY", "LIMIT", "STATUS", "POLLED"}}
	for _, q := range queues {
		rows = append(rows, []string{q.Pool, q.Name, strconv.Itoa(q.Priority), limitText(q.Limit), pausedText(q.Paused), Ago(q.Polled)})
	}
	a.Table(rows)
}

func (a *App) listQueues(ctx context.Context) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		queues, err := h.Queues(ctx, "")
		if err != nil {
			return err
		}
		if queues == nil {
			queues = []worker.Queue{}
		}
		return a.Show(map[string]any{"work_queues": queues}, func() { a.queueTable(queues) })
	})
}

func (a *App) findQueue(ctx context.Context, pool, name string) (q worker.Queue, err error) {
	err = a.WithHistory(ctx, func(h *history.Store) error {
		queues, err := h.Queues(ctx, pool)
		if err != nil {
			return err
		}
		var names []string
		for _, q = range queues {
			if q.Name == name {
				return nil
			}
			names = append(names, q.Name)
		}
		if len(names) == 0 {
			_, err := h.Pool(ctx, pool)
			return a.lostPool(ctx, h, err, pool)
		}
		return a.missing("work-queue", name, names)
	})
	return q, err
}

func (a *App) inspectQueue(ctx context.Context, pool, name string) error {
	q, err := a.findQueue(ctx, pool, name)
	if err != nil {
		return err
	}
	return a.Show(map[string]any{"work_queue": q}, func() { a.queueTable([]worker.Queue{q}) })
}
