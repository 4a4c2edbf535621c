package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

func claimOrder(t *testing.T, s WorkStore) {
	urgent := deployment("urgent")
	urgent.Queue = "urgent"
	plain, first := apply(t, s, deployment("plain")), apply(t, s, urgent)
	if _, err := s.PutQueue(t.Context(), schedule.DefaultPool, "urgent", false, func(q *worker.Queue) { q.Priority = 1 }); err != nil {
		t.Fatal(err)
	}
	at := now()
	var want []string
	for i, d := range []schedule.Record{first, first, plain, plain, plain} {
		order := []int{1, 0, 2, 0, 1}[i] // when it is due, in minutes
		want = append(want, fmt.Sprint(d.Spec.Name, " ", order))
		ask(t, s, d, schedule.RunRequest{At: at.Add(time.Duration(order-10) * time.Minute), Name: want[i]})
	}
	ask(t, s, plain, schedule.RunRequest{At: at.Add(time.Hour), Name: "later"})
	slices.Sort(want[:2])
	slices.Sort(want[2:])
	due, err := s.Preview(t.Context(), schedule.DefaultPool, nil, 10)
	var names []string
	for _, r := range due {
		names = append(names, r.Name)
	}
	if err != nil || fmt.Sprint(names) != fmt.Sprint(append(want, "later")) {
		t.Errorf("preview %q, %v; want %q", names, err, want)
	}
	only := newWorker(t, s, "only", "urgent")
	if got := claim(t, s, only, 10, at.Add(time.Minute)); len(got) != 2 || got[0].Name != want[0] || got[1].Name != want[1] {
		t.Errorf("the worker of one queue claimed %+v", got)
	}
	any := newWorker(t, s, "any")
	runs, next, err := s.Claim(t.Context(), any, 2, at.Add(time.Minute))
	if err != nil || len(runs) != 2 || runs[0].Name != want[2] || runs[1].Name != want[3] || runs[0].State.Type != engine.TypePending {
		t.Errorf("claimed %+v, %v", runs, err)
	}
	if !next.Equal(at.Add(time.Hour)) {
		t.Errorf("next at %v, want %v", next, at.Add(time.Hour))
	}
}

func claimOnce(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d"))
	const runs, workers = 100, 10
	for i := range runs {
		ask(t, s, d, schedule.RunRequest{Name: fmt.Sprint(i)})
	}
	claimed := make(chan string, 2*runs)
	done := make(chan error, workers)
	for i := range workers {
		w := newWorker(t, s, fmt.Sprint("worker ", i))
		go func() {
			for {
				list, _, err := s.Claim(t.Context(), w, 3, now().Add(time.Minute))
				if err != nil || len(list) == 0 {
					done <- err
					return
				}
				for _, r := range list {
					claimed <- r.ID
				}
			}
		}()
	}
	for range workers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	close(claimed)
	seen := map[string]bool{}
	for id := range claimed {
		if seen[id] {
			t.Errorf("run %s was claimed twice", id)
		}
		seen[id] = true
	}
	if len(seen) != runs {
		t.Errorf("%d runs were claimed, want %d", len(seen), runs)
	}
}

func giveBack(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d"))
	run := ask(t, s, d, schedule.RunRequest{})
	a, b := newWorker(t, s, "a"), newWorker(t, s, "b")
	for _, back := range []func() error{
		func() error { return s.GiveBack(t.Context(), a.ID, run.ID) },
		func() error { return s.Leave(t.Context(), a.ID) },
	} {
		if got := claim(t, s, a, 1, now().Add(time.Minute)); len(got) != 1 {
			t.Fatalf("claimed %+v", got)
		}
		if got := claim(t, s, b, 1, now().Add(time.Minute)); len(got) != 0 {
			t.Errorf("claimed twice: %+v", got)
		}
		if err := s.GiveBack(t.Context(), b.ID, run.ID); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("another's run was given back: %v", err)
		}
		if err := back(); err != nil {
			t.Fatal(err)
		}
		if got := stateOf(t, s, run.ID); got.Type != engine.TypeScheduled {
			t.Errorf("given back: %+v", got)
		}
	}
	if got := claim(t, s, b, 1, now().Add(time.Minute)); len(got) != 1 {
		t.Errorf("claimed %+v", got)
	}
}

// A run whose process ends before it has begun the run is tried a few times.
func crashBeforeItBegins(t *testing.T, s WorkStore) {
	w := newWorker(t, s, "w")
	for _, test := range []struct {
		policy schedule.OnCrash
		tries  int
	}{{schedule.Resume, 1 + schedule.MaxCrashes}, {schedule.Fail, 1}} {
		crashing := deployment(string(test.policy))
		crashing.OnCrash = test.policy
		d := apply(t, s, crashing)
		run := ask(t, s, d, schedule.RunRequest{})
		tries := 0
		for range 10 {
			got := claim(t, s, w, 1, now().Add(time.Hour))
			if len(got) == 0 {
				break
			}
			tries++
			if err := s.Done(t.Context(), w.ID, run.ID, "its process ended with exit status 1"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.FlowRun(t.Context(), run.ID)
		if err != nil || tries != test.tries || got.State.Type != engine.TypeCrashed || !strings.Contains(got.State.Message, "exit status 1") || !got.ExpectedStart.Equal(run.ExpectedStart) {
			t.Errorf("%s: after %d tries %+v, %v; want %d", test.policy, tries, got, err, test.tries)
		}
	}
}

func beat(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d"))
	run := ask(t, s, d, schedule.RunRequest{})
	w := newWorker(t, s, "w")
	claim(t, s, w, 1, now().Add(time.Minute))
	if end, err := s.Beat(t.Context(), w, []string{run.ID, "deleted"}); err != nil || fmt.Sprint(end) != "[deleted]" {
		t.Errorf("to end: %v, %v", end, err)
	}
	if err := s.GiveBack(t.Context(), w.ID, run.ID); err != nil {
		t.Fatal(err)
	}
	if end, err := s.Beat(t.Context(), w, []string{run.ID}); err != nil || fmt.Sprint(end) != "["+run.ID+"]" {
		t.Errorf("to end: %v, %v", end, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	waited := make(chan error, 1)
	go func() { waited <- s.Wait(ctx) }()
	time.Sleep(10 * time.Millisecond)
	ask(t, s, d, schedule.RunRequest{})
	if err := <-waited; err != nil {
		t.Errorf("nobody said that there is more: %v", err)
	}
}
