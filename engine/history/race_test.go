package history

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// claimEnv names a directory whose store a process of its own claims from, and
// claimFile where it writes the IDs to.
const (
	claimEnv  = "TAXIMETER_TEST_CLAIM_IN"
	claimFile = "TAXIMETER_TEST_CLAIM_TO"
)

// TestClaimAll is one of the processes of TestTenThousandRacingClaims, and nothing
// by itself.
func TestClaimAll(t *testing.T) {
	dir := os.Getenv(claimEnv)
	if dir == "" {
		return
	}
	f, err := os.Create(os.Getenv(claimFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(claimAll(t.Context(), dir, f), f.Close()); err != nil {
		t.Fatal(err)
	}
}

const workersEach = 4

// claimAll has some workers race for every run that is due.
func claimAll(ctx context.Context, dir string, to io.Writer) error {
	s, err := Open(ctx, dir)
	if err != nil {
		return err
	}
	defer s.Close()
	var wg sync.WaitGroup
	var mu sync.Mutex
	out := bufio.NewWriter(to)
	errs := make(chan error, workersEach)
	for i := range workersEach {
		wg.Go(func() {
			w := worker.Info{ID: engine.NewID(), Name: fmt.Sprint(i), Pool: schedule.DefaultPool, Every: 60}
			if _, err := s.Beat(ctx, w, nil); err != nil {
				errs <- err
				return
			}
			for {
				runs, _, err := s.Claim(ctx, w, 1+i*7, time.Now())
				if err != nil || len(runs) == 0 {
					errs <- err
					return
				}
				mu.Lock()
				for _, r := range runs {
					fmt.Fprintln(out, r.ID)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

// Ten thousand runs, and workers in several processes that race for them: each is
// claimed once.
func TestTenThousandRacingClaims(t *testing.T) {
	const runs, processes = 10_000, 3
	dir := t.TempDir()
	s := open(t, dir)
	list, err := s.ApplyDeployments(t.Context(), []schedule.Deployment{{Flow: "train", Name: "race"}})
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for i := range 100 { // so that the writer gathers them
		asking.Go(func() {
			for j := range runs / 100 {
				if _, err := s.RunDeployment(t.Context(), list[0].ID, schedule.RunRequest{Name: strconv.Itoa(i*100 + j)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	outputs := make([]string, processes)
	var racing sync.WaitGroup
	for i := range outputs {
		outputs[i] = filepath.Join(t.TempDir(), "claimed")
		racing.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestClaimAll$")
			cmd.Env = append(os.Environ(), claimEnv+"="+dir, claimFile+"="+outputs[i])
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	racing.Wait()
	claims := map[string]int{}
	for i, path := range outputs {
		claimed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ids := strings.Fields(string(claimed))
		t.Logf("process %d claimed %d", i, len(ids))
		for _, id := range ids {
			if claims[id]++; claims[id] > 1 {
				t.Errorf("run %s was claimed %d times", id, claims[id])
			}
		}
	}
	if len(claims) != runs {
		t.Errorf("%d runs were claimed, want %d", len(claims), runs)
	}
}
