// Package enginetest holds the suites that implementations of the engine's
// contracts pass. It does not know any implementation.
package enginetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// History checks that what open returns keeps its promises. open gives an empty
// history each time.
func History(t *testing.T, open func(t *testing.T) engine.History) {
	for name, test := range map[string]func(*testing.T, engine.History){
		"FlowRuns":    flowRuns,
		"Transitions": transitions,
		"Subflows":    subflows,
		"TaskRuns":    taskRuns,
		"Results":     results,
		"Cache":       cache,
		"ResumeAFlow": resume,
		"Artifacts":   artifacts,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	for name, test := range mistakes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, open(t)) }) // hours pass in no time
		})
	}
}

// now has no more than the microseconds that a history keeps.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func newFlowRun(id string) engine.FlowRun {
	at := now()
	return engine.FlowRun{
		ID: id, RootID: id, Flow: "train", Name: "flashy-dove", Parameters: json.RawMessage(`{"date":"2021-03-05"}`),
		Version: "v1", Refresh: true, Created: at, ExpectedStart: at.Add(-time.Hour),
		State: engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: at},
	}
}

func create(t *testing.T, h engine.History, run engine.FlowRun) engine.FlowRun {
	t.Helper()
	if _, err := h.CreateFlowRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	return run
}

func flowRuns(t *testing.T, h engine.History) {
	run := create(t, h, newFlowRun("run-1"))
	if got, err := h.FlowRun(t.Context(), run.ID); err != nil || !reflect.DeepEqual(got, run) {
		t.Errorf("FlowRun = %+v, %v\nwant %+v", got, err, run)
	}
	if _, err := h.CreateFlowRun(t.Context(), run); err == nil {
		t.Error("the same run was created twice")
	}
	before := run.State
	run.State = engine.State{Type: engine.TypeRunning, Name: engine.NameRunning, Message: "on", Time: now().Add(time.Second)}
	run.Attempts, run.Start, run.End = 2, now(), now().Add(time.Second)
	run.Result = json.RawMessage(`{"n":1}`)
	run.Ran, run.NextStart, run.Recoveries = 3*time.Second, now(), 2
	run.Waiting = &engine.Waiting{FlowRunID: run.ID, Key: "input", Message: "well?", Deadline: now()}
	if err := h.PutFlowRun(t.Context(), run, before); err != nil {
		t.Fatal(err)
	}
	if got, err := h.FlowRun(t.Context(), run.ID); err != nil || !reflect.DeepEqual(got, run) {
		t.Errorf("FlowRun = %+v, %v\nwant %+v", got, err, run)
	}
	for name, err := range map[string]error{
		"FlowRun":    second(h.FlowRun(t.Context(), "nobody")),
		"PutFlowRun": h.PutFlowRun(t.Context(), newFlowRun("nobody"), engine.State{}),
		"PutTaskRun": h.PutTaskRun(t.Context(), engine.TaskPut{Task: engine.TaskRun{FlowRunID: "nobody", Key: "k"}}),
		"Adopt":      second(h.AdoptFlowRun(t.Context(), "nobody")),
	} {
		if !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s of a run that is not there = %v, want ErrNotFound", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func subflows(t *testing.T, h engine.History) {
	create(t, h, newFlowRun("run-1"))
	child := newFlowRun("run-2")
	child.ParentID, child.ParentKey, child.RootID = "run-1", "preprocess", "run-1"
	create(t, h, child)
	if got, err := h.Subflow(t.Context(), "run-1", "preprocess"); err != nil || !reflect.DeepEqual(got, child) {
		t.Errorf("Subflow = %+v, %v\nwant %+v", got, err, child)
	}
	if _, err := h.Subflow(t.Context(), "run-1", "other"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("Subflow = %v, want ErrNotFound", err)
	}
}

func taskRuns(t *testing.T, h engine.History) {
	create(t, h, newFlowRun("run-1"))
	var want []engine.TaskRun
	for i, key := range []string{"z", "a", "m"} {
		pending := engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: now()}
		task := engine.TaskRun{
			FlowRunID: "run-1", Key: key, Name: "Task " + key, RunName: "Task of " + key, Kind: engine.KindTask, Order: i + 1,
			InputDigest: "d", DependsOn: []string{"x", "y"}[:i%3], After: []string{"w"}, Tags: []string{"db"},
			State: engine.State{Type: engine.TypeRunning, Name: engine.NameRunning, Time: pending.Time.Add(1000)}, Attempts: 1, Start: now(),
		}
		if i == 0 {
			task.DependsOn = nil
		}
		if err := h.PutTaskRun(t.Context(), engine.TaskPut{Task: task, Via: []engine.State{pending}}); err != nil {
			t.Fatal(err)
		}
		want = append(want, task)
	}
	want[0].Order, want[2].Order = want[2].Order, want[0].Order
	for _, task := range []engine.TaskRun{want[0], want[2]} { // without a new state
		if err := h.PutTaskRun(t.Context(), engine.TaskPut{Task: task, From: task.State}); err != nil {
			t.Fatal(err)
		}
	}
	want[0], want[2] = want[2], want[0]
	running := want[1].State
	want[1].State = engine.State{Type: engine.TypeFailed, Name: engine.NameTimedOut, Message: "late", Time: now().Add(time.Second)}
	want[1].End, want[1].CachedFrom, want[1].SubflowID, want[1].Ran = now(), "run-0", "run-9", time.Second
	for i := range 2 { // the second time it comes from a state that has passed
		err := h.PutTaskRun(t.Context(), engine.TaskPut{Task: want[1], From: running})
		var refused *engine.TransitionError
		if i == 0 && err != nil || i == 1 && (!errors.As(err, &refused) || refused.From != want[1].State) {
			t.Errorf("%d: PutTaskRun = %v", i, err)
		}
	}
	got, err := h.TaskRuns(t.Context(), "run-1")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("TaskRuns = %+v, %v\nwant %+v", got, err, want)
	}
	if none, err := h.TaskRuns(t.Context(), "nobody"); err != nil || len(none) != 0 {
		t.Errorf("TaskRuns of nobody = %v, %v", none, err)
	}
}

