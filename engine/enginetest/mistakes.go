package enginetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// mistakes are those that engines most often make, each with the test that this
// one does not. (Two more are about schedules, and are tested there.)
var mistakes = map[string]func(*testing.T, engine.History){
	"TwoProcessesPickOneRun":               pickedOnce,
	"ALateResultOverwrites":                lateResult,
	"CompletionBeatsCancel":                cancelWins,
	"SlotsLeak":                            slotsLeak,
	"ARetryRunsBesideALivingAttempt":       oneAttempt,
	"AFlowRetryDoesNotRenewRetries":        retriesRenewed,
	"ACachedCallTakesASlot":                cachedTakesNoSlot,
	"ExpectedStartMoves":                   expectedStart,
	"APauseFiresAgain":                     pauseOnce,
	"StatesHaveEqualTimes":                 timesIncrease,
	"ASubflowEndsBeforeItsResultIsThere":   subflowResult,
	"ParametersOfARunChange":               parametersStay,
	"DownstreamOfAFailureIsPendingForEver": upstreamFailed,
	"DeletingLeavesTasksRunning":           deleting,
}

func newEngine(h engine.History) *engine.Engine { return &engine.Engine{History: h, Version: "v1"} }

func flow[O any](name string, body func(c *engine.Ctx, n int) (engine.Arg[O], error)) engine.Flow[int, O] {
	return engine.Flow[int, O]{Name: name, Func: body}
}

func task(name string, body func(ctx context.Context, n int) (int, error)) engine.Task[int, int] {
	return engine.Task[int, int]{Name: name, Func: body}
}

// stateNames are those that a run (key "") or a call has been in.
func stateNames(t *testing.T, h engine.History, runID, key string) string {
	t.Helper()
	states, err := h.(interface {
		States(ctx context.Context, flowRunID, taskKey string) ([]engine.State, error)
	}).States(t.Context(), runID, key)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, s := range states {
		names = append(names, s.Name)
		if i > 0 && !s.Time.After(states[i-1].Time) {
			t.Errorf("%s %s: %s is not later than %s", runID, key, s.Name, states[i-1].Name)
		}
	}
	return strings.Join(names, " ")
}

func wantStates(t *testing.T, h engine.History, runID, key, want string) {
	t.Helper()
	if got := stateNames(t, h, runID, key); got != want {
		t.Errorf("states of %q = %s, want %s", key, got, want)
	}
}

// 1. Two workers submit one run.
func pickedOnce(t *testing.T, h engine.History) {
	run := newFlowRun("run-1")
	run.State = engine.State{Type: engine.TypeScheduled, Name: engine.NameScheduled, Time: now()}
	create(t, h, run)
	var picked, refused atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := h.AdoptFlowRun(t.Context(), "run-1")
			var owned *engine.OwnedError
			switch {
			case err == nil:
				picked.Add(1)
			case errors.As(err, &owned):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if picked.Load() != 1 || refused.Load() != 49 {
		t.Errorf("picked %d times, refused %d", picked.Load(), refused.Load())
	}
}

// 2. The result of an attempt that timed out comes after all.
func lateResult(t *testing.T, h engine.History) {
	e := newEngine(h)
	deaf := task("Deaf", func(context.Context, int) (int, error) { time.Sleep(time.Hour); return 7, nil })
	deaf.Timeout = time.Second
	begun := time.Now()
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return deaf.Submit(c, engine.Val(n)), nil })
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{})
	if !errors.Is(err, engine.ErrTimedOut) {
		t.Errorf("Start = %v", err)
	}
	states, _ := h.TaskRuns(t.Context(), run.ID)
	if late := states[0].State.Time.Sub(begun); late > time.Second+100*time.Millisecond {
		t.Errorf("marked %v after the start", late)
	}
	time.Sleep(2 * time.Hour)
	wantStates(t, h, run.ID, "deaf", "Pending Running TimedOut")
	if again, _ := h.TaskRuns(t.Context(), run.ID); again[0].Result != nil || again[0].State != states[0].State {
		t.Errorf("the late result was taken: %+v", again[0])
	}

	// The same for a flow that does not listen.
	slow := flow("slow", func(c *engine.Ctx, n int) (engine.Arg[int], error) { time.Sleep(time.Hour); return engine.Val(n), nil })
	slow.Timeout = time.Second
	_, run, err = slow.Start(t.Context(), e, 1, engine.Options{})
	if !errors.Is(err, engine.ErrTimedOut) || run.State.Name != engine.NameTimedOut || run.Result != nil {
		t.Errorf("slow: %+v, %v", run, err)
	}
	time.Sleep(2 * time.Hour)
	wantStates(t, h, run.ID, "", "Pending Running TimedOut")
}

