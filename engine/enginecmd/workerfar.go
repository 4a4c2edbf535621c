package enginecmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/worker"
)

// Server is the server that keeps the records of what this process carries out, where
// those are not in the home: --api. Nil: they are.
func (a *App) Server() *enginehttp.Client { return a.server }

// ask has the command keep its runs at a server.
func (a *App) ask(f workerFlags) error {
	u, err := url.Parse(f.api)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Usage("--api %q: want a server's address, such as http://127.0.0.1:5000", f.api)
	}
	if f.lease < leaseLeast {
		return Usage("--lease %v: want at least %v", f.lease, leaseLeast)
	}
	a.server = &enginehttp.Client{URL: f.api, Token: cmp.Or(f.token, a.Env(a.variable("TOKEN")))}
	return nil
}

// far is a server as a worker asks it for runs.
type far struct {
	*enginehttp.Client
	app *App
}

// Beat implements worker.Source.
func (s far) Beat(ctx context.Context, w worker.Info, running []string) ([]string, error) {
	end, err := s.Client.Beat(ctx, w, running)
	return end, s.app.unanswered(err)
}

// Plan implements worker.Planner.
func (s far) Plan(ctx context.Context, at time.Time) (time.Time, error) {
	next, err := s.Client.Plan(ctx, at)
	return next, s.app.unanswered(err)
}

// unanswered adds to an error of the server's what may help against it.
func (a *App) unanswered(err error) error {
	if err == nil {
		return nil
	}
	var problem *enginehttp.Problem
	var unreached *url.Error
	var garbled *json.SyntaxError
	failed := Failure(ExitFailed, fmt.Errorf("ask %s: %w", a.server.URL, err))
	switch {
	case errors.As(err, &unreached): // which names the address
		return Failure(ExitFailed, err).Hint("is the server running there? \"%s server\" is one", a.Name)
	case errors.As(err, &problem) && problem.Status == http.StatusUnauthorized:
		return failed.Hint("give the token that the server was started with as --token, or as $%s", a.variable("TOKEN"))
	case errors.As(err, &problem) && problem.Code == "not_the_api" || errors.As(err, &garbled):
		return failed.Hint("--api must name a server that has the engine's API, without a path: \"%s server\" is one", a.Name)
	}
	return failed
}

// startFar runs a worker whose runs' records are a server's.
func (a *App) startFar(ctx context.Context, f workerFlags, log *slog.Logger) error {
	if err := a.ask(f); err != nil {
		return err
	}
	source := far{a.server, a}
	if !f.here {
		program, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program, to run flows with: %w", err)
		}
		home, err := a.HomeDir()
		if err != nil {
			return err
		}
		return a.work(ctx, source, farChild{a, func(run engine.FlowRun, lease string) *exec.Cmd {
			cmd := exec.Command(program, "worker", "execute", run.ID, "--home", home, "--api", f.api, "--lease", f.lease.String(), "--lease-id", lease)
			cmd.Env = append(os.Environ(), a.variable("TOKEN")+"="+a.server.Token)
			return cmd
		}, f}, f, log)
	}
	for {
		err := a.withLease(ctx, f, func(ctx context.Context, h engine.History) error { return a.work(ctx, source, here{a, h}, f, log) })
		if !errors.Is(err, engine.ErrSuperseded) || ctx.Err() != nil {
			return err
		}
		log.Warn("the server took this worker for gone: it begins anew", "lease", f.lease)
	}
}

// farChild carries out each run in a process of its own, which has a lease of its own:
// the server hears at once when the process has ended, however that came.
type farChild struct {
	app     *App
	command func(run engine.FlowRun, lease string) *exec.Cmd
	flags   workerFlags
}

// Run implements worker.Runner.
func (r farChild) Run(ctx context.Context, run engine.FlowRun) error {
	lease, err := r.app.server.TakeLease(ctx, os.Getpid(), r.flags.lease)
	if err != nil {
		return err
	}
	child := worker.Child{Command: func(run engine.FlowRun) *exec.Cmd { return r.command(run, lease) }}
	err = child.Run(ctx, run)
	if !errors.Is(err, worker.ErrLeave) {
		_ = r.app.server.EndLease(context.WithoutCancel(ctx), lease) // else it runs out
	}
	return err
}

// withLease opens the server's records for what do carries out. Its context ends when
// the lease is lost.
func (a *App) withLease(ctx context.Context, f workerFlags, do func(context.Context, engine.History) error) error {
	id := f.leaseID
	if id == "" {
		var err error
		if id, err = a.server.TakeLease(ctx, os.Getpid(), f.lease); err != nil {
			return a.unanswered(err)
		}
	}
	h, err := a.server.OpenHistory(ctx, id, f.lease)
	if err != nil {
		return a.unanswered(err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-h.Lost():
			cancel(fmt.Errorf("the server has not heard of this process for %v: %w", f.lease, engine.ErrSuperseded))
		case <-ctx.Done():
		}
	}()
	err = errors.Join(do(ctx, h), h.Close())
	if cause := context.Cause(ctx); errors.Is(cause, engine.ErrSuperseded) {
		err = errors.Join(err, cause)
	}
	return err
}
