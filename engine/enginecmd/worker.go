package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// workerFlags are what the user typed.
type workerFlags struct {
	pool, name    string
	api, token    string
	queues        []string
	limit         int
	prefetch      time.Duration
	here, verbose bool
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
pools. With --api the worker hears from a server what to run, and has it plan. It
then still carries out the runs itself, so the home must be the server's: records
are written there, by this machine.`,
		Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.startWorker(cmd.Context(), f) }}
	flags := start.Flags()
	flags.StringVarP(&f.pool, "pool", "p", schedule.DefaultPool, "work pool")
	flags.StringSliceVarP(&f.queues, "work-queue", "q", nil, "take runs of these queues only (default all)")
	flags.StringVarP(&f.name, "name", "n", "", "of the worker (default the host's)")
	flags.IntVarP(&f.limit, "limit", "l", 0, "runs at once (default any number)")
	flags.DurationVar(&f.prefetch, "prefetch", 10*time.Second, "claim a run so long before it is due")
	flags.StringVar(&f.api, "api", "", "ask this server for runs, such as http://127.0.0.1:5000 (default the home)")
	flags.StringVar(&f.token, "token", "", fmt.Sprintf("that the server of --api wants (default $%s)", a.variable("TOKEN")))
	flags.BoolVar(&f.here, "in-process", false, "run flows in this process instead of one each")
	flags.BoolVar(&f.verbose, "verbose", false, "log more")
	execute := &cobra.Command{Use: "execute RUN", Short: "Carry out one run that a worker has claimed", Hidden: true, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.executeRun(cmd.Context(), args[0]) }}
	return Group("worker", "Run what is due, and list who does", start, execute,
		&cobra.Command{Use: "ls", Short: "List the workers", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.listWorkers(cmd.Context()) }})
}

func (a *App) startWorker(ctx context.Context, f workerFlags) error {
	if f.limit < 0 {
		return Usage("--limit %d: want at least 1, or nothing for any number", f.limit)
	}
	log := a.Logger(f.verbose)
	return a.WithHistory(ctx, func(h *history.Store) error {
		source, err := a.workSource(f, h)
		if err != nil {
			return err
		}
		w, err := a.newWorker(source, h, f, log)
		if err != nil {
			return err
		}
		var helpers sync.WaitGroup
		planning, stop := context.WithCancel(ctx)
		defer helpers.Wait()
		defer stop()
		// A worker plans too, so that deployments run without a server, or with one
		// that leaves that to workers.
		helpers.Go(func() { (&worker.Scheduler{Planner: source, Log: log}).Run(planning) })
		if a.JSON {
			if err := a.PrintJSON(map[string]string{"pool": f.pool, "state": "started"}); err != nil {
				return err
			}
		}
		return w.Run(ctx)
	})
}

func (a *App) newWorker(source worker.Source, h *history.Store, f workerFlags, log *slog.Logger) (*worker.Worker, error) {
	var runner worker.Runner = here{a, h}
	if !f.here {
		program, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program, to run flows with: %w", err)
		}
		home, err := a.HomeDir()
		if err != nil {
			return nil, err
		}
		runner = tidy{worker.Child{Command: func(run engine.FlowRun) *exec.Cmd {
			return exec.Command(program, "worker", "execute", run.ID, "--home", home)
		}}, a, h}
	}
	return &worker.Worker{Source: source, Runner: runner, Name: f.name, Pool: f.pool, Queues: f.queues, Limit: f.limit, Prefetch: f.prefetch, Log: log}, nil
}

// tidy ends what a run whose process is gone has left running in a registry.
type tidy struct {
	worker.Runner
	app *App
	h   *history.Store
}

// Run implements worker.Runner.
func (t tidy) Run(ctx context.Context, run engine.FlowRun) error {
	err := t.Runner.Run(ctx, run)
	if err != nil && !errors.Is(err, worker.ErrLeave) {
		return errors.Join(err, t.app.Reap(context.WithoutCancel(ctx), t.h))
	}
	return err
}

// here carries out runs in this process.
type here struct {
	app *App
	h   *history.Store
}

// Run implements worker.Runner.
func (r here) Run(ctx context.Context, run engine.FlowRun) error {
	return r.app.execute(ctx, r.h, run.ID)
}

// executeRun carries out a run in this process, which is there for nothing else.
func (a *App) executeRun(ctx context.Context, id string) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		p, err := keepPrints(h, id)
		if err != nil {
			return err
		}
		defer p.end()
		return a.execute(ctx, p, id)
	})
}

// execute carries out a run. Where it is put off that is no error.
func (a *App) execute(ctx context.Context, h engine.History, id string) error {
	_, err := a.carryOut(ctx, h, id)
	var later *engine.Reschedule
	if errors.As(err, &later) {
		a.Note("flow run %s: %v", id, later)
		return nil
	}
	return err
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
	w, err := a.newWorker(h, h, workerFlags{pool: schedule.DefaultPool, name: "server"}, log)
	if err != nil {
		return err
	}
	w.Drain = serverDrain
	running.Go(func() { (&worker.Scheduler{Planner: h, Log: log}).Run(ctx) })
	running.Go(func() {
		if err := w.Run(ctx); err != nil && ctx.Err() == nil {
			log.Error("run what is scheduled", "error", err)
		}
	})
	return nil
}
