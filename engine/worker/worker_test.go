package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

var quiet = slog.New(slog.DiscardHandler)

// bench is a store with a deployment, and the flow it is of.
type bench struct {
	*history.Store
	dir  string
	id   string
	body func(ctx context.Context) error
}

func newBench(t *testing.T, d schedule.Deployment) *bench {
	t.Helper()
	dir := t.TempDir()
	s, err := history.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d.Flow, d.Name = "job", "d"
	list, err := s.ApplyDeployments(t.Context(), []schedule.Deployment{d})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{Store: s, dir: dir, id: list[0].ID, body: func(context.Context) error { return nil }}
}

func (b *bench) flows() []engine.Runnable {
	work := engine.Task[struct{}, int]{Name: "Work", Func: func(ctx context.Context, _ struct{}) (int, error) { return 1, b.body(ctx) }}
	return []engine.Runnable{engine.Flow[struct{}, int]{Name: "job", Func: func(c *engine.Ctx, _ struct{}) (engine.Arg[int], error) {
		return work.Submit(c, engine.Val(struct{}{})), nil
	}}}
}

func (b *bench) ask(t *testing.T, at time.Time) engine.FlowRun {
	t.Helper()
	run, err := b.RunDeployment(t.Context(), b.id, schedule.RunRequest{At: at})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// start runs w until stop is called, which waits for it.
func start(t *testing.T, w *worker.Worker) (stop func()) {
	t.Helper()
	w.Log = quiet
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func (b *bench) state(t *testing.T, id string) engine.FlowRun {
	t.Helper()
	run, err := b.FlowRun(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func (b *bench) inProcess() worker.InProcess {
	return worker.InProcess{Engine: &engine.Engine{History: b.Store, Version: "v1"}, Flows: b.flows()}
}

// Under fake time a run begins when it is due, to the millisecond, and no more run
// at once than the worker may have.
func TestDueAndLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Deployment{})
		var now, most atomic.Int64
		b.body = func(context.Context) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(10 * time.Second)
			now.Add(-1)
			return nil
		}
		stop := start(t, &worker.Worker{Source: b, Runner: b.inProcess(), Limit: 3})
		due := time.Now().Add(90 * time.Second)
		alone := b.ask(t, due)
		time.Sleep(2 * time.Minute)
		if run := b.state(t, alone.ID); run.State.Type != engine.TypeCompleted || run.Start.Sub(due) < 0 || run.Start.Sub(due) > 250*time.Millisecond {
			t.Errorf("due %v, began %v: %+v", due, run.Start, run.State)
		}
		var runs []engine.FlowRun
		for range 10 {
			runs = append(runs, b.ask(t, time.Now()))
		}
		time.Sleep(time.Minute)
		for _, run := range runs {
			if got := b.state(t, run.ID); got.State.Type != engine.TypeCompleted {
				t.Errorf("after a minute: %+v", got.State)
			}
		}
		if most.Load() != 3 {
			t.Errorf("%d runs at once, want 3", most.Load())
		}
		stop()
	})
}

// A worker that is told to end lets what runs finish and begins nothing more; what
// it had claimed and not begun is given back.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Deployment{})
		b.body = func(context.Context) error { time.Sleep(time.Minute); return nil }
		stop := start(t, &worker.Worker{Source: b, Runner: b.inProcess(), Limit: 1})
		first, second := b.ask(t, time.Now()), b.ask(t, time.Now().Add(time.Second))
		time.Sleep(5 * time.Second)
		begun := time.Now()
		stop()
		if took := time.Since(begun); took < 50*time.Second {
			t.Errorf("the worker ended after %v", took)
		}
		if got := b.state(t, first.ID); got.State.Type != engine.TypeCompleted {
			t.Errorf("what ran is %+v", got.State)
		}
		if got := b.state(t, second.ID); got.State.Type != engine.TypeScheduled {
			t.Errorf("what did not is %+v", got.State)
		}
		if list, err := b.Workers(t.Context(), ""); err != nil || len(list) != 0 {
			t.Errorf("workers: %+v, %v", list, err)
		}
	})
}

// A flow that puts itself off is claimed again when it said, by any worker, and
// keeps the time it was due.
func TestPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Deployment{})
		var times []time.Time
		b.body = func(context.Context) error {
			if times = append(times, time.Now()); len(times) < 3 {
				return &engine.Reschedule{At: time.Now().Add(30 * time.Minute), State: engine.NameAwaitingData, Reason: "not yet"}
			}
			return nil
		}
		stop := start(t, &worker.Worker{Source: b, Runner: b.inProcess()})
		run := b.ask(t, time.Now())
		time.Sleep(61 * time.Minute)
		got := b.state(t, run.ID)
		if got.State.Type != engine.TypeCompleted || len(times) != 3 || !got.ExpectedStart.Equal(run.ExpectedStart) {
			t.Errorf("%+v after %v", got, times)
		}
		stop()
	})
}

