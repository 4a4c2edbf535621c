package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/registry"
)

// A training that waits for a month cannot be resumed; interrupted, it says how
// it goes on, and leaves no tracked run behind that seems to run.
func TestLiveAndInterruptedTrainings(t *testing.T) {
	asked := make(chan struct{}, 9)
	tlc := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(tlc.Close)
	home := t.TempDir()
	cmd := command(t.Context(), home, "train", "--date", "2021-03-05", "--json")
	cmd.Env = append(cmd.Env, "TAXIMETER_MONTHS_URL="+tlc.URL)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	<-asked

	resume := command(t.Context(), home, "flow-run", "resume", "latest", "--json")
	refused, err := resume.Output()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != enginecmd.ExitFailed {
		t.Errorf("resuming a live training: %v", err)
	}
	live := parseReport(t, refused)
	if live.State != "Running" || live.Error == nil || !strings.Contains(*live.Error, "is being run by process") {
		t.Errorf("resuming a live training printed %s", refused)
	}

	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if exit := new(exec.ExitError); !errors.As(cmd.Wait(), &exit) || exit.ExitCode() != enginecmd.ExitFailed {
		t.Errorf("interrupted: %v", exit)
	}
	r := parseReport(t, stdout.Bytes())
	if r.State != "Cancelled" || r.Error == nil || !strings.Contains(stderr.String(), "hint: taximeter flow-run resume "+r.FlowRunID) {
		t.Errorf("interrupted: %s\n%s", stdout.Bytes(), stderr.String())
	}
	for _, task := range r.Tasks {
		if task.State == "Running" || task.State == "Pending" {
			t.Errorf("interrupted, and %s is %s", task.Key, task.State)
		}
	}
	s := openStore(t, home)
	defer s.Close()
	runs, err := s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{"1"}})
	if err != nil || len(runs.Items) != 1 || runs.Items[0].Info.Status != registry.Killed {
		t.Errorf("tracked runs: %+v, %v; want one that was killed", runs.Items, err)
	}
}
