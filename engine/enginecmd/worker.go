package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// workerFlags are what the user typed.
type workerFlags struct {
	pool, name    string
	api, token    string
	queues, flows []string
	limit         int
	prefetch      time.Duration
	lease         time.Duration
	leaseID       string
	here, verbose bool
}

// leaseLeast is the shortest lease that can be asked for.
const leaseLeast = time.Second

// addServer adds the flags that name a server.
func (f *workerFlags) addServer(flags *pflag.FlagSet) {
	flags.StringVar(&f.api, "api", "", "server that has the runs and keeps their records, such as http://127.0.0.1:5000 (default the home)")
	flags.StringVar(&f.token, "token", "", "that the server of --api wants (default as the server's)")
	flags.DurationVar(&f.lease, "lease", enginehttp.DefaultLease, "a run of which the server of --api has not heard for so long is Crashed")
}

func (a *App) WorkerCommand() *cobra.Command {
	var f workerFlags
	start := &cobra.Command{Use: "start", Short: "Run what is due in a work pool, until stopped",
		Long: `Take runs that are due from a work pool and carry them out, each in a process of its
own, until stopped. A pool that is not there is made. What a run prints there on
stdout is in its log, too. The first SIGTERM or Ctrl-C lets the runs that are under
way finish and gives back the others; a second ends the worker at once, and its runs
go on by themselves.

The server has a worker of the default pool in it: this is for more, or for other
pools. With --api it may be on another machine: it hears from the server what to
run, and records there what becomes of it. Its home then holds what the flows need
beside their records, and nothing of the server's.`,
		Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.startWorker(cmd.Context(), f) }}
	flags := start.Flags()
	flags.StringVarP(&f.pool, "pool", "p", schedule.DefaultPool, "work pool")
	flags.StringSliceVarP(&f.queues, "work-queue", "q", nil, "take runs of these queues only (default all)")
	flags.StringVarP(&f.name, "name", "n", "", "of the worker (default the host's)")
	flags.IntVarP(&f.limit, "limit", "l", 0, "runs at once (default any number)")
	flags.DurationVar(&f.prefetch, "prefetch", 10*time.Second, "claim a run so long before it is due")
	f.addServer(flags)
	flags.BoolVar(&f.here, "in-process", false, "run flows in this process instead of one each")
	flags.BoolVar(&f.verbose, "verbose", false, "log more")
	return Group("worker", "Run what is due, and list who does", start, a.executeCommand(),
		&cobra.Command{Use: "ls", Short: "List the workers", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.listWorkers(cmd.Context()) }})
}

func (a *App) startWorker(ctx context.Context, f workerFlags) error {
	for _, flow := range a.Flows {
		f.flows = append(f.flows, flow.Info().Name)
	}
	if f.limit < 0 {
		return Usage("--limit %d: want at least 1, or nothing for any number", f.limit)
	}
	log := a.Logger(f.verbose)
	if f.api != "" {
		return a.startFar(ctx, f, log)
	}
	if f.token != "" {
		return Usage("--token is for the server of --api: give that too")
	}
	return a.WithHistory(ctx, func(h *history.Store) error {
		r, err := a.runner(h, f.here)
		if err != nil {
			return err
		}
		return a.work(ctx, h, r, f, log)
	})
}

// workSource is where a worker hears what to run, and has runs planned.
type workSource interface {
	worker.Source
	worker.Planner
}

// work runs a worker until ctx is done. It plans too, so that deployments run without
// a server, or with one that leaves that to workers.
func (a *App) work(ctx context.Context, source workSource, r worker.Runner, f workerFlags, log *slog.Logger) error {
	w := f.worker(source, r, log)
	var helpers sync.WaitGroup
	planning, stop := context.WithCancel(ctx)
	defer helpers.Wait()
	defer stop()
	if _, err := source.Plan(ctx, time.Now()); err != nil { // which says what is wrong with the server, once
		return err
	}
	helpers.Go(func() { (&worker.Scheduler{Planner: source, Log: log}).Run(planning) })
	if a.JSON {
		if err := a.PrintJSON(map[string]string{"pool": f.pool, "state": "started"}); err != nil {
			return err
		}
	}
	return w.Run(ctx)
}

func (f workerFlags) worker(source worker.Source, r worker.Runner, log *slog.Logger) *worker.Worker {
	w := &worker.Worker{Source: source, Runner: r, Name: f.name, Pool: f.pool, Queues: f.queues, Flows: f.flows, Limit: f.limit, Prefetch: f.prefetch, Log: log}
	if f.api != "" { // it is not missed much later than its runs
		w.Every = min(worker.DefaultEvery, f.lease/(worker.Missed+1))
	}
	return w
}

func (a *App) listWorkers(ctx context.Context) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		list, err := h.Workers(ctx, "")
		if err != nil {
			return err
		}
		if list == nil {
			list = []worker.Status{}
		}
		return a.Show(map[string]any{"workers": list}, func() {
			if len(list) == 0 {
				fmt.Fprintf(a.Out, "no worker: \"%s server\" has one in it, \"%[1]s worker start\" is one\n", a.Name)
				return
			}
			rows := [][]string{{"ID", "NAME", "POOL", "QUEUES", "STATE", "RUNS", "SEEN"}}
			for _, w := range list {
				state, queues := "OFFLINE", "all"
				if w.Online {
					state = "ONLINE"
				}
				if len(w.Queues) > 0 {
					queues = strings.Join(w.Queues, ",")
				}
				rows = append(rows, []string{w.ID, w.Name, w.Pool, queues, state, fmt.Sprint(w.Running), Ago(w.Seen)})
			}
			a.Table(rows)
		})
	})
}

// serverDrain is how long a server that stops waits for what it runs; then those
// processes go on by themselves.
const serverDrain = 10 * time.Second

// WorkWithin makes the deployments of the program where they are not, and runs a scheduler
// and a worker of the default pool until ctx is done.
func (a *App) WorkWithin(ctx context.Context, running *sync.WaitGroup, h *history.Store, log *slog.Logger) error {
	for _, d := range a.Deployments {
		_, err := h.FindDeployment(ctx, d.Ref())
		if errors.Is(err, engine.ErrNotFound) {
			_, err = h.ApplyDeployments(ctx, []schedule.Deployment{d})
		}
		if err != nil {
			return fmt.Errorf("make deployment %s: %w", d.Ref(), err)
		}
	}
	r, err := a.runner(h, false)
	if err != nil {
		return err
	}
	w := workerFlags{pool: schedule.DefaultPool, name: "server"}.worker(h, r, log)
	w.Drain = serverDrain
	running.Go(func() { (&worker.Scheduler{Planner: h, Log: log}).Run(ctx) })
	running.Go(func() {
		if err := w.Run(ctx); err != nil && ctx.Err() == nil {
			log.Error("run what is scheduled", "error", err)
		}
	})
	return nil
}
