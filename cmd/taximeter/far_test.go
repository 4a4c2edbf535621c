package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A worker whose home is empty trains for a server that it knows by its address: what
// it tracks and stages is the server's, as the flow run is.
func TestAFarWorkerTrains(t *testing.T) {
	home, elsewhere := t.TempDir(), t.TempDir()
	s := startServer(t, home, "--no-worker", "--token", "secret")
	var log bytes.Buffer
	worker := command(t.Context(), elsewhere, "worker", "start", "--api", s.url, "--token", "secret")
	worker.Stderr = &log
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = worker.Process.Kill() // if it has not ended
		_ = worker.Wait()
		if t.Failed() {
			t.Logf("%s\n%s", &log, s.log)
		}
	})
	dir, err := months()
	if err != nil {
		t.Fatal(err)
	}
	taximeter(t, home, "deploy", "train", "-n", "far", "--param", "date=2021-03-05", "--param", "data="+dir, "--param", "trials=1",
		"--param", "gate=metrics.rmse_valid < 100 and metrics.inference_time < 1")
	taximeter(t, home, "deployment", "run", "far", "--watch")
	var model struct {
		Versions []struct {
			Stage string `json:"current_stage"`
		}
	}
	if err := json.Unmarshal(taximeter(t, home, "models", "show", "NYCRideDurationModel", "--json"), &model); err != nil {
		t.Fatal(err)
	}
	if len(model.Versions) != 1 || model.Versions[0].Stage != "Staging" {
		t.Errorf("%+v", model)
	}
	for _, name := range []string{"engine.db", "registry.db", "results"} {
		if _, err := os.Stat(filepath.Join(elsewhere, name)); !os.IsNotExist(err) {
			t.Errorf("the worker has a %s of its own: %v", name, err)
		}
	}
	if err := worker.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := worker.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	s.stop(t)
}
