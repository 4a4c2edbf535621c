package history

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestHistory(t *testing.T) {
	enginetest.History(t, func(t *testing.T) engine.History { return open(t, t.TempDir()) })
}

// The test binary is its own crash victim: with this variable set it runs a
// flow whose second task never returns.
const victimHome = "HISTORY_TEST_HOME"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashHome); dir != "" {
		crashChild(dir)
	}
	if dir := os.Getenv(victimHome); dir != "" {
		s, err := Open(context.Background(), dir)
		if err == nil {
			_, _, err = flow(func(context.Context) error { fmt.Println("waiting"); select {} }).
				Start(context.Background(), &engine.Engine{History: s, Version: "v1"}, 1, engine.Options{})
		}
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func flow(second func(context.Context) error) engine.Flow[int, int] {
	step := func(name string, do func(context.Context) error) engine.Task[int, int] {
		return engine.Task[int, int]{Name: name, Func: func(ctx context.Context, n int) (int, error) { return n + 1, do(ctx) }}
	}
	return engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		first := step("first", func(context.Context) error { return nil }).Submit(c, engine.Val(n))
		return step("second", second).Submit(c, first), nil
	}}
}

func TestOnlyTheDeadAreResumed(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimHome+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "waiting\n" {
		t.Fatalf("child said %q, %v", line, err)
	}

	s := open(t, dir)
	e := &engine.Engine{History: s, Version: "v1"}
	run, err := s.Find(t.Context(), "latest")
	if err != nil {
		t.Fatal(err)
	}
	for begun := false; !begun; { // a start is on the disk soon, not at once
		tasks, err := s.TaskRuns(t.Context(), run.ID)
		if err != nil {
			t.Fatal(err)
		}
		begun = len(tasks) == 2 && tasks[1].State.Type == engine.TypeRunning
	}
	fine := flow(func(context.Context) error { return nil })
	var owned *engine.OwnedError
	if _, _, err := fine.Resume(t.Context(), e, run.ID); !errors.As(err, &owned) || owned.PID != cmd.Process.Pid {
		t.Fatalf("resuming a live run = %v, want OwnedError of %d", err, cmd.Process.Pid)
	}
	if reaped, err := s.Reap(t.Context()); err != nil || len(reaped) != 0 {
		t.Errorf("Reap of a live run = %+v, %v", reaped, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for _, want := range []int{1, 0} {
		if reaped, err := s.Reap(t.Context()); err != nil || len(reaped) != want {
			t.Errorf("Reap = %+v, %v; want %d", reaped, err, want)
		}
	}
	if dead, err := s.FlowRun(t.Context(), run.ID); err != nil || dead.State.Type != engine.TypeCrashed {
		t.Errorf("a reaped run is %+v, %v", dead.State, err)
	}
	got, again, err := fine.Resume(t.Context(), e, run.ID)
	if err != nil || got != 3 {
		t.Fatalf("resuming a dead run = %d, %v", got, err)
	}
	tasks, err := s.TaskRuns(t.Context(), run.ID)
	if err != nil || tasks[0].Attempts != 1 || tasks[1].Attempts != 2 {
		t.Errorf("tasks = %+v, %v", tasks, err)
	}
	states, err := s.States(t.Context(), run.ID, "")
	var names []string
	for i, st := range states {
		names = append(names, st.Name)
		if i > 0 && !st.Time.After(states[i-1].Time) {
			t.Errorf("state %s is not later than the one before", st.Name)
		}
	}
	if want := "Pending Running Crashed Resuming Retrying Completed"; err != nil || strings.Join(names, " ") != want {
		t.Errorf("states = %v, %v; want %s", names, err, want)
	}
	if again.State.Type != engine.TypeCompleted {
		t.Errorf("run = %+v", again.State)
	}
}

func TestASupersededOwnerCannotWrite(t *testing.T) {
	dir := t.TempDir()
	old, young := open(t, dir), open(t, dir)
	at := time.Now().UTC().Truncate(time.Microsecond)
	run := engine.FlowRun{ID: "abcd-1", RootID: "abcd-1", Parameters: []byte("{}"), Created: at, ExpectedStart: at,
		State: engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: at}}
	if _, err := old.CreateFlowRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := old.PutTaskRun(t.Context(), engine.TaskPut{Task: engine.TaskRun{FlowRunID: run.ID, Key: "mine", State: run.State}}); err != nil {
		t.Fatal(err)
	}
	if err := old.owner.release(); err != nil { // as if its process were gone
		t.Fatal(err)
	}
	if _, err := young.AdoptFlowRun(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if err := old.PutTaskRun(t.Context(), engine.TaskPut{Task: engine.TaskRun{FlowRunID: run.ID, Key: "k"}}); !errors.Is(err, engine.ErrSuperseded) {
		t.Errorf("PutTaskRun = %v, want ErrSuperseded", err)
	}
	begun := engine.TaskRun{FlowRunID: run.ID, Key: "late", State: engine.After(run.State, at, engine.TypeRunning, engine.NameRunning, "")}
	if err := old.PutTaskRun(t.Context(), engine.TaskPut{Task: begun, Via: []engine.State{run.State}, Lazy: true}); err != nil {
		t.Fatal(err)
	}
	ended := begun
	ended.State = engine.After(begun.State, at, engine.TypeCompleted, engine.NameCompleted, "")
	if err := old.PutTaskRun(t.Context(), engine.TaskPut{Task: ended, From: begun.State}); !errors.Is(err, engine.ErrSuperseded) {
		t.Errorf("PutTaskRun of what began in the same group = %v, want ErrSuperseded", err)
	}
	var owned *engine.OwnedError
	if _, err := old.AdoptFlowRun(t.Context(), run.ID); !errors.As(err, &owned) {
		t.Errorf("two processes adopted one run: %v", err)
	}
	if err := old.PutFlowRun(t.Context(), run, run.State); !errors.Is(err, engine.ErrSuperseded) {
		t.Errorf("PutFlowRun = %v, want ErrSuperseded", err)
	}
}

func TestFind(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Find(t.Context(), "latest"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("Find in an empty history = %v", err)
	}
	base := time.Now().UTC().Truncate(time.Microsecond)
	for i, id := range []string{"aaaa1111", "aaaa2222", "bbbb3333"} {
		run := engine.FlowRun{ID: id, RootID: id, Name: "name-" + id[:1], Parameters: []byte("{}"), Created: base.Add(time.Duration(i)), ExpectedStart: base,
			State: engine.State{Type: engine.TypePending, Name: "Pending", Time: base}}
		run.Created = base.Add(time.Duration(i) * time.Second)
		if _, err := s.CreateFlowRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	for ref, want := range map[string]string{"latest": "bbbb3333", "aaaa1": "aaaa1111", "aaaa2222": "aaaa2222", "name-b": "bbbb3333"} {
		if run, err := s.Find(t.Context(), ref); err != nil || run.ID != want {
			t.Errorf("Find(%q) = %s, %v; want %s", ref, run.ID, err, want)
		}
	}
	for _, ref := range []string{"aaaa", "name-a", "bbb", "cccc", "%", "", "bbbb____"} {
		if run, err := s.Find(t.Context(), ref); err == nil {
			t.Errorf("Find(%q) = %s, want an error", ref, run.ID)
		}
	}
}