// 3. A run is cancelled while its last task completes.
func cancelWins(t *testing.T, h engine.History) {
	last := task("Last", func(ctx context.Context, n int) (int, error) {
		if _, err := h.Signal(ctx, engine.Signal{FlowRunID: engine.From(ctx).RunID(), Kind: engine.SignalCancel, Message: "enough"}); err != nil {
			t.Error(err)
		}
		return n, nil
	})
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return last.Submit(c, engine.Val(n)), nil })
	_, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if !errors.Is(err, engine.ErrCancelled) || run.State.Type != engine.TypeCancelled || run.State.Message != "enough" {
		t.Errorf("run %+v, %v", run.State, err)
	}
	wantStates(t, h, run.ID, "", "Pending Running Cancelling Cancelled")
}

// 4. What holds a slot fails, panics, times out, is cancelled, or waits.
func slotsLeak(t *testing.T, h engine.History) {
	if err := h.SetLimit(t.Context(), "db", 1); err != nil {
		t.Fatal(err)
	}
	e := newEngine(h)
	var running, most atomic.Int64
	for name, body := range map[string]func(context.Context, int) (int, error){
		"fails":   func(context.Context, int) (int, error) { return 0, errors.New("no") },
		"panics":  func(context.Context, int) (int, error) { panic("no") },
		"waits":   func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() },
		"is deaf": func(context.Context, int) (int, error) { time.Sleep(time.Hour); return 0, nil },
		"works":   func(_ context.Context, n int) (int, error) { time.Sleep(time.Millisecond); return n, nil },
		"nests": func(ctx context.Context, n int) (int, error) {
			inner := task("Inner", func(_ context.Context, n int) (int, error) { return n, nil })
			inner.Tags = []string{"db"}
			return inner.Run(engine.From(ctx), engine.Val(n)) // would wait for itself, if it kept its slot
		},
	} {
		limited := task(name, func(ctx context.Context, n int) (int, error) {
			now := running.Add(1)
			defer running.Add(-1)
			most.Store(max(most.Load(), now))
			return body(ctx, n)
		})
		limited.Tags, limited.Timeout, limited.Retry = []string{"db"}, time.Second, engine.Retry{Max: 1, Delay: time.Second}
		f := flow(name, func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
			return limited.Map(c, engine.Values(1, 2, 3)).List(), nil
		})
		_, run, err := f.Start(t.Context(), e, 1, engine.Options{})
		if fails := name != "works" && name != "nests"; (err != nil) != fails {
			t.Errorf("%s: %v", name, err)
		}
		limits, err := h.Limits(t.Context())
		if err != nil || len(limits) != 1 || len(limits[0].Holders) != 0 {
			t.Errorf("%s: afterwards %+v, %v", name, limits, err)
		}
		if name == "works" {
			if most.Load() != 1 {
				t.Errorf("%d ran at once", most.Load())
			}
			var waited int
			for _, key := range []string{"works[0]", "works[1]", "works[2]"} {
				if strings.Contains(stateNames(t, h, run.ID, key), engine.NameAwaitingSlot) {
					waited++
				}
			}
			if waited == 0 {
				t.Error("nobody was seen to wait")
			}
		}
		running.Store(0) // the deaf still sleep
		most.Store(0)
	}
	if err := h.SetLimit(t.Context(), "db", 0); err != nil {
		t.Fatal(err)
	}
	none := task("None", func(_ context.Context, n int) (int, error) { return n, nil })
	none.Tags = []string{"db"}
	f := flow("none", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return none.Submit(c, engine.Val(n)), nil })
	if _, _, err := f.Start(t.Context(), e, 1, engine.Options{}); err == nil || !strings.Contains(err.Error(), "limit of db is 0") {
		t.Errorf("a limit of 0: %v", err)
	}
	time.Sleep(2 * time.Hour) // until the deaf wake up
}

