package enginecmd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
)

// farm is a server and workers that share nothing with it but its address.
type farm struct {
	t      *testing.T
	home   string
	url    string
	client *enginehttp.Client
	oven   string // file that lets runs end
	diary  string
}

// command is the program as a process of its own group, which dies with the test.
func (f *farm) command(home string, args ...string) *exec.Cmd {
	cmd := exec.Command("bakery", append(args, "--home", home)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log := &bytes.Buffer{}
	cmd.Stderr = log
	f.t.Cleanup(func() {
		if f.t.Failed() {
			f.t.Logf("%v\n%s", cmd.Args, log)
		}
	})
	return cmd
}

func newFarm(t *testing.T) *farm {
	f := &farm{t: t, home: t.TempDir(), oven: filepath.Join(t.TempDir(), "hot"), diary: filepath.Join(t.TempDir(), "diary")}
	server := f.serve("127.0.0.1:0")
	t.Cleanup(func() { f.end(server) })
	return f
}

// serve starts the server, which leaves planning and running to workers.
func (f *farm) serve(addr string) *exec.Cmd {
	f.t.Helper()
	server := f.command(f.home, "server", "--addr", addr, "--json", "--no-worker")
	stdout, err := server.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		f.t.Fatal(err)
	}
	var told struct{ URL string }
	if err := json.NewDecoder(stdout).Decode(&told); err != nil {
		f.t.Fatal(err)
	}
	f.url, f.client = told.URL, &enginehttp.Client{URL: told.URL}
	return server
}

func (f *farm) end(server *exec.Cmd) {
	if err := server.Process.Signal(os.Interrupt); err != nil {
		f.t.Error(err)
	}
	if err := server.Wait(); err != nil {
		f.t.Error(err)
	}
}

// worker starts a worker with an empty home.
func (f *farm) worker(args ...string) *exec.Cmd {
	f.t.Helper()
	w := f.command(f.t.TempDir(), append([]string{"worker", "start", "--api", f.url, "--prefetch", "0s"}, args...)...)
	if err := w.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = w.Process.Kill() // it may have ended
		_ = w.Wait()
	})
	return w
}

// run has a worker bake.
func (f *farm) run() engine.FlowRun {
	f.t.Helper()
	params, err := json.Marshal(map[string]string{"oven": f.oven, "diary": f.diary})
	if err != nil {
		f.t.Fatal(err)
	}
	list, err := f.client.ApplyDeployments(f.t.Context(), []schedule.Deployment{{Flow: "bake", Name: "far", Parameters: params}})
	if err != nil {
		f.t.Fatal(err)
	}
	run, err := f.client.RunDeployment(f.t.Context(), list[0].ID, schedule.RunRequest{})
	if err != nil {
		f.t.Fatal(err)
	}
	return run
}

// store is what the server has on its disk.
func (f *farm) store() *history.Store {
	f.t.Helper()
	s, err := history.Open(f.t.Context(), f.home)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { s.Close() })
	return s
}

// until waits for the records to be as is wants them.
func (f *farm) until(what string, is func() bool) {
	f.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("in two minutes: not %s", what)
		}
	}
}

// heating waits until a run has mixed, and heats.
func (f *farm) heating(s *history.Store, run engine.FlowRun) {
	f.t.Helper()
	f.until("heating", func() bool {
		tasks, err := s.TaskRuns(f.t.Context(), run.ID)
		if err != nil {
			f.t.Fatal(err)
		}
		var states string
		for _, task := range tasks {
			states += task.Key + " " + task.State.Name + " "
		}
		return states == "mix Completed heat Running "
	})
}

func (f *farm) state(s *history.Store, run engine.FlowRun) engine.FlowRun {
	f.t.Helper()
	now, err := s.FlowRun(f.t.Context(), run.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return now
}

// hot lets runs go on.
func (f *farm) hot() {
	f.t.Helper()
	if err := os.WriteFile(f.oven, nil, 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// names are the states of a run, in a line.
func (f *farm) names(s *history.Store, run engine.FlowRun) string {
	f.t.Helper()
	states, err := s.States(f.t.Context(), run.ID, "")
	if err != nil {
		f.t.Fatal(err)
	}
	var names []string
	for _, st := range states {
		names = append(names, st.Name)
	}
	return strings.Join(names, " ")
}

// mixers are the processes that have mixed.
func (f *farm) mixers() (pids []int) {
	f.t.Helper()
	text, err := os.ReadFile(f.diary)
	if err != nil {
		f.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			f.t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// soon is a lease that is over soon.
var soon = []string{"--name", "first", "--lease", "3s"}

// A worker on another machine dies, its run's process does, or both: the run is
// Crashed, and goes on at another worker where it was. What was completed is not done
// again.
func TestAFarWorkerIsKilled(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		worker bool
	}{
		"InProcess":      {append([]string{"--in-process"}, soon...), false},
		"ItsChild":       {[]string{"--name", "first"}, false},
		"WorkerAndChild": {soon, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarm(t)
			s := f.store()
			first := f.worker(c.args...)
			run := f.run()
			f.heating(s, run)
			if c.worker {
				if err := first.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			if err := syscall.Kill(f.mixers()[0], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			f.until("crashed", func() bool { return strings.Contains(f.names(s, run), "Crashed") })
			f.hot()
			f.worker("--name", "second")
			f.until("completed", func() bool { return f.state(s, run).State.Type == engine.TypeCompleted })
			if got := f.names(s, run); !strings.Contains(got, "Crashed Resuming") || strings.Count(got, "Completed") != 1 {
				t.Errorf("states %s", got)
			}
			if n := len(f.mixers()); n != 1 {
				t.Errorf("mixed %d times", n)
			}
		})
	}
}

// A worker that was only asleep wakes to find that its run is another's: it can
// change nothing any more.
func TestAFarWorkerWasAsleep(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	s := f.store()
	first := f.worker(append([]string{"--in-process"}, soon...)...)
	run := f.run()
	f.heating(s, run)
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	f.until("crashed", func() bool { return strings.Contains(f.names(s, run), "Crashed") })
	f.hot()
	f.worker("--in-process", "--name", "second")
	f.until("completed", func() bool { return f.state(s, run).State.Type == engine.TypeCompleted })
	done, states := f.state(s, run), f.names(s, run)
	for _, sig := range []os.Signal{syscall.SIGCONT, os.Interrupt} { // it ends once it has done with its run
		if err := first.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	_ = first.Wait()
	after := f.state(s, run)
	if string(after.Result) != string(done.Result) || f.names(s, run) != states || strings.Count(states, "Completed") != 1 {
		t.Errorf("%s became %s; states %s became %s", done.Result, after.Result, states, f.names(s, run))
	}
}

// The server is killed and comes back: a far worker's run waits for it, and nothing
// of what it has done is missing.
func TestTheServerComesBack(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	s := f.store()
	server := f.serve("127.0.0.1:0") // a second one on the same home
	f.worker()
	run := f.run()
	f.heating(s, run)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()
	f.hot() // the run wants to say so, and nobody listens
	again := f.serve(strings.TrimPrefix(f.url, "http://"))
	t.Cleanup(func() { f.end(again) })
	f.until("completed", func() bool { return f.state(s, run).State.Type.Final() })
	if got, want := f.names(s, run), "Scheduled Pending Running Completed"; got != want {
		t.Errorf("states %s, want %s", got, want)
	}
	if lines, err := s.Logs(t.Context(), run.ID); err != nil || len(lines) != 1 || lines[0].Message != "mixing dough of rye" {
		t.Errorf("log %v, %v", lines, err)
	}
}