// A runner that panics, or that has no such flow, does not end the worker.
func TestBadRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Deployment{OnCrash: schedule.Fail})
		var calls atomic.Int64
		stop := start(t, &worker.Worker{Source: b, Runner: runnerFunc(func(ctx context.Context, run engine.FlowRun) error {
			switch calls.Add(1) {
			case 1:
				panic("broken")
			case 2:
				return worker.InProcess{Engine: &engine.Engine{History: b.Store, Version: "v1"}}.Run(ctx, run)
			}
			return b.inProcess().Run(ctx, run)
		})})
		for i, want := range []string{"the runner panicked", `this program has no flow "job"`, ""} {
			run := b.ask(t, time.Now())
			time.Sleep(time.Minute)
			got := b.state(t, run.ID)
			if crashed := got.State.Type == engine.TypeCrashed; crashed != (want != "") || !strings.Contains(got.State.Message, want) {
				t.Errorf("%d: %+v, want %q", i, got.State, want)
			}
		}
		stop()
	})
}

type runnerFunc func(context.Context, engine.FlowRun) error

func (f runnerFunc) Run(ctx context.Context, run engine.FlowRun) error { return f(ctx, run) }

// The test binary carries out a run in a process of its own when childEnv names
// the store's directory and childRun the run.
const childEnv, childRun, childDies = "WORKER_TEST_HOME", "WORKER_TEST_RUN", "WORKER_TEST_DIES"

func TestMain(m *testing.M) {
	if dir := os.Getenv(workEnv); dir != "" {
		if err := workUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir := os.Getenv(childEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := history.Open(context.Background(), dir)
	if err == nil {
		b := &bench{Store: s, body: func(ctx context.Context) error {
			if os.Getenv(childDies) == "never returns" {
				select {}
			}
			run, err := s.FlowRun(ctx, os.Getenv(childRun))
			if err == nil && fmt.Sprint(run.Recoveries) < os.Getenv(childDies) {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
			return err
		}}
		err = b.inProcess().Run(context.Background(), engine.FlowRun{ID: os.Getenv(childRun), Flow: "job"})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(dir, dies string) worker.Child {
	return worker.Child{Grace: 100 * time.Millisecond, Command: func(run engine.FlowRun) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir, childRun+"="+run.ID, childDies+"="+dies)
		return cmd
	}}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("waited five minutes for %s", what)
		}
	}
}

// A run whose process is killed goes on in another, up to three times; one that is
// killed more often stays crashed.
func TestKilledProcesses(t *testing.T) {
	for dies, want := range map[string]engine.StateType{"0": engine.TypeCompleted, "1": engine.TypeCompleted, "9": engine.TypeCrashed} {
		b := newBench(t, schedule.Deployment{})
		start(t, &worker.Worker{Source: b, Runner: child(b.dir, dies)})
		run := b.ask(t, time.Now())
		eventually(t, "the run to end", func() bool {
			got := b.state(t, run.ID)
			return got.State.Type == engine.TypeCompleted || got.State.Type == engine.TypeCrashed && got.Recoveries == schedule.MaxCrashes
		})
		got := b.state(t, run.ID)
		if got.State.Type != want || want == engine.TypeCrashed && !strings.Contains(got.State.Message, "killed") || !got.ExpectedStart.Equal(run.ExpectedStart) {
			t.Errorf("killed %s times: %+v", dies, got)
		}
	}
}

// A run that is cancelled and does not end by itself is ended.
func TestCancelledProcess(t *testing.T) {
	b := newBench(t, schedule.Deployment{})
	start(t, &worker.Worker{Source: b, Runner: child(b.dir, "never returns"), Every: 50 * time.Millisecond, Grace: 50 * time.Millisecond})
	run := b.ask(t, time.Now())
	eventually(t, "the run to begin", func() bool { return b.state(t, run.ID).State.Type == engine.TypeRunning })
	if _, err := b.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalCancel, Message: "enough"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the run to be cancelled", func() bool { return b.state(t, run.ID).State.Type == engine.TypeCancelled })
}

func TestNoSuchProgram(t *testing.T) {
	err := worker.Child{Command: func(engine.FlowRun) *exec.Cmd { return exec.Command("/no/such/program") }}.Run(t.Context(), engine.FlowRun{ID: "x"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
