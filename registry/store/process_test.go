package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// TestMain is also the program of the other processes of TestManyProcesses.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_DIR"); dir != "" {
		if err := crowd(dir, os.Getenv("STORE_TEST_RUN")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const crowdModel, crowdEach = "NYCRideDurationModel", 8

// crowd opens the store and writes to it, as one process of many does.
func crowd(dir, run string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.CreateRegisteredModel(ctx, registry.NewRegisteredModel{Name: crowdModel})
	if err != nil && registry.CodeOf(err) != registry.ResourceAlreadyExists {
		return err
	}
	for i := range crowdEach {
		v, err := s.CreateModelVersion(ctx, registry.NewModelVersion{Name: crowdModel, Source: "runs:/" + run + "/model", RunID: run})
		if err != nil {
			return err
		}
		if _, err := s.TransitionStage(ctx, crowdModel, v.Version, "Staging", true); err != nil {
			return err
		}
		b := registry.Batch{Metrics: []registry.Metric{{Key: "m", Value: float64(os.Getpid()), Timestamp: int64(i)}}}
		if err := s.LogBatch(ctx, run, b); err != nil {
			return err
		}
	}
	return nil
}

func TestManyProcesses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	r, err := s.CreateRun(t.Context(), registry.NewRun{})
	if err != nil {
		t.Fatal(err)
	}
	const processes = 4
	commands := make([]*exec.Cmd, processes)
	said := make([]strings.Builder, processes)
	for i := range commands {
		commands[i] = exec.Command(os.Args[0])
		commands[i].Env = append(os.Environ(), "STORE_TEST_DIR="+dir, "STORE_TEST_RUN="+r.Info.RunID)
		commands[i].Stderr = &said[i]
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range commands {
		if err := c.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, said[i].String())
		}
	}
	p, err := s.SearchModelVersions(t.Context(), registry.ModelQuery{OrderBy: []string{"version_number ASC"}})
	if err != nil || len(p.Items) != processes*crowdEach {
		t.Fatalf("%d versions, %v; want %d", len(p.Items), err, processes*crowdEach)
	}
	staged := 0
	for i, v := range p.Items {
		if v.Number() != i+1 {
			t.Errorf("version %d is numbered %s", i+1, v.Version)
		}
		if v.CurrentStage == registry.StageStaging {
			staged++
		}
	}
	if staged != 1 {
		t.Errorf("%d versions are in Staging, want 1", staged)
	}
	h, err := s.MetricHistory(t.Context(), registry.HistoryQuery{RunID: r.Info.RunID, Key: "m"})
	if err != nil || len(h.Items) != processes*crowdEach {
		t.Errorf("%d points, %v; want %d", len(h.Items), err, processes*crowdEach)
	}
}
