package worker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// The test binary is a worker, with a scheduler, of the store in the directory that
// workEnv names, and runs what it claims in its own process; or, where runEnv names a
// run, it is the process of that run. Its flow notes in files what it does.
const workEnv, runEnv, isolateEnv = "WORKER_TEST_WORK", "WORKER_TEST_RUN_ALONE", "WORKER_TEST_ISOLATE"

func workUntilKilled(dir string) error {
	ctx := context.Background()
	s, err := history.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer s.Close()
	here := worker.InProcess{Engine: &engine.Engine{History: s, Version: "v1"}, Flows: []engine.Runnable{noting(dir)}}
	if id := os.Getenv(runEnv); id != "" {
		_, err := here.Execute(ctx, engine.FlowRun{ID: id, Flow: "job"})
		return err
	}
	go (&worker.Scheduler{Planner: s, Every: 50 * time.Millisecond, Log: quiet}).Run(ctx)
	w := &worker.Worker{Source: s, Runner: here, Every: 50 * time.Millisecond, Log: quiet}
	if os.Getenv(isolateEnv) != "" {
		w.Runner = worker.Child{Command: func(run engine.FlowRun) *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), runEnv+"="+run.ID)
			return cmd
		}}
	}
	return w.Run(ctx)
}

// noting is a flow whose first task completes, and whose second one waits for the
// file "go".
func noting(dir string) engine.Runnable {
	note := func(name string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(f, os.Getpid(), os.Getppid())
		return errors.Join(err, f.Close())
	}
	first := engine.Task[int, int]{Name: "First", Func: func(_ context.Context, n int) (int, error) { return n + 1, note("first") }}
	second := engine.Task[int, int]{Name: "Second", Func: func(ctx context.Context, n int) (int, error) {
		if err := note("second"); err != nil {
			return 0, err
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go")); err == nil {
				return n + 1, nil
			}
			time.Sleep(10 * time.Millisecond)
		}
	}}
	return engine.Flow[struct{}, int]{Name: "job", Func: func(c *engine.Ctx, _ struct{}) (engine.Arg[int], error) {
		return second.Submit(c, first.Submit(c, engine.Val(1))), nil
	}}
}

// noted are the processes that ran a task, each with its parent.
func noted(t *testing.T, dir, name string) (pids [][2]int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		pid, parent, _ := strings.Cut(strings.TrimSpace(line), " ")
		a, err := strconv.Atoi(pid)
		b, err2 := strconv.Atoi(parent)
		if errors.Join(err, err2) != nil {
			t.Fatal(line)
		}
		pids = append(pids, [2]int{a, b})
	}
	return pids
}

func startWorkers(t *testing.T, dir string, more ...string) {
	t.Helper()
	for range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(append(os.Environ(), workEnv+"="+dir), more...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill() // it may be gone
			_ = cmd.Wait()
		})
	}
}

// A worker is killed with the run that it carries out: the run crashes, and the other
// worker goes on with it, once, from where it was.
func TestAWorkerIsKilledMidRun(t *testing.T) {
	b := newBench(t, schedule.Deployment{})
	startWorkers(t, b.dir)
	run := b.ask(t, time.Now())
	eventually(t, "the second task to begin", func() bool { return len(noted(t, b.dir, "second")) == 1 })
	killed := noted(t, b.dir, "second")[0][0]
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other worker to go on", func() bool { return len(noted(t, b.dir, "second")) == 2 })
	letGo(t, b, run)
	if first, second := noted(t, b.dir, "first"), noted(t, b.dir, "second"); len(first) != 1 || len(second) != 2 || second[1][0] == killed {
		t.Errorf("%d killed; first ran in %v, second in %v", killed, first, second)
	}
	states, err := b.States(t.Context(), run.ID, "")
	var names []string
	for _, s := range states {
		names = append(names, s.Name)
	}
	if err != nil || !slices.Contains(names, "Crashed") || names[len(names)-1] != "Completed" {
		t.Errorf("states %v, %v", names, err)
	}
	if got := b.state(t, run.ID); got.Attempts != 2 || got.Recoveries != 1 {
		t.Errorf("%+v", got)
	}
}

// A worker is killed that had begun a process for its run: that goes on, and nobody
// else takes the run.
func TestAWorkerIsKilledBesideItsRun(t *testing.T) {
	b := newBench(t, schedule.Deployment{})
	startWorkers(t, b.dir, isolateEnv+"=1")
	run := b.ask(t, time.Now())
	eventually(t, "the second task to begin", func() bool { return len(noted(t, b.dir, "second")) == 1 })
	if err := syscall.Kill(noted(t, b.dir, "second")[0][1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker to be missed", func() bool {
		list, err := b.Workers(t.Context(), "")
		return err == nil && slices.ContainsFunc(list, func(w worker.Status) bool { return !w.Online && w.Running == 0 })
	})
	letGo(t, b, run)
	if first, second := noted(t, b.dir, "first"), noted(t, b.dir, "second"); len(first) != 1 || len(second) != 1 {
		t.Errorf("first ran in %v, second in %v", first, second)
	}
	if got := b.state(t, run.ID); got.Attempts != 1 || got.Recoveries != 0 {
		t.Errorf("%+v", got)
	}
}

// letGo lets the second task return, and waits for the run to complete.
func letGo(t *testing.T, b *bench, run engine.FlowRun) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the run to complete", func() bool { return b.state(t, run.ID).State.Type == engine.TypeCompleted })
}
