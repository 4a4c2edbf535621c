package history

import (
	"errors"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// A write that was refused stays refused when another of its group fails, so that
// each is made by itself.
func TestARefusalOutlivesItsGroup(t *testing.T) {
	s := open(t, t.TempDir())
	broken := errors.New("broken")
	refused := &op{do: func(*batch) error { return engine.ErrSuperseded }}
	fails := &op{do: func(*batch) error { return broken }}
	good := &op{do: func(b *batch) error {
		_, err := b.exec(`INSERT INTO concurrency_limit (name, slots) VALUES ('kept', 1)`)
		return err
	}}
	s.writer.commit([]*op{refused, fails, good})
	if !errors.Is(refused.err, engine.ErrSuperseded) || !errors.Is(fails.err, broken) || good.err != nil {
		t.Errorf("refused: %v, fails: %v, good: %v", refused.err, fails.err, good.err)
	}
	if limits, err := s.Limits(t.Context()); err != nil || len(limits) != 1 {
		t.Errorf("limits %+v, %v", limits, err)
	}
}

// queued has s commit nothing by itself, as if no time passed.
func queued(t *testing.T, s *Store) {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	s.writer.timer = time.NewTimer(time.Hour)
	t.Cleanup(func() { s.writer.timer.Stop() })
}

// Whoever writes hears of it when it is committed, however much was to be written
// before.
func TestAWriteBehindMoreThanABatch(t *testing.T) {
	s := open(t, t.TempDir())
	queued(t, s)
	for range 2*maxBatch + 1 {
		if err := s.writer.add(&op{lazy: true, do: func(*batch) error { return nil }}); err != nil {
			t.Fatal(err)
		}
	}
	done := false
	if err := s.writer.write(func(*batch) error { done = true; return engine.ErrNotFound }); !done || !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("done: %v, %v", done, err)
	}
}

// A write of which a part was made before, as when somebody elsewhere has not heard
// so and asks for all of it again, is made for the rest.
func TestAWriteOfWhichAPartWasMade(t *testing.T) {
	s := open(t, t.TempDir())
	run, task := engine.FlowRun{ID: "run-1", RootID: "run-1", Flow: "f", Name: "n", Created: now(), ExpectedStart: now()}, engine.TaskRun{FlowRunID: "run-1", Key: "k", Name: "K"}
	run.State = engine.After(engine.State{}, now(), engine.TypePending, engine.NamePending, "")
	if _, err := s.CreateFlowRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	pending := engine.After(engine.State{}, now(), engine.TypePending, engine.NamePending, "")
	running := engine.After(pending, now(), engine.TypeRunning, engine.NameRunning, "")
	completed := engine.After(running, now(), engine.TypeCompleted, engine.NameCompleted, "")
	put := func(from, to engine.State, via ...engine.State) *op {
		task.State = to
		return &op{put: &taskWrite{store: s, TaskPut: engine.TaskPut{Task: task, From: from, Via: via}, states: append(via, to)}}
	}
	begins := put(engine.State{}, running, pending)
	s.writer.commit([]*op{begins})
	again, ends := put(engine.State{}, running, pending), put(running, completed)
	s.writer.commit([]*op{again, ends})
	var moved *engine.TransitionError
	if begins.err != nil || !errors.As(again.err, &moved) || moved.From.Type != engine.TypeRunning || ends.err != nil {
		t.Errorf("begins: %v, again: %v, ends: %v", begins.err, again.err, ends.err)
	}
	states, err := s.States(t.Context(), "run-1", "k")
	if err != nil || len(states) != 3 || states[2].Type != engine.TypeCompleted {
		t.Errorf("%+v, %v", states, err)
	}
}

// Flush commits what waits for more.
func TestFlush(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir)
	queued(t, s)
	run := engine.FlowRun{ID: "run-1", RootID: "run-1", Flow: "f", Name: "n", Created: now(), ExpectedStart: now(), State: engine.After(engine.State{}, now(), engine.TypePending, engine.NamePending, "")}
	if _, err := s.CreateFlowRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := s.AppendLogs(t.Context(), []engine.LogLine{{FlowRunID: "run-1", Time: now(), Level: "INFO", Message: "here"}}); err != nil {
		t.Fatal(err)
	}
	if lines, err := other.Logs(t.Context(), "run-1"); err != nil || len(lines) != 0 {
		t.Errorf("before: %v, %v", lines, err)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if lines, err := other.Logs(t.Context(), "run-1"); err != nil || len(lines) != 1 {
		t.Errorf("after: %v, %v", lines, err)
	}
}