func results(t *testing.T, h engine.History) {
	create(t, h, newFlowRun("run-1"))
	for i, data := range [][]byte{{}, []byte("small"), bytes.Repeat([]byte("large "), 50_000)} {
		ref := fmt.Sprintf("%x", sha256.Sum256(data))
		r := engine.Result{Codec: "bytes", Digest: "d", Size: int64(len(data)), Ref: ref, Data: data}
		for n := range 2 { // storing the same again is no error
			done := completed(fmt.Sprint(ref, n), r)
			done.Task.Order = 2*i + n
			if err := h.PutTaskRun(t.Context(), done); err != nil {
				t.Fatal(err)
			}
		}
		list, err := h.TaskRuns(t.Context(), "run-1")
		if err != nil {
			t.Fatal(err)
		}
		stored := *list[2*i].Result
		if stored.Data != nil || stored.Codec != r.Codec || stored.Digest != r.Digest || stored.Size != r.Size {
			t.Errorf("stored %+v", stored)
		}
		if got, err := h.ReadResult(t.Context(), stored); err != nil || !bytes.Equal(got, data) {
			t.Errorf("ReadResult = %d bytes, %v; want %d", len(got), err, len(data))
		}
	}
	small := engine.Result{Codec: "json", Digest: "d", Size: 2, Ref: "=42"}
	done := completed("small", small)
	done.Task.Order, done.Entry = 9, &engine.CacheEntry{Key: "small", FlowRunID: "run-1", Result: small}
	if err := h.PutTaskRun(t.Context(), done); err != nil {
		t.Fatal(err)
	}
	list, err := h.TaskRuns(t.Context(), "run-1")
	if err != nil {
		t.Fatal(err)
	}
	entry, err := h.Cached(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []engine.Result{*list[len(list)-1].Result, entry.Result} {
		if got, err := h.ReadResult(t.Context(), r); err != nil || string(got) != "42" || !reflect.DeepEqual(r, small) {
			t.Errorf("%+v is %s, %v", r, got, err)
		}
	}
	if _, err := h.ReadResult(t.Context(), engine.Result{Ref: strings.Repeat("f", 64), Size: 1}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("ReadResult = %v, want ErrNotFound", err)
	}
}

// completed is a call of run-1 that has come from nowhere to its end.
func completed(key string, r engine.Result) engine.TaskPut {
	pending := engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: now()}
	running := engine.After(pending, pending.Time, engine.TypeRunning, engine.NameRunning, "")
	return engine.TaskPut{
		Task: engine.TaskRun{FlowRunID: "run-1", Key: key, Result: &r, State: engine.After(running, pending.Time, engine.TypeCompleted, engine.NameCompleted, "")},
		Via:  []engine.State{pending, running},
	}
}

