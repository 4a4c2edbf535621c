package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/taximeter/taximeter/pipeline"
)

// server is a running "taximeter server".
type server struct {
	url string
	cmd *exec.Cmd
	log *bytes.Buffer
}

func startServer(t *testing.T, home string, more ...string) *server {
	t.Helper()
	s := &server{log: &bytes.Buffer{}, cmd: command(t.Context(), home, append([]string{"server", "--addr", "127.0.0.1:0", "--json"}, more...)...)}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct{ URL string }
	if err != nil || json.Unmarshal(line, &ready) != nil || ready.URL == "" {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		t.Fatalf("the server said %q, %v\n%s", line, err, s.log)
	}
	s.url = ready.URL
	return s
}

// stop ends the server as the system would, and checks that it ends well.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v\n%s", err, s.log)
	}
}

func (s *server) post(t *testing.T, path, body string) (status int, answer string) {
	t.Helper()
	res, err := http.Post(s.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

const ride = `{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}`

// Two trainings and a server share a home that none of them has opened before.
func TestTwoTrainingsAndAServerShareAHome(t *testing.T) {
	for round := range 10 {
		home := t.TempDir()
		args := trainArgs(t)
		reports := make([]pipeline.Report, 2)
		var wg sync.WaitGroup
		for i := range reports {
			wg.Go(func() {
				cmd := command(t.Context(), home, args...)
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				if err := cmd.Run(); err != nil {
					t.Errorf("round %d: training %d: %v\n%s", round, i, err, stderr.String())
					return
				}
				if err := json.Unmarshal(stdout.Bytes(), &reports[i]); err != nil {
					t.Errorf("round %d: training %d: %v", round, i, err)
				}
			})
		}
		s := startServer(t, home)
		for range 20 {
			status, answer := s.post(t, "/predict", ride)
			if status != http.StatusOK && status != http.StatusServiceUnavailable {
				t.Errorf("round %d: predict: %d %s", round, status, answer)
			}
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		versions := reports[0].Chosen.Version + reports[1].Chosen.Version
		if versions != "12" && versions != "21" {
			t.Errorf("round %d: versions %s and %s", round, reports[0].Chosen.Version, reports[1].Chosen.Version)
		}
		s.stop(t)
		if log := s.log.String(); strings.Contains(log, "locked") || strings.Contains(log, "level=ERROR") {
			t.Errorf("round %d: the server's log:\n%s", round, log)
		}
	}
}

func TestServer(t *testing.T) {
	home := t.TempDir()
	s := startServer(t, home)
	if status, answer := s.post(t, "/predict", ride); status != 503 || !strings.Contains(answer, "taximeter train") {
		t.Errorf("predict with no model = %d %s", status, answer)
	}

	// A training that logs to the server over HTTP, as to any MLflow server,
	// from a home of its own.
	r := train(t, t.TempDir(), "--tracking-uri", s.url)
	if r.State != "Completed" || r.Chosen.Version != "1" {
		t.Fatalf("report = %+v", r)
	}
	var answer struct {
		Duration     float64
		ModelVersion string `json:"model_version"`
	}
	waitFor(t, func() bool {
		status, body := s.post(t, "/predict", ride)
		return status == 200 && json.Unmarshal([]byte(body), &answer) == nil && answer.ModelVersion == "1" && answer.Duration > 1
	})
	_, text := s.post(t, "/predict", `{"PULocationID":"43","DOLocationID":"151","trip_distance":1.01}`)
	if want := fmt.Sprintf(`"duration":%v`, answer.Duration); !strings.Contains(text, want) {
		t.Errorf("ids as strings: %s, want %s", text, want)
	}
	for body, field := range map[string]string{
		`{"PULocationID":266,"DOLocationID":151,"trip_distance":1}`: "PULocationID",
		`{"PULocationID":1,"DOLocationID":0,"trip_distance":1}`:     "DOLocationID",
		`{"PULocationID":1,"DOLocationID":1}`:                       "trip_distance",
		`{"PULocationID":1,"DOLocationID":1,"trip_distance":-1}`:    "trip_distance",
		`nonsense`: "",
	} {
		if status, answer := s.post(t, "/predict", body); status != 400 || !strings.Contains(answer, field) {
			t.Errorf("predict %s = %d %s", body, status, answer)
		}
	}
	if status, answer := s.post(t, "/predict?strict=false", `{"PULocationID":266}`); status != 200 {
		t.Errorf("lenient predict = %d %s", status, answer)
	}

	// The same search a person of the original stack would make.
	status, runs := s.post(t, "/api/2.0/mlflow/runs/search", `{"experiment_ids":["1"],"filter":"metrics.rmse_valid < 100 and metrics.inference_time < 20e-1","order_by":["metrics.rmse_valid ASC"],"max_results":5}`)
	if status != 200 || !strings.Contains(runs, r.Chosen.RunID) {
		t.Errorf("runs/search = %d %s", status, runs)
	}

	// A better version is swapped in while the server runs.
	train(t, t.TempDir(), "--tracking-uri", s.url)
	waitFor(t, func() bool {
		_, body := s.post(t, "/predict", ride)
		return strings.Contains(body, `"model_version":"2"`)
	})
	for _, path := range []string{"/", "/health", "/version", "/api/engine/v1/flow-runs", "/ajax-api/2.0/mlflow/experiments/search?max_results=5"} {
		res, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("GET %s = %d", path, res.StatusCode)
		}
	}
	s.stop(t)
}

func TestServerRefusesTheWorldWithoutAToken(t *testing.T) {
	out, err := command(t.Context(), t.TempDir(), "server", "--addr", "0.0.0.0:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "token") {
		t.Errorf("server on 0.0.0.0 = %v\n%s", err, out)
	}
	s := startServer(t, t.TempDir(), "--token", "secret")
	if status, _ := s.post(t, "/predict", ride); status != 401 {
		t.Errorf("predict without the token = %d, want 401", status)
	}
	s.stop(t)
}