// 5. An attempt that timed out still runs when the next begins.
func oneAttempt(t *testing.T, h engine.History) {
	var running atomic.Int64
	slow := task("Slow", func(context.Context, int) (int, error) {
		if running.Add(1) > 1 {
			t.Error("two attempts at once")
		}
		defer running.Add(-1)
		time.Sleep(3 * time.Second)
		return 0, nil
	})
	slow.Timeout, slow.Retry = time.Second, engine.Retry{Max: 2}
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return slow.Submit(c, engine.Val(n)), nil })
	_, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if !errors.Is(err, engine.ErrTimedOut) {
		t.Error(err)
	}
	wantStates(t, h, run.ID, "slow", "Pending Running AwaitingRetry Retrying AwaitingRetry Retrying TimedOut")
}

// 6. The retries of a task are spent when its flow is retried.
func retriesRenewed(t *testing.T, h engine.History) {
	var fine, bad atomic.Int64
	good := task("Good", func(_ context.Context, n int) (int, error) { fine.Add(1); return n, nil })
	flaky := task("Flaky", func(_ context.Context, n int) (int, error) {
		if bad.Add(1) < 4 {
			return 0, errors.New("not yet")
		}
		return n, nil
	})
	flaky.Retry = engine.Retry{Max: 1}
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return flaky.Submit(c, good.Submit(c, engine.Val(n))), nil
	})
	f.Retry = engine.Retry{Max: 1, Delay: time.Minute}
	out, run, err := f.Start(t.Context(), newEngine(h), 5, engine.Options{})
	if err != nil || out != 5 || run.Attempts != 2 || bad.Load() != 4 || fine.Load() != 1 {
		t.Errorf("%d, %v after %d attempts of the flow, %d of flaky, %d of good", out, err, run.Attempts, bad.Load(), fine.Load())
	}
	wantStates(t, h, run.ID, "", "Pending Running AwaitingRetry Retrying Completed")
	wantStates(t, h, run.ID, "flaky", "Pending Running Retrying Failed Resuming Retrying Retrying Completed")
}

// 7. A call that the cache answers waits for a slot, or spends a retry.
func cachedTakesNoSlot(t *testing.T, h engine.History) {
	kept := task("Kept", func(_ context.Context, n int) (int, error) { return n, nil })
	kept.Tags, kept.Cache = []string{"db"}, engine.Cache{On: true}
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return kept.Submit(c, engine.Val(n)), nil })
	first, producer, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SetLimit(t.Context(), "db", 0); err != nil {
		t.Fatal(err)
	}
	second, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if err != nil || second != first {
		t.Errorf("%d, %v", second, err)
	}
	wantStates(t, h, run.ID, "kept", "Pending Cached")
	if tasks, err := h.TaskRuns(t.Context(), run.ID); err != nil || tasks[0].Attempts != 0 || tasks[0].CachedFrom != producer.ID {
		t.Errorf("%+v, %v", tasks, err)
	}
}

// 9. A run that starts late, is retried and resumed forgets when it was due.
func expectedStart(t *testing.T, h engine.History) {
	due := now().Add(-48 * time.Hour)
	var seen []time.Time
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		seen = append(seen, c.ExpectedStart())
		if len(seen) < 3 {
			return nil, errors.New("not yet")
		}
		return engine.Val(n), nil
	})
	f.Retry = engine.Retry{Max: 1, Delay: time.Hour}
	e := newEngine(h)
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{ExpectedStart: due})
	if err == nil {
		t.Fatal("the run completed")
	}
	if run, err = f.Execute(t.Context(), e, run.ID); err != nil || !run.ExpectedStart.Equal(due) || len(seen) != 3 {
		t.Errorf("%+v, %v after %d attempts", run, err, len(seen))
	}
	for _, at := range seen {
		if !at.Equal(due) {
			t.Errorf("the flow saw %v, want %v", at, due)
		}
	}
}

