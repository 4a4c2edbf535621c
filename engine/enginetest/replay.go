package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// Replay checks that a flow can be resumed, and carried out by an engine that
// replays: it runs the flow, and then its body once more against what was recorded.
// The second time must make the same calls with the same inputs, and so run no
// task. A flow that takes the time, randomness or IDs from anywhere but its Ctx
// fails.
//
// e has the history to run on; the zero Engine will do.
func Replay[I, O any](t *testing.T, e *engine.Engine, f engine.Flow[I, O], in I) {
	t.Helper()
	_, run, err := f.Start(t.Context(), e, in, engine.Options{})
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	r := &replay{History: e.History, made: map[engine.Holder]bool{}}
	again := &engine.Engine{History: r, Observer: listener{r}, Version: e.Version, Logger: e.Logger, Clock: e.Clock}
	_, second, err := f.Resume(t.Context(), again, run.ID)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.problems {
		t.Errorf("%s, run again: %s", f.Name, p)
	}
	if err != nil && len(r.problems) == 0 {
		t.Errorf("%s, run again: %v", f.Name, err)
	}
	if err == nil && !same(second.Result, run.Result) {
		t.Errorf("%s, run again, returns %s, and before %s", f.Name, second.Result, run.Result)
	}
	if err == nil {
		r.missing(t, run)
	}
}

func same(a, b json.RawMessage) bool { return string(a) == string(b) }

// replay is a history in which a run that completed seems to have failed, and which
// takes nothing new.
type replay struct {
	engine.History

	mu       sync.Mutex
	made     map[engine.Holder]bool
	problems []string
}

var errReplayed = errors.New("this call was not made the first time")

func (r *replay) problem(format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
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

// missing reports the calls of the first time that were not made the second.
func (r *replay) missing(t *testing.T, run engine.FlowRun) {
	t.Helper()
	calls, err := r.History.TaskRuns(t.Context(), run.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		within := false // a task's own calls are not made when the task is reused
		for _, other := range calls {
			within = within || strings.HasPrefix(c.Key, other.Key+"/")
		}
		if !within && !r.made[engine.Holder{FlowRunID: run.ID, TaskKey: c.Key}] {
			t.Errorf("%s, run again: call %s is not made", run.Flow, c.Key)
		}
		if c.SubflowID != "" {
			sub, err := r.History.FlowRun(t.Context(), c.SubflowID)
			if err != nil {
				t.Fatal(err)
			}
			r.missing(t, sub)
		}
	}
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
