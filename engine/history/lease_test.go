package history

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
)

// What a store promises to its own process, it promises to the holder of a lease.
func TestLeasedHistory(t *testing.T) {
	enginetest.History(t, func(t *testing.T) engine.History {
		s := open(t, t.TempDir())
		h, err := s.Leased(lease(t, s, 1000*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return h
	})
}

func lease(t *testing.T, s *Store, ttl time.Duration) string {
	t.Helper()
	id, err := s.Lease(4242, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A run of a process elsewhere is its own for as long as that renews its lease, and
// CRASHED soon after; what the process writes then is refused.
func TestLeaseRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		id := lease(t, s, 10*time.Second)
		h, err := s.Leased(id)
		if err != nil {
			t.Fatal(err)
		}
		at := now()
		run := engine.FlowRun{ID: "r", RootID: "r", Flow: "train", Parameters: []byte("{}"), Created: at, ExpectedStart: at,
			State: engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: at}}
		if _, err := h.CreateFlowRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		if err := s.SetLimit(t.Context(), "db", 1); err != nil {
			t.Fatal(err)
		}
		if full, err := h.TryAcquire(t.Context(), engine.Holder{FlowRunID: "r", TaskKey: "k"}, []string{"db"}); err != nil || full.Name != "" {
			t.Fatal(full, err)
		}
		var owned *engine.OwnedError
		for range 3 {
			time.Sleep(9 * time.Second)
			if err := s.RenewLease(id, 10*time.Second); err != nil {
				t.Fatal(err)
			}
			if crashed, err := s.Reap(t.Context()); err != nil || len(crashed) != 0 {
				t.Fatalf("reaped %v, %v", crashed, err)
			}
			if _, err := s.AdoptFlowRun(t.Context(), "r"); !errors.As(err, &owned) || owned.PID != 4242 {
				t.Fatalf("adopt: %v", err)
			}
		}
		time.Sleep(10 * time.Second)
		if crashed, err := s.Reap(t.Context()); err != nil || len(crashed) != 1 {
			t.Fatalf("reaped %v, %v", crashed, err)
		}
		if full, err := s.TryAcquire(t.Context(), engine.Holder{FlowRunID: "q", TaskKey: "k"}, []string{"db"}); err != nil || full.Name != "" {
			t.Errorf("the slot of the dead is taken: %v, %v", full, err)
		}
		if _, err := s.AdoptFlowRun(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		next := run
		next.State = engine.After(run.State, now(), engine.TypeRunning, engine.NameRunning, "")
		for what, err := range map[string]error{"renew": s.RenewLease(id, time.Hour), "write": h.PutFlowRun(t.Context(), next, run.State), "lease": second(s.Leased(id))} {
			if !errors.Is(err, engine.ErrSuperseded) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// A lease that is ended frees its runs at once, and names nothing but leases.
func TestEndLease(t *testing.T) {
	s := open(t, t.TempDir())
	id := lease(t, s, time.Hour)
	for range 2 {
		if err := s.EndLease(id); err != nil {
			t.Error(err)
		}
	}
	if err := s.RenewLease(id, time.Hour); !errors.Is(err, engine.ErrSuperseded) {
		t.Error(err)
	}
	for _, id := range []string{"", "../engine.db", s.owner.id, "lease-" + strings.Repeat("a", 26)} {
		if err := s.EndLease(id); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := s.Leased(id); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