// 10. A run that is carried out again waits again for input that it had.
func pauseOnce(t *testing.T, h engine.History) {
	type approval struct {
		Yes bool `json:"yes" required:"true"`
	}
	broken := true
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[bool], error) {
		in, err := engine.Input[approval](c, engine.Pause{Key: "approve", Message: "stage it?", Timeout: time.Hour})
		if err == nil && broken {
			err = errors.New("broken")
		}
		return engine.Val(in.Yes), err
	})
	e := newEngine(h)
	go answer(t, h, `{"yes":true}`)
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{})
	if err == nil || err.Error() != "broken" {
		t.Fatalf("Start = %v", err)
	}
	broken = false
	out, run, err := f.Resume(t.Context(), e, run.ID)
	if err != nil || !out {
		t.Errorf("%v, %v", out, err)
	}
	wantStates(t, h, run.ID, "", "Pending Running Paused Running Failed Resuming Retrying Completed")
}

// answer gives the newest run that is paused what it waits for, after something
// that it does not want.
func answer(t *testing.T, h engine.History, input string) {
	for {
		time.Sleep(time.Second)
		for _, run := range all(t, h) {
			if run.State.Type != engine.TypePaused {
				continue
			}
			var wrong *engine.ParameterError
			if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(`{"yes":3}`)}); !errors.As(err, &wrong) || wrong.Parameter != "yes" {
				t.Errorf("a wrong input: %v", err)
			}
			if _, err := h.Signal(t.Context(), engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(input)}); err != nil {
				t.Error(err)
			}
			return
		}
	}
}

// all returns the runs at the top.
func all(t *testing.T, h engine.History) []engine.FlowRun {
	t.Helper()
	runs, err := h.(interface {
		List(ctx context.Context, flow string, limit int) ([]engine.FlowRun, error)
	}).List(t.Context(), "", 100)
	if err != nil {
		t.Error(err)
	}
	return runs
}

// 11. Two states of one run bear the same time, or an earlier one.
func timesIncrease(t *testing.T, h engine.History) {
	e := newEngine(h)
	still := now()
	e.Clock = func() time.Time { still = still.Add(-time.Second); return still } // runs backwards
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return task("One", func(_ context.Context, n int) (int, error) { return n, nil }).Submit(c, engine.Val(n)), nil
	})
	f.Concurrency = 1
	_, run, err := f.Start(t.Context(), e, 1, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantStates(t, h, run.ID, "", "Pending Running Completed")
	wantStates(t, h, run.ID, "one", "Pending Running Completed")
}

// witness looks when it is told.
type witness struct{ taskRun func(engine.TaskRun) }

func (w *witness) FlowRun(engine.FlowRun)   {}
func (w *witness) TaskRun(t engine.TaskRun) { w.taskRun(t) }
func (w *witness) Progress(engine.Progress) {}
func (w *witness) Log(engine.LogLine)       {}

// 12. The parent's call of a subflow has ended before the subflow's run, and what
// it made, can be read.
func subflowResult(t *testing.T, h engine.History) {
	inner := flow("inner", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return task("Make", func(_ context.Context, n int) (int, error) { return n + 1, nil }).Submit(c, engine.Val(n)), nil
	})
	outer := flow("outer", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return inner.Submit(c, engine.Val(n)), nil })
	e, looked := newEngine(h), false
	e.Observer = &witness{func(call engine.TaskRun) {
		if call.Kind != engine.KindSubflow || !call.State.Type.Final() {
			return
		}
		looked = true
		sub, err := h.FlowRun(t.Context(), call.SubflowID)
		if err != nil || sub.State.Type != engine.TypeCompleted {
			t.Errorf("the subflow is %v, %v", sub.State, err)
		}
		calls, err := h.TaskRuns(t.Context(), sub.ID)
		if err != nil || len(calls) != 1 || calls[0].Result == nil {
			t.Errorf("its calls are %+v, %v", calls, err)
		} else if data, err := h.ReadResult(t.Context(), *calls[0].Result); err != nil || string(data) != "2" {
			t.Errorf("its result is %s, %v", data, err)
		}
	}}
	if out, _, err := outer.Start(t.Context(), e, 1, engine.Options{}); err != nil || out != 2 || !looked {
		t.Errorf("%d, %v; looked %v", out, err, looked)
	}
}

