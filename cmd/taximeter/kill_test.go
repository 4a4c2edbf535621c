package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/pipeline"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// A training that is killed at any instant and resumed ends as one that was
// left alone: at each line it prints, which is each state of each task, and at
// random instants.
func TestKilledTrainingsResume(t *testing.T) {
	undisturbed := t.TempDir()
	begun := time.Now()
	want := modelHashes(t, undisturbed, train(t, undisturbed))
	took := time.Since(begun)
	if len(want) != 3 {
		t.Fatalf("models of the undisturbed training: %v", want)
	}

	for n := 1; ; n++ {
		home := t.TempDir()
		if ended := killAtLine(t, home, n); ended {
			t.Logf("killed at %d task boundaries", n-1)
			break
		}
		checkResume(t, home, fmt.Sprintf("killed at line %d", n), want)
	}
	random := rand.New(rand.NewPCG(2021, 3))
	for i := range 20 {
		home := t.TempDir()
		after := time.Duration(random.Float64() * float64(took))
		if killAfter(t, home, after) {
			continue // it was faster this time: nothing to resume
		}
		checkResume(t, home, fmt.Sprintf("kill %d, after %v", i, after.Round(time.Millisecond)), want)
	}
}

// killAtLine kills a training when it prints its nth line. It reports whether
// the training ended before.
func killAtLine(t *testing.T, home string, n int) (ended bool) {
	t.Helper()
	cmd := command(t.Context(), home, trainArgs(t)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for seen := 0; lines.Scan(); {
		if seen++; seen == n {
			cmd.Process.Kill()
		}
	}
	return !killed(t, cmd.Wait())
}

func killAfter(t *testing.T, home string, after time.Duration) (ended bool) {
	t.Helper()
	cmd := command(t.Context(), home, trainArgs(t)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	cmd.Process.Kill()
	return !killed(t, cmd.Wait())
}

func killed(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the training failed by itself: %v", err)
	}
	return true
}

func checkResume(t *testing.T, home, what string, want map[string]string) {
	t.Helper()
	before := attempts(t, home)
	if before == nil {
		return // killed before there was a run: nothing was promised
	}
	resumed := taximeter(t, home, "flow-run", "resume", "latest", "--json")
	r := parseReport(t, resumed)
	if r.State != "Completed" || r.Chosen == nil || r.Chosen.Version != "1" {
		t.Fatalf("%s: resumed to %s, chosen %+v", what, r.State, r.Chosen)
	}
	if got := modelHashes(t, home, r); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: models %v, want %v", what, got, want)
	}
	after := attempts(t, home)
	for key, n := range before {
		if after[key] != n {
			t.Errorf("%s: %s had finished after %d attempts and now has %d", what, key, n, after[key])
		}
	}
	checkRegistry(t, home, what)
	if again := taximeter(t, home, "flow-run", "resume", "latest", "--json"); !bytes.Equal(again, resumed) {
		t.Errorf("%s: resuming the completed run printed\n%s\nand before\n%s", what, again, resumed)
	}
}

