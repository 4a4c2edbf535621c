package worker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

// Worker takes runs of one pool and has its Runner carry them out. The zero
// settings, but for Source and Runner, are sensible.
type Worker struct {
	Source Source
	Runner Runner

	Name   string   // for people; empty: the host's name
	Pool   string   // empty: schedule.DefaultPool
	Queues []string // that it takes runs of; none: all of the pool
	Flows  []string // that its Runner can carry out; none: all
	Limit  int      // runs at once; 0: any number

	Prefetch time.Duration // how long before it is due a run is claimed; zero: 10 s
	Poll     time.Duration // how long it waits at most before it looks again; zero: 10 s
	Every    time.Duration // how often it says that it lives; zero: DefaultEvery
	// Grace is how long a run that was cancelled may take to end by itself before its
	// Runner is told to end it; zero: 30 s.
	Grace time.Duration
	// Drain is how long runs may go on when the worker is to end, before its Runner
	// leaves them; zero: as long as they take.
	Drain time.Duration

	Log *slog.Logger // nil: slog's default

	mu      sync.Mutex
	info    Info
	running map[string]*job
	free    chan struct{} // told when a job has ended
}

// job is a run that this worker carries out.
type job struct {
	run    engine.FlowRun
	cancel context.CancelCauseFunc
	ending *time.Timer // until its Runner is told to end it; nil: nobody wants that
}

// errStop is why a Runner is to end a run.
var errStop = errors.New("the run is to end")

// Run works until ctx is done, then lets what it carries out finish, and returns.
// Errors of the source are logged and asked again, but for the very first.
func (w *Worker) Run(ctx context.Context) error {
	w.begin()
	if _, err := w.Source.Beat(ctx, w.info, nil); err != nil {
		return err
	}
	w.log().Info("worker started", "worker", w.info.Name, "pool", w.info.Pool, "queues", w.info.Queues, "limit", w.info.Limit)
	// What has been claimed is carried out even when ctx is done, but for as long
	// as Drain says only.
	work, leave := context.WithCancelCause(context.WithoutCancel(ctx))
	defer leave(nil)
	beating, stop := context.WithCancel(work)
	var helpers sync.WaitGroup
	helpers.Go(func() { w.beat(beating) })
	changed := make(chan struct{}, 1)
	helpers.Go(func() { w.watch(ctx, changed) })

	var jobs sync.WaitGroup
	w.claim(ctx, work, changed, &jobs)
	w.drain(&jobs, leave)
	stop()
	helpers.Wait()
	err := w.Source.Leave(work, w.info.ID)
	w.log().Info("worker stopped", "worker", w.info.Name)
	return err
}

func (w *Worker) begin() {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.info = Info{
		ID: engine.NewID(), Name: cmp.Or(w.Name, host), Pool: cmp.Or(w.Pool, schedule.DefaultPool), Queues: w.Queues, Flows: w.Flows, Limit: w.Limit,
		Host: host, PID: os.Getpid(), Every: SecondsOf(w.every()), Started: time.Now().UTC().Truncate(time.Microsecond),
	}
	w.running, w.free = map[string]*job{}, make(chan struct{}, 1)
}

// Info says who the worker is, once it runs.
func (w *Worker) Info() Info {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.info
}

func (w *Worker) log() *slog.Logger {
	if w.Log != nil {
		return w.Log
	}
	return slog.Default()
}

// DefaultEvery is how often a worker says that it lives.
const DefaultEvery = 5 * time.Second

func (w *Worker) every() time.Duration    { return cmp.Or(w.Every, DefaultEvery) }
func (w *Worker) prefetch() time.Duration { return cmp.Or(w.Prefetch, 10*time.Second) }

