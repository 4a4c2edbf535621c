package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Runner carries out a run that a worker has claimed, and returns when it has done
// with it. The run's own outcome is in its record; an error is why the run could
// not be carried out, or what became of its process. When ctx is done the run is
// to end soon.
type Runner interface {
	Run(ctx context.Context, run engine.FlowRun) error
}

// InProcess carries out runs in this process.
type InProcess struct {
	Engine *engine.Engine
	Flows  []engine.Runnable
}

// Run implements Runner.
func (p InProcess) Run(ctx context.Context, run engine.FlowRun) error {
	after, err := p.Execute(ctx, run)
	if after.State.Released() {
		return nil // whatever it is, it is recorded
	}
	return err
}

// Execute carries out the run and returns what became of it.
func (p InProcess) Execute(ctx context.Context, run engine.FlowRun) (engine.FlowRun, error) {
	for _, f := range p.Flows {
		if f.Info().Name == run.Flow {
			return f.Execute(ctx, p.Engine, run.ID)
		}
	}
	return run, fmt.Errorf("this program has no flow %q", run.Flow)
}

// Child carries out each run in a process of its own.
type Child struct {
	// Command is the command that carries out the run, without its standard streams:
	// Run connects those that are nil to this process's standard error.
	Command func(run engine.FlowRun) *exec.Cmd
	// Grace is how long the process may take to end after SIGTERM, before SIGKILL;
	// zero: 30 s.
	Grace time.Duration
}

// ErrLeave is the cause with which a context is cancelled to leave child processes
// alone: they go on by themselves.
var ErrLeave = errors.New("the worker leaves")

// Run implements Runner. The process has a group of its own, so that what ends
// the worker from a terminal lets it finish.
func (c Child) Run(ctx context.Context, run engine.FlowRun) error {
	cmd := c.Command(run)
	for _, stream := range []*os.File{os.Stderr} {
		if cmd.Stdout == nil {
			cmd.Stdout = stream
		}
		if cmd.Stderr == nil {
			cmd.Stderr = stream
		}
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("begin a process for flow run %s: %w", run.ID, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return exit(err)
	case <-ctx.Done():
	}
	if errors.Is(context.Cause(ctx), ErrLeave) {
		return ErrLeave
	}
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended just now
	grace := c.Grace
	if grace == 0 {
		grace = 30 * time.Second
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-ended:
		return exit(err)
	case <-timer.C:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // and all it has begun
		return exit(<-ended)
	}
}

// exit says how a process ended. An exit code is no error: what the run came to is
// in its record.
func exit(err error) error {
	var exited *exec.ExitError
	if !errors.As(err, &exited) {
		return err
	}
	if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Errorf("its process was ended by %v", status.Signal())
	}
	return fmt.Errorf("its process ended with %v", exited)
}
