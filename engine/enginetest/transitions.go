package enginetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// allowed is the transition table once more, by hand: what may follow each type.
// Where it depends on more than the types, a condition stands behind.
var allowed = map[engine.StateType]string{
	"":                    "SCHEDULED PENDING FAILED",
	engine.TypeScheduled:  "SCHEDULED PENDING RUNNING CANCELLING:waits COMPLETED:cached FAILED CRASHED CANCELLED",
	engine.TypePending:    "SCHEDULED PENDING:renamed RUNNING CANCELLING COMPLETED:cached FAILED CRASHED CANCELLED",
	engine.TypeRunning:    "SCHEDULED RUNNING:renamed PAUSED CANCELLING COMPLETED FAILED CRASHED CANCELLED:task",
	engine.TypePaused:     "SCHEDULED RUNNING PAUSED:renamed CANCELLING COMPLETED FAILED CRASHED CANCELLED",
	engine.TypeCancelling: "CANCELLED",
	engine.TypeCompleted:  "SCHEDULED RUNNING",
	engine.TypeFailed:     "SCHEDULED RUNNING",
	engine.TypeCrashed:    "SCHEDULED RUNNING",
	engine.TypeCancelled:  "SCHEDULED RUNNING",
}

func mayFollow(from, to engine.State, task bool) bool {
	for _, word := range strings.Fields(allowed[from.Type]) {
		name, condition, _ := strings.Cut(word, ":")
		if name != string(to.Type) {
			continue
		}
		switch condition {
		case "waits":
			return slices.Contains([]string{engine.NameAwaitingRetry, engine.NameAwaitingSlot, engine.NameResuming}, from.Name)
		case "cached":
			return to.Name == engine.NameCached
		case "renamed":
			return from.Name != to.Name || to.Name == engine.NameRetrying
		case "task":
			return task
		}
		return true
	}
	return false
}

// states are all that the engine names, and none.
func states() []engine.State {
	list := []engine.State{{}}
	for _, t := range engine.StateTypes() {
		for _, name := range engine.StateNames(t) {
			list = append(list, engine.State{Type: t, Name: name})
		}
	}
	return list
}

// path leads a new run to state s by transitions that are allowed.
func path(s engine.State) []engine.State {
	if s.Type == "" {
		return nil
	}
	pending := engine.State{Type: engine.TypePending, Name: engine.NamePending}
	running := engine.State{Type: engine.TypeRunning, Name: engine.NameRunning}
	switch {
	case s.Type == engine.TypeScheduled:
		return []engine.State{s}
	case s == pending:
		return []engine.State{pending}
	case s == running:
		return []engine.State{pending, running}
	case s.Type == engine.TypePending:
		return []engine.State{pending, s}
	case s.Type == engine.TypeCancelled:
		return []engine.State{pending, s}
	}
	return []engine.State{pending, running, s}
}

// transitions tries every pair of states that have a name, on a flow run and on a
// task run.
func transitions(t *testing.T, h engine.History) {
	n := 0
	for _, from := range states() {
		for _, to := range states()[1:] {
			n++
			flowTransition(t, h, fmt.Sprintf("flow-%d", n), from, to)
			taskTransition(t, h, fmt.Sprintf("task-%d", n), from, to)
		}
	}
}

func flowTransition(t *testing.T, h engine.History, id string, from, to engine.State) {
	t.Helper()
	run := newFlowRun(id)
	at := run.State
	at.Time = at.Time.Add(-1e6)
	step := func(s engine.State) error {
		before := run.State
		at = engine.After(at, at.Time, s.Type, s.Name, "")
		run.State = at
		if before.Type == "" {
			_, err := h.CreateFlowRun(t.Context(), run)
			return err
		}
		return h.PutFlowRun(t.Context(), run, before)
	}
	run.State = engine.State{}
	for _, s := range path(from) {
		if err := step(s); err != nil {
			t.Fatalf("%s: lead a flow run to %s: %v", id, from.Name, err)
		}
	}
	if from.Type != "" && from.Released() && !from.Type.Final() {
		return // nobody's: only who adopts it writes it
	}
	judge(t, "flow run", from, to, step(to), mayFollow(from, to, false))
}

func taskTransition(t *testing.T, h engine.History, id string, from, to engine.State) {
	t.Helper()
	create(t, h, newFlowRun(id))
	task := engine.TaskRun{FlowRunID: id, Key: "k", Name: "K"}
	at := engine.State{Time: now()}
	step := func(s engine.State) error {
		before := task.State
		at = engine.After(at, at.Time, s.Type, s.Name, "")
		task.State = at
		return h.PutTaskRun(t.Context(), engine.TaskPut{Task: task, From: before})
	}
	for _, s := range path(from) {
		if err := step(s); err != nil {
			t.Fatalf("lead a task run to %s: %v", from.Name, err)
		}
	}
	judge(t, "task run", from, to, step(to), mayFollow(from, to, true))
}

func judge(t *testing.T, what string, from, to engine.State, err error, allowed bool) {
	t.Helper()
	var refused *engine.TransitionError
	switch {
	case allowed && err != nil:
		t.Errorf("%s from %s to %s: %v", what, from.Name, to.Name, err)
	case !allowed && !errors.As(err, &refused):
		t.Errorf("%s from %s to %s = %v, want a TransitionError", what, from.Name, to.Name, err)
	}
}
