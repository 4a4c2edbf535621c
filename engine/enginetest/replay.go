package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// replays is how often Replay runs a body again. A flow that goes by the order of a map
// of two would make the same calls by chance one time in two.
const replays = 20

// Replay checks that a flow can be resumed, and carried out by an engine that
// replays: it runs the flow, and then its body some times more against what was
// recorded. Each time it must make the same calls with the same inputs, and so run no
// task. A flow that takes the time, randomness or IDs from anywhere but its Ctx fails,
// and so does one whose calls go by the order of a map.
//
// e has the history to run on; the zero Engine will do.
func Replay[I, O any](t *testing.T, e *engine.Engine, f engine.Flow[I, O], in I) {
	t.Helper()
	if err := replayed(t.Context(), e, f, in); err != nil {
		t.Error(err)
	}
}

// replayed is Replay: the error joins what differs.
func replayed[I, O any](ctx context.Context, e *engine.Engine, f engine.Flow[I, O], in I) error {
	_, run, err := f.Start(ctx, e, in, engine.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	for range replays {
		r := &replay{History: e.History, made: map[engine.Holder]bool{}}
		again := &engine.Engine{History: r, Observer: listener{r}, Version: e.Version, Logger: slog.New(slog.DiscardHandler), Clock: e.Clock}
		_, second, err := f.Resume(ctx, again, run.ID)
		r.mu.Lock()
		switch {
		case len(r.problems) > 0: // which are why it failed, if it did
			err = errors.Join(r.problems...)
		case err == nil && !same(second.Result, run.Result):
			err = fmt.Errorf("it returns %s, and before %s", second.Result, run.Result)
		case err == nil:
			err = r.missing(ctx, run)
		}
		r.mu.Unlock()
		if err != nil {
			return fmt.Errorf("%s, run again: %w", f.Name, err)
		}
	}
	return nil
}

func same(a, b json.RawMessage) bool { return string(a) == string(b) }

// replay is a history in which a run that completed seems to have failed, and which
// takes nothing new.
type replay struct {
	engine.History

	mu       sync.Mutex
	made     map[engine.Holder]bool
	problems []error
}

var errReplayed = errors.New("this call was not made the first time")

func (r *replay) problem(format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Errorf(format, args...))
	return errReplayed
}

func (r *replay) AdoptFlowRun(ctx context.Context, id string) (engine.FlowRun, error) {
	run, err := r.History.FlowRun(ctx, id)
	run.State = engine.After(run.State, run.State.Time, engine.TypeScheduled, engine.NameResuming, "")
	return run, err
}

func (r *replay) PutFlowRun(context.Context, engine.FlowRun, engine.State) error { return nil }

func (r *replay) CreateFlowRun(_ context.Context, run engine.FlowRun) (engine.FlowRun, error) {
	return run, r.problem("subflow %s is called by the new key %s", run.Flow, run.ParentKey)
}

func (r *replay) PutTaskRun(ctx context.Context, put engine.TaskPut) error {
	if put.Task.State.Type == engine.TypePending {
		return nil // it waits for others, and may yet be reused
	}
	calls, err := r.History.TaskRuns(ctx, put.Task.FlowRunID)
	if err != nil {
		return err
	}
	for _, c := range calls {
		if c.Key == put.Task.Key && c.InputDigest == "" {
			return r.problem("call %s has an input that cannot be digested, so it is never reused", c.Key)
		}
		if c.Key == put.Task.Key {
			return r.problem("call %s has another input", c.Key)
		}
	}
	return r.problem("call %s is new", put.Task.Key)
}

func (r *replay) Signals(ctx context.Context, _ string, after int64) ([]engine.Signal, error) {
	if after >= 0 {
		<-ctx.Done()
	}
	return nil, ctx.Err()
}

func (r *replay) AppendLogs(context.Context, []engine.LogLine) error { return nil }

func (r *replay) PutArtifact(ctx context.Context, a engine.Artifact) (engine.Artifact, error) {
	there, err := r.History.Artifacts(ctx, engine.ArtifactQuery{FlowRunID: a.FlowRunID})
	for _, old := range there {
		if old.ID == a.ID {
			return old, nil
		}
	}
	if err != nil {
		return a, err
	}
	return a, r.problem("artifact %s is new", a)
}

// missing returns an error about each call of the first time that was not made now.
func (r *replay) missing(ctx context.Context, run engine.FlowRun) error {
	calls, err := r.History.TaskRuns(ctx, run.ID)
	for _, c := range calls {
		within := false // a task's own calls are not made when the task is reused
		for _, other := range calls {
			within = within || strings.HasPrefix(c.Key, other.Key+"/")
		}
		if !within && !r.made[engine.Holder{FlowRunID: run.ID, TaskKey: c.Key}] {
			err = errors.Join(err, fmt.Errorf("call %s is not made", c.Key))
		}
		if c.SubflowID != "" {
			sub, serr := r.History.FlowRun(ctx, c.SubflowID)
			if serr == nil {
				serr = r.missing(ctx, sub)
			}
			err = errors.Join(err, serr)
		}
	}
	return err
}

// listener is the observer of the second time.
type listener struct{ *replay }

func (l listener) FlowRun(engine.FlowRun)   {}
func (l listener) Progress(engine.Progress) {}
func (l listener) Log(engine.LogLine)       {}

func (l listener) TaskRun(c engine.TaskRun) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made[engine.Holder{FlowRunID: c.FlowRunID, TaskKey: c.Key}] = true
}
