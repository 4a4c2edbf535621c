package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// A child that carries out a flow is killed: at its transitions, one after the
// other, and at random instants. Whatever it was told is recorded is there
// afterwards, no body runs again whose end is recorded, and the flow ends with the
// same result.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	whole, begun := crashed{t: t, dir: t.TempDir()}, time.Now()
	whole.carryOut(0, 0)
	took := time.Since(begun)
	if whole.result == "" {
		t.Fatal("the undisturbed flow did not end")
	}
	n := len(whole.said)
	for at := 1; at <= n; at += crashStride {
		c := crashed{t: t, dir: t.TempDir(), what: fmt.Sprintf("killed at %d of %d", at, n)}
		c.carryOut(at, 0)
		c.finish(whole.result)
	}
	random := rand.New(rand.NewPCG(2021, 3))
	c, kills := crashed{t: t, dir: t.TempDir()}, 0
	for i := range crashRandom {
		after := time.Duration(random.Float64() * float64(took))
		c.what = fmt.Sprintf("random kill %d, after %v", i, after)
		kills++
		if c.carryOut(0, after); c.result != "" || kills == 5 { // over and over, but not for ever
			c.finish(whole.result)
			c, kills = crashed{t: t, dir: t.TempDir()}, 0
		}
	}
	c.what = "at last"
	c.finish(whole.result)
	t.Logf("%d transitions, %v a run", n, took.Round(time.Millisecond))
}

// crashed is a home, with all that children said about it.
type crashed struct {
	t         *testing.T
	dir, what string
	said      []ack
	ended     map[engine.Holder]ack // calls that completed
	result    string
}

// carryOut runs a child until it ends, or is killed, and checks what it said.
func (c *crashed) carryOut(at int, after time.Duration) {
	c.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashHome+"="+c.dir, crashAfter+"="+strconv.Itoa(at))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	err := cmd.Wait()
	if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != -1) {
		c.t.Fatalf("%s: the child failed by itself: %v\n%s", c.what, err, errs.String())
	}
	c.listen(out.Bytes())
	c.check()
}

// listen takes in what a child said, whole lines only.
func (c *crashed) listen(out []byte) {
	c.t.Helper()
	if c.ended == nil {
		c.ended = map[engine.Holder]ack{}
	}
	before := len(c.ended)
	known := map[engine.Holder]ack{}
	for h, a := range c.ended {
		known[h] = a
	}
	for line := range bytes.Lines(out) {
		var a ack
		if err := json.Unmarshal(line, &a); err != nil {
			if !bytes.HasSuffix(line, []byte("\n")) {
				break // cut short
			}
			c.t.Fatalf("%s: %q: %v", c.what, line, err)
		}
		if a.Result != "" {
			c.result = a.Result
			continue
		}
		c.said = append(c.said, a)
		h := engine.Holder{FlowRunID: a.Run, TaskKey: a.Key}
		if done, ok := known[h]; ok && a.BodyBegins {
			c.t.Errorf("%s: %s ran again, after it was %s (%d had ended)", c.what, a.Key, done.State.Name, before)
		}
		if a.Key != "" && !a.BodyBegins && a.State.Type == engine.TypeCompleted {
			c.ended[h] = a
		}
	}
}

// check finds everything that was said in the history.
func (c *crashed) check() {
	c.t.Helper()
	s, err := Open(c.t.Context(), c.dir)
	if err != nil {
		c.t.Fatalf("%s: %v", c.what, err)
	}
	defer s.Close()
	logs := map[string][]engine.LogLine{}
	for _, a := range c.said {
		if a.BodyBegins {
			continue
		}
		states, err := s.States(c.t.Context(), a.Run, a.Key)
		if err != nil || !slices.ContainsFunc(states, func(st engine.State) bool { return st.Time.Equal(a.State.Time) && st.Name == a.State.Name }) {
			c.t.Errorf("%s: %s of %q is lost: %v, %v", c.what, a.State.Name, a.Key, states, err)
		}
		if logs[a.Run] == nil {
			if logs[a.Run], err = s.Logs(c.t.Context(), a.Run); err != nil {
				c.t.Fatal(err)
			}
		}
		for _, line := range a.Logs {
			if !slices.ContainsFunc(logs[a.Run], func(l engine.LogLine) bool { return l.TaskKey == a.Key && l.Message == line }) {
				c.t.Errorf("%s: a line of %q is lost: %s", c.what, a.Key, line)
			}
		}
	}
	for h, a := range c.ended {
		tasks, err := s.TaskRuns(c.t.Context(), h.FlowRunID)
		i := slices.IndexFunc(tasks, func(t engine.TaskRun) bool { return t.Key == h.TaskKey })
		if err != nil || i < 0 || tasks[i].State.Type != engine.TypeCompleted {
			c.t.Errorf("%s: %q is not completed any more: %v", c.what, h.TaskKey, err)
			continue
		}
		if a.Digest == "" {
			continue // a subflow
		}
		if data, err := s.ReadResult(c.t.Context(), *tasks[i].Result); err != nil || tasks[i].Result.Digest != a.Digest || int64(len(data)) != tasks[i].Result.Size {
			c.t.Errorf("%s: the result of %q: %d bytes, %v", c.what, h.TaskKey, len(data), err)
		}
	}
}

// finish lets a child carry the flow out to its end.
func (c *crashed) finish(want string) {
	c.t.Helper()
	c.what += ", resumed"
	if c.carryOut(0, 0); c.result != want {
		c.t.Errorf("%s: %q, want %q", c.what, c.result, want)
	}
	s, err := Open(c.t.Context(), c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	runs, err := s.List(c.t.Context(), "", 9)
	if err != nil || len(runs) != 1 || runs[0].State.Type != engine.TypeCompleted {
		c.t.Fatalf("%s: %+v, %v", c.what, runs, err)
	}
	tasks, err := s.TaskRuns(c.t.Context(), runs[0].ID)
	for _, task := range tasks {
		if task.State.Type != engine.TypeCompleted {
			c.t.Errorf("%s: %s is %s", c.what, task.Key, task.State.Name)
		}
	}
	if err != nil {
		c.t.Errorf("%s: %v", c.what, err)
	}
}