// claim takes runs and begins them until ctx is done.
func (w *Worker) claim(ctx, work context.Context, changed <-chan struct{}, jobs *sync.WaitGroup) {
	for ctx.Err() == nil {
		wait := cmp.Or(w.Poll, 10*time.Second)
		if most := w.room(); most > 0 {
			now := time.Now()
			runs, next, err := w.Source.Claim(ctx, w.Info(), most, now.Add(w.prefetch()))
			if err != nil && ctx.Err() == nil {
				w.log().Error("look for work", "worker", w.info.Name, "error", err)
			}
			for _, run := range runs {
				w.start(work, run, jobs)
			}
			if len(runs) == most {
				continue // there may be more
			}
			if !next.IsZero() {
				wait = min(wait, max(time.Millisecond, next.Add(-w.prefetch()).Sub(now)))
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-w.free:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// most is how many runs are asked for at once.
const most = 100

// room is how many more runs the worker may carry out.
func (w *Worker) room() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Limit == 0 {
		return most
	}
	return min(most, w.Limit-len(w.running))
}

func (w *Worker) start(ctx context.Context, run engine.FlowRun, jobs *sync.WaitGroup) {
	ctx, cancel := context.WithCancelCause(ctx)
	w.mu.Lock()
	w.running[run.ID] = &job{run: run, cancel: cancel}
	w.mu.Unlock()
	jobs.Go(func() {
		defer cancel(nil)
		w.log().Info("run begins", "run", run.ID, "flow", run.Flow, "name", run.Name, "due", run.ExpectedStart)
		err := w.carryOut(ctx, run)
		message := ""
		if err != nil {
			message = err.Error()
			w.log().Warn("run ends", "run", run.ID, "name", run.Name, "error", err)
		} else {
			w.log().Info("run ends", "run", run.ID, "name", run.Name)
		}
		w.mu.Lock()
		if j := w.running[run.ID]; j.ending != nil {
			j.ending.Stop()
		}
		delete(w.running, run.ID)
		w.mu.Unlock()
		if !errors.Is(err, ErrLeave) {
			w.done(context.WithoutCancel(ctx), run.ID, message)
		}
		select {
		case w.free <- struct{}{}:
		default:
		}
	})
}

// carryOut turns a panic of the Runner into an error: one run does not end the
// worker.
func (w *Worker) carryOut(ctx context.Context, run engine.FlowRun) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.log().Error("the runner panicked", "run", run.ID, "panic", p)
			err = errors.New("the runner panicked")
		}
	}()
	return w.Runner.Run(ctx, run)
}

// done tells the source, again and again where it cannot be reached.
func (w *Worker) done(ctx context.Context, runID, message string) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, w.every()) {
		err := w.Source.Done(ctx, w.info.ID, runID, message)
		if err == nil || errors.Is(err, engine.ErrNotFound) {
			return
		}
		w.log().Error("say that a run has ended", "run", runID, "error", err)
		if pause >= w.every() { // by then this worker counts as gone, and its runs with it
			return
		}
		time.Sleep(pause)
	}
}

// watch passes on that the source has changed, until ctx is done.
func (w *Worker) watch(ctx context.Context, changed chan<- struct{}) {
	for ctx.Err() == nil {
		if err := w.Source.Wait(ctx); err != nil && ctx.Err() == nil {
			w.log().Error("wait for work", "worker", w.info.Name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(w.every()):
			}
			continue
		}
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}

// beat says that the worker lives, and ends what is to end, until ctx is done.
func (w *Worker) beat(ctx context.Context) {
	tick := time.NewTicker(w.every())
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		w.mu.Lock()
		var running []string
		for id := range w.running {
			running = append(running, id)
		}
		w.mu.Unlock()
		end, err := w.Source.Beat(ctx, w.info, running)
		if err != nil && ctx.Err() == nil {
			w.log().Error("say that the worker lives", "worker", w.info.Name, "error", err)
		}
		for _, id := range end {
			w.end(id)
		}
	}
}

// end gives a run Grace to end by itself, and then has its Runner end it.
func (w *Worker) end(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j, ok := w.running[id]; ok && j.ending == nil {
		j.ending = time.AfterFunc(cmp.Or(w.Grace, 30*time.Second), func() { j.cancel(errStop) })
	}
}

// drain waits for the jobs, and leaves them when they take too long.
func (w *Worker) drain(jobs *sync.WaitGroup, leave context.CancelCauseFunc) {
	w.mu.Lock()
	if n := len(w.running); n > 0 {
		w.log().Info("worker waits for its runs", "worker", w.info.Name, "runs", n)
	}
	w.mu.Unlock()
	finished := make(chan struct{})
	go func() {
		jobs.Wait()
		close(finished)
	}()
	if w.Drain > 0 {
		timer := time.NewTimer(w.Drain)
		defer timer.Stop()
		select {
		case <-finished:
			return
		case <-timer.C:
			leave(ErrLeave)
		}
	}
	<-finished
}
