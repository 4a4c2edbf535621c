package enginetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// mistakes are those that engines most often make, each with the test that this
// one does not. (The eighth is about schedules: Work has it. The last two are ours.)
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
	"ACancelledTreeIsLeftHalfway":          cancelledTree,
	"ARunThatMayBeTriedAgainHasFailed":     timedOutRetried,
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
	for _, late := range []time.Duration{3 * time.Second, time.Hour} { // within the grace, and beyond
		slow := flow("slow", func(c *engine.Ctx, n int) (engine.Arg[int], error) { time.Sleep(late); return engine.Val(n), nil })
		slow.Timeout = time.Second
		out, run, err := slow.Start(t.Context(), e, 1, engine.Options{})
		if !errors.Is(err, engine.ErrTimedOut) || run.State.Name != engine.NameTimedOut || run.Result != nil || out != 0 {
			t.Errorf("slow by %v: %d, %+v, %v", late, out, run, err)
		}
		time.Sleep(2 * time.Hour)
		wantStates(t, h, run.ID, "", "Pending Running TimedOut")
	}
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
