package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/worker"
)

// runner carries out runs of the home: in this process, or each in one of its own.
func (a *App) runner(h *history.Store, inProcess bool) (worker.Runner, error) {
	if inProcess {
		return here{a, h}, nil
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, to run flows with: %w", err)
	}
	home, err := a.HomeDir()
	if err != nil {
		return nil, err
	}
	return tidy{worker.Child{Command: func(run engine.FlowRun) *exec.Cmd {
		return exec.Command(program, "worker", "execute", run.ID, "--home", home)
	}}, a, h}, nil
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
	h   engine.History
}

// Run implements worker.Runner.
func (r here) Run(ctx context.Context, run engine.FlowRun) error {
	return r.app.execute(ctx, r.h, run.ID)
}

// executeRun carries out a run in this process, which is there for nothing else.
func (a *App) executeRun(ctx context.Context, id string) error {
	return a.WithHistory(ctx, func(h *history.Store) error { return a.executeAlone(ctx, h, id) })
}

// executeAlone carries out a run that has this process to itself.
func (a *App) executeAlone(ctx context.Context, h engine.History, id string) error {
	p, err := keepPrints(h, id)
	if err != nil {
		return err
	}
	defer p.end()
	return a.execute(ctx, p, id)
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

// executeCommand is how a worker has a process of its own carry out a run.
func (a *App) executeCommand() *cobra.Command {
	var f workerFlags
	cmd := &cobra.Command{Use: "execute RUN", Short: "Carry out one run that a worker has claimed", Hidden: true, Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.api == "" {
				return a.executeRun(cmd.Context(), args[0])
			}
			if err := a.ask(f); err != nil {
				return err
			}
			return a.withLease(cmd.Context(), f, func(ctx context.Context, h engine.History) error { return a.executeAlone(ctx, h, args[0]) })
		}}
	flags := cmd.Flags()
	f.addServer(flags)
	flags.StringVar(&f.leaseID, "lease-id", "", "lease that the worker has taken for this process")
	return cmd
}