// attempts are those of the tasks that have finished, by key; nil if there is no
// flow run.
func attempts(t *testing.T, home string) map[string]int {
	t.Helper()
	h, err := history.Open(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	run, err := h.Find(t.Context(), "latest")
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := pipeline.NewReport(t.Context(), h, run)
	if err != nil {
		t.Fatal(err)
	}
	finished := map[string]int{}
	for _, task := range r.Tasks {
		if task.State == "Completed" || task.State == "Cached" {
			finished[task.Key] = task.Attempts
		}
	}
	return finished
}

func openStore(t *testing.T, home string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), home)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// modelHashes are the SHA-256 of each run's model and vectorizer.
func modelHashes(t *testing.T, home string, r pipeline.Report) map[string]string {
	t.Helper()
	s := openStore(t, home)
	defer s.Close()
	hashes := map[string]string{}
	for _, run := range r.Runs {
		h := sha256.New()
		for _, file := range []string{"model/model.json", "model/vectorizer.json"} {
			f, err := s.OpenArtifact(t.Context(), run.RunID, file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(h, f); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
		hashes[run.Name] = hex.EncodeToString(h.Sum(nil))
	}
	return hashes
}

// checkRegistry checks that no run was left running and one version registered.
func checkRegistry(t *testing.T, home, what string) {
	t.Helper()
	s := openStore(t, home)
	defer s.Close()
	e, err := s.GetExperimentByName(t.Context(), pipeline.DefaultExperiment)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{e.ID}})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs.Items {
		if run.Info.Status != registry.Finished {
			t.Errorf("%s: run %s is %s", what, run.Info.RunName, run.Info.Status)
		}
	}
	if len(runs.Items) != 4 {
		t.Errorf("%s: %d tracked runs, want 3 and their parent", what, len(runs.Items))
	}
	versions, err := s.SearchModelVersions(t.Context(), registry.ModelQuery{})
	if err != nil || len(versions.Items) != 1 || versions.Items[0].CurrentStage != registry.StageStaging {
		t.Errorf("%s: versions %+v, %v", what, versions.Items, err)
	}
}

// A training that was killed is not shown as running for ever, nor are its
// tracked runs; and it can still be resumed.
func TestAbandonedTrainingIsSeen(t *testing.T) {
	home := t.TempDir()
	killAtLine(t, home, 12)
	if out := taximeter(t, home, "flow-run", "ls"); !bytes.Contains(out, []byte("Crashed")) {
		t.Errorf("flow-run ls = %s", out)
	}
	s := openStore(t, home)
	defer s.Close()
	left, err := s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{"1"}, Filter: "attributes.status = 'RUNNING'"})
	if err != nil || len(left.Items) != 0 {
		t.Errorf("left running: %+v, %v", left.Items, err)
	}
	if r := parseReport(t, taximeter(t, home, "flow-run", "resume", "latest", "--json")); r.State != "Completed" {
		t.Errorf("resumed to %s", r.State)
	}
	checkRegistry(t, home, "seen as abandoned")
}

// What a search finds depends on its seed and batch: not on the processors, nor
// on how many trials run at once.
func TestModelsDependOnSeedAndBatchAlone(t *testing.T) {
	search := func(processors string, more ...string) map[string]string {
		t.Setenv("GOMAXPROCS", processors)
		home := t.TempDir()
		return modelHashes(t, home, train(t, home, append(more, "--trials", "7", "--features", "ids", "--features", "PU,DO")...))
	}
	want := search("1", "--batch", "3")
	for _, parallel := range []string{"1", "2", "3"} {
		if got := search("2", "--batch", "3", "--parallel-trials", parallel); !maps.Equal(got, want) {
			t.Errorf("%s trials at once, GOMAXPROCS=2: %v, want %v", parallel, got, want)
		}
	}
	for _, other := range [][]string{{"--batch", "1"}, {"--batch", "3", "--seed", "7"}, {"--search", "random"}} {
		got := search("2", other...)
		if len(got) != 8 || maps.Equal(got, want) {
			t.Errorf("%v: %v, want other models than %v", other, got, want)
		}
		if got["linear"] != want["linear"] || got["trial-1"] != want["trial-1"] {
			t.Errorf("%v: the baseline and the course's parameters gave another model", other)
		}
	}
}

func TestHomeCanBeMoved(t *testing.T) {
	home := filepath.Join(t.TempDir(), "old")
	train(t, home)
	moved := filepath.Join(t.TempDir(), "new")
	if err := os.Rename(home, moved); err != nil {
		t.Fatal(err)
	}
	out := taximeter(t, moved, "predict", `{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}`, "--json")
	if !bytes.Contains(out, []byte(`"model_version":"1"`)) {
		t.Errorf("predict in a moved home = %s", out)
	}
	r := train(t, moved)
	for _, run := range r.Runs {
		if !run.Cached {
			t.Errorf("%s was fitted again after the move", run.Name)
		}
	}
	if strings.Contains(string(taximeter(t, moved, "runs", "show", r.Chosen.RunID, "--json")), home) {
		t.Error("a run remembers where the home was")
	}
}