// 13. What a run works on changes under it.
func parametersStay(t *testing.T, h engine.History) {
	type params struct {
		Trials int    `json:"trials" default:"10" min:"1" max:"1000"`
		Taxi   string `json:"taxi,omitempty" default:"green" enum:"green,yellow"`
	}
	fail := true
	var seen []params
	f := engine.Flow[params, int]{Name: "flow", Func: func(c *engine.Ctx, p params) (engine.Arg[int], error) {
		seen = append(seen, p)
		if fail {
			return nil, errors.New("not yet")
		}
		return engine.Val(p.Trials), nil
	}}
	e := newEngine(h)
	_, run, _ := f.Start(t.Context(), e, params{Trials: 3}, engine.Options{})
	fail = false
	if out, _, err := f.Resume(t.Context(), e, run.ID); err != nil || out != 3 || !slices.Equal(seen, []params{{3, "green"}, {3, "green"}}) {
		t.Errorf("%d, %v; the flow saw %+v", out, err, seen)
	}
	_, run, err := f.Start(t.Context(), e, params{Trials: 3000}, engine.Options{})
	var wrong *engine.ParameterError
	if !errors.As(err, &wrong) || err.Error() != "parameter trials: want an integer from 1 to 1000, not 3000" || len(seen) != 2 {
		t.Errorf("an invalid run: %v after %d bodies", err, len(seen))
	}
	wantStates(t, h, run.ID, "", "Failed")
}

// 14. What depends on a failure waits for ever.
func upstreamFailed(t *testing.T, h engine.History) {
	bad := task("Bad", func(context.Context, int) (int, error) { return 0, errors.New("gone") })
	next := task("Next", func(_ context.Context, n int) (int, error) { return n, nil })
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		first := bad.Submit(c, engine.Val(n))
		other := next.Keyed("order").Submit(c, engine.Val(1), first)
		_ = other.Wait()
		return next.Keyed("data").Submit(c, first), nil
	})
	_, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if err == nil || err.Error() != "gone" || run.State.Type != engine.TypeFailed {
		t.Errorf("%v, %v", run.State, err)
	}
	tasks, err := h.TaskRuns(t.Context(), run.ID)
	for _, call := range tasks[1:] {
		if call.State.Name != engine.NameUpstreamFailed || call.State.Message != "Bad did not complete" {
			t.Errorf("%s is %+v", call.Key, call.State)
		}
	}
	if err != nil || len(tasks) != 3 || !slices.Equal(tasks[1].After, []string{"bad"}) || !slices.Equal(tasks[2].DependsOn, []string{"bad"}) {
		t.Errorf("%+v, %v", tasks, err)
	}
}

// 15. A run is deleted while it runs, and its tasks run on.
func deleting(t *testing.T, h engine.History) {
	var owned *engine.OwnedError
	var top string
	stuck := task("Stuck", func(ctx context.Context, n int) (int, error) {
		id := engine.From(ctx).RunID()
		if err := h.DeleteFlowRun(ctx, top); !errors.As(err, &owned) {
			t.Errorf("deleting a running flow = %v", err)
		}
		_, err := h.Signal(ctx, engine.Signal{FlowRunID: id, Kind: engine.SignalCancel})
		<-ctx.Done()
		return n, err
	})
	inner := flow("inner", func(c *engine.Ctx, n int) (engine.Arg[int], error) { return stuck.Submit(c, engine.Val(n)), nil })
	f := flow("flow", func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		top = c.RunID()
		return inner.Submit(c, engine.Val(n)), nil
	})
	_, run, err := f.Start(t.Context(), newEngine(h), 1, engine.Options{})
	if run.State.Type != engine.TypeFailed && run.State.Type != engine.TypeCancelled {
		t.Errorf("%v, %v", run.State, err)
	}
	sub, err := h.Subflow(t.Context(), run.ID, "inner")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteFlowRun(t.Context(), sub.ID); err == nil {
		t.Error("a part of a run was deleted")
	}
	if err := h.DeleteFlowRun(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{run.ID, sub.ID} {
		if _, err := h.FlowRun(t.Context(), id); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the deleted run: %v", err)
		}
		if tasks, err := h.TaskRuns(t.Context(), id); err != nil || len(tasks) != 0 {
			t.Errorf("the deleted run's tasks: %+v, %v", tasks, err)
		}
	}
}