func cache(t *testing.T, h engine.History) {
	create(t, h, newFlowRun("run-1"))
	put := func(key, data string, expires time.Time) {
		t.Helper()
		r := engine.Result{Codec: "json", Digest: data, Size: int64(len(data)), Ref: fmt.Sprintf("%x", sha256.Sum256([]byte(data))), Data: []byte(data)}
		done := completed(data, r)
		done.Entry = &engine.CacheEntry{Key: key, FlowRunID: "run-1", Result: r, Expires: expires}
		if err := h.PutTaskRun(t.Context(), done); err != nil {
			t.Fatal(err)
		}
	}
	put("k", "old", time.Time{})
	put("k", "new", now().Add(time.Hour))
	put("gone", "late", now().Add(-time.Hour))
	e, err := h.Cached(t.Context(), "k")
	if err != nil || e.FlowRunID != "run-1" || e.Result.Digest != "new" {
		t.Fatalf("Cached = %+v, %v", e, err)
	}
	if got, err := h.ReadResult(t.Context(), e.Result); err != nil || string(got) != "new" {
		t.Errorf("ReadResult = %q, %v", got, err)
	}
	for _, key := range []string{"gone", "never"} {
		if _, err := h.Cached(t.Context(), key); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("Cached(%q) = %v, want ErrNotFound", key, err)
		}
	}
}

// resume runs a real flow on h: it fails, and succeeds when resumed, running
// each task that completed only once.
func resume(t *testing.T, h engine.History) {
	ran := map[string]int{}
	step := func(name string, err *error) engine.Task[int, int] {
		return engine.Task[int, int]{Name: name, Func: func(_ context.Context, n int) (int, error) {
			ran[name]++
			return n + 1, *err
		}}
	}
	var fine error
	broken := errors.New("broken")
	inner := engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return step("two", &fine).Submit(c, engine.Val(n)), nil
	}}
	flow := engine.Flow[int, int]{Name: "outer", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return step("three", &broken).Submit(c, inner.Submit(c, step("one", &fine).Submit(c, engine.Val(n)))), nil
	}}
	e := &engine.Engine{History: h, Version: "v1"}
	_, run, err := flow.Start(t.Context(), e, 0, engine.Options{})
	if !errors.Is(err, broken) {
		t.Fatalf("Start = %v", err)
	}
	broken = nil
	out, run, err := flow.Resume(t.Context(), e, run.ID)
	if err != nil || out != 3 || run.State.Type != engine.TypeCompleted || run.Attempts != 2 {
		t.Errorf("Resume = %d, %+v, %v", out, run, err)
	}
	if fmt.Sprint(ran) != "map[one:1 three:2 two:1]" {
		t.Errorf("ran %v", ran)
	}
}
