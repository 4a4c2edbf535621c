package mlflow_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

// TestMain is also the server of TestAcknowledgedBatches.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STORM_TEST_DIR"); dir != "" {
		fmt.Fprintln(os.Stderr, serveStorm(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serveStorm serves the store in dir until it is killed, and prints its address.
func serveStorm(dir string) error {
	s, err := store.Open(context.Background(), dir)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, mlflow.NewHandler(s))
}

// What was acknowledged is there when the server is killed at any instant and
// started again, and what was not is there whole or not at all. All kills hit
// one store, which so is opened again and again after the one before.
func TestAcknowledgedBatches(t *testing.T) {
	dir := t.TempDir()
	for kill := range kills {
		storm := newStorm(t, dir)
		storm.rage(time.Duration(5+rand.Intn(100)) * time.Millisecond)
		storm.check()
		if t.Failed() {
			t.Fatalf("after kill %d", kill+1)
		}
	}
}

const (
	stormClients = 8
	stormKeys    = 7 // metrics of a batch
)

// storm is clients that log as fast as they can, each to a run of its own and
// all to one that they share.
type storm struct {
	*testing.T
	dir    string
	server *exec.Cmd
	client *mlflow.Client
	runs   []string
	shared string
	acked  [stormClients][2]int // batches acknowledged to its own run and to the shared one
}

func newStorm(t *testing.T, dir string) *storm {
	s := &storm{T: t, dir: dir}
	s.server = exec.Command(os.Args[0])
	s.server.Env = append(os.Environ(), "STORM_TEST_DIR="+dir)
	s.server.Stderr = os.Stderr
	out, err := s.server.StdoutPipe()
	if err == nil {
		err = s.server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.server.Process.Kill() }) // it is dead, but for a failure before
	var address [64]byte
	n, err := out.Read(address[:])
	if err != nil {
		t.Fatalf("the server does not start: %v", err)
	}
	s.client = &mlflow.Client{BaseURL: "http://" + strings.TrimSpace(string(address[:n])), Retries: -1}
	for range stormClients + 1 {
		r, err := s.client.CreateRun(t.Context(), registry.NewRun{})
		if err != nil {
			t.Fatal(err)
		}
		s.runs = append(s.runs, r.Info.RunID)
	}
	s.shared = s.runs[stormClients]
	return s
}

// batch is the batch numbered n of a client.
func batch(client, n int) registry.Batch {
	b := registry.Batch{
		Params: []registry.Param{{Key: fmt.Sprintf("p/%d/%d", client, n), Value: strconv.Itoa(n)}},
		Tags:   []registry.Tag{{Key: fmt.Sprintf("last/%d", client), Value: strconv.Itoa(n)}},
	}
	for k := range stormKeys {
		b.Metrics = append(b.Metrics, registry.Metric{Key: fmt.Sprintf("k/%d/%d", client, k), Value: float64(n), Timestamp: int64(n), Step: int64(n)})
	}
	return b
}

// rage lets the clients log until the server is killed, some time from now.
func (s *storm) rage(alive time.Duration) {
	var wg sync.WaitGroup
	for i := range stormClients {
		wg.Go(func() {
			for n := 0; ; n++ {
				for k, run := range []string{s.runs[i], s.shared} {
					if err := s.client.LogBatch(s.Context(), run, batch(i, n)); err != nil {
						if !gone(err) {
							s.Errorf("client %d, batch %d: %v", i, n, err)
						}
						return
					}
					s.acked[i][k] = n + 1
				}
			}
		})
	}
	time.Sleep(alive)
	if err := s.server.Process.Kill(); err != nil {
		s.Error(err)
	}
	wg.Wait()
	_ = s.server.Wait() // was killed
}

// gone reports whether err is that nobody listens any more.
func gone(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// check looks for what was acknowledged, in the store itself.
func (s *storm) check() {
	st, err := store.Open(s.Context(), s.dir)
	if err != nil {
		s.Fatal(err)
	}
	defer st.Close()
	for i := range stormClients {
		for k, run := range []string{s.runs[i], s.shared} {
			s.checkRun(st, run, i, s.acked[i][k])
		}
	}
}

// checkRun checks that a client's batches in a run are as many as it was told
// or one more, and each of them whole.
func (s *storm) checkRun(st *store.Store, run string, client, acked int) {
	r, err := st.GetRun(s.Context(), run)
	if err != nil {
		s.Fatal(err)
	}
	there := 0
	for _, p := range r.Data.Params {
		if strings.HasPrefix(p.Key, fmt.Sprintf("p/%d/", client)) {
			there++
		}
	}
	if there != acked && there != acked+1 {
		s.Errorf("run %s, client %d: %d batches are there, %d were acknowledged", run, client, there, acked)
	}
	if there == 0 {
		return
	}
	if last, _ := registry.FindTag(r.Data.Tags, fmt.Sprintf("last/%d", client)); last != strconv.Itoa(there-1) {
		s.Errorf("run %s, client %d: the last tag is %s, want %d", run, client, last, there-1)
	}
	for k := range stormKeys {
		key := fmt.Sprintf("k/%d/%d", client, k)
		h, err := st.MetricHistory(s.Context(), registry.HistoryQuery{RunID: run, Key: key})
		if err != nil {
			s.Fatal(err)
		}
		for n, m := range h.Items {
			if m.Step != int64(n) {
				s.Errorf("run %s: point %d of %s is of step %d", run, n, key, m.Step)
			}
		}
		if latest, _ := r.Data.Metric(key); len(h.Items) != there || latest != float64(there-1) {
			s.Errorf("run %s: %d points of %s, the latest %v, want %d", run, len(h.Items), key, latest, there)
		}
	}
}
