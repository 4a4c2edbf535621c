package enginetest

import (
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

func limits(t *testing.T, s WorkStore) {
	few := deployment("few")
	few.Limit, few.Queue = 2, "q"
	d, other := apply(t, s, few), apply(t, s, deployment("other"))
	for range 5 {
		ask(t, s, d, schedule.RunRequest{})
		ask(t, s, other, schedule.RunRequest{})
	}
	w := newWorker(t, s, "w")
	count := func(runs []engine.FlowRun) map[string]int {
		n := map[string]int{}
		for _, r := range runs {
			n[r.Deployment]++
		}
		return n
	}
	soon := now().Add(time.Minute)
	pool := func(limit int, paused bool) {
		t.Helper()
		if _, err := s.ChangePool(t.Context(), schedule.DefaultPool, func(p *worker.Pool) { p.Limit, p.Paused = limit, paused }); err != nil {
			t.Fatal(err)
		}
	}
	pool(0, true)
	if got := claim(t, s, w, 100, soon); len(got) != 0 {
		t.Errorf("a paused pool gave %d runs", len(got))
	}
	pool(3, false)
	first := claim(t, s, w, 100, soon)
	if len(first) != 3 || count(first)["few"] > 2 {
		t.Errorf("a pool of 3 gave %v", count(first))
	}
	pool(0, false)
	if _, err := s.PutQueue(t.Context(), schedule.DefaultPool, schedule.DefaultQueue, false, func(q *worker.Queue) { q.Limit = 4 }); err != nil {
		t.Fatal(err)
	}
	all := append(first, claim(t, s, w, 100, soon)...)
	if n := count(all); n["few"] != 2 || n["other"] != 4 {
		t.Errorf("a deployment of 2 and a queue of 4 gave %v", n)
	}
	// What one gives back, another may take.
	for _, r := range all {
		if r.Deployment == "few" {
			if err := s.GiveBack(t.Context(), w.ID, r.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if again := count(claim(t, s, w, 100, soon)); again["few"] != 2 || again["other"] != 0 {
		t.Errorf("after two were given back: %v", again)
	}
}

func cancelNew(t *testing.T, s WorkStore) {
	one := deployment("one")
	one.Limit, one.Collision = 1, schedule.CancelNew
	d := apply(t, s, one)
	ask(t, s, d, schedule.RunRequest{At: now().Add(-time.Minute)})
	w := newWorker(t, s, "w")
	if got := claim(t, s, w, 10, now()); len(got) != 1 {
		t.Fatalf("claimed %+v", got)
	}
	second := ask(t, s, d, schedule.RunRequest{At: now().Add(-time.Second)})
	later := ask(t, s, d, schedule.RunRequest{At: now().Add(time.Hour)})
	if got := claim(t, s, w, 10, now()); len(got) != 0 {
		t.Errorf("claimed %+v", got)
	}
	if got := stateOf(t, s, second.ID); got.Type != engine.TypeCancelled || !strings.Contains(got.Message, "1 of 1") {
		t.Errorf("the second is %+v", got)
	}
	if got := stateOf(t, s, later.ID); got.Type != engine.TypeScheduled {
		t.Errorf("the one of later is %+v", got)
	}
}

// why asks for each cause of lateness.
func why(t *testing.T, s WorkStore) {
	limited := deployment("limited")
	limited.Limit, limited.Queue = 1, "q"
	d := apply(t, s, limited)
	run := ask(t, s, d, schedule.RunRequest{})
	says := func(want string) {
		t.Helper()
		due, err := s.Preview(t.Context(), schedule.DefaultPool, []string{"q"}, 1)
		if err != nil || len(due) != 1 || !strings.Contains(due[0].Why, want) {
			t.Errorf("%+v, %v; want %q", due, err, want)
		}
	}
	says("no worker of pool default is running")
	w := newWorker(t, s, "elsewhere", "other")
	says("no worker of pool default takes runs of queue q")
	w = newWorker(t, s, "here")
	w.Flows = []string{"score"}
	if _, err := s.Beat(t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	says("no worker of pool default has flow train")
	if got := claim(t, s, w, 1, now().Add(time.Minute)); len(got) != 0 {
		t.Errorf("a worker was given a flow that it does not have: %+v", got)
	}
	w.Limit, w.Flows = 1, []string{"score", "train"}
	if _, err := s.Beat(t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	says("more urgent runs go first")
	pause := func(paused bool) {
		if _, err := s.PutQueue(t.Context(), schedule.DefaultPool, "q", false, func(q *worker.Queue) { q.Paused = paused }); err != nil {
			t.Fatal(err)
		}
	}
	pause(true)
	says("work queue q of pool default is paused")
	if got := claim(t, s, w, 1, now().Add(time.Minute)); len(got) != 0 {
		t.Errorf("a paused queue gave %+v", got)
	}
	pause(false)
	if got := claim(t, s, w, 1, now().Add(time.Minute)); len(got) != 1 || got[0].ID != run.ID {
		t.Fatalf("claimed %+v", got)
	}
	ask(t, s, d, schedule.RunRequest{})
	says("deployment train/limited has 1 of 1 runs at once")
	if _, err := s.ChangeDeployment(t.Context(), d.ID, func(d *schedule.Deployment) error { d.Limit = 0; return nil }); err != nil {
		t.Fatal(err)
	}
	says("the workers of pool default have as many runs as they may")
	if _, err := s.ChangePool(t.Context(), schedule.DefaultPool, func(p *worker.Pool) { p.Limit = 1 }); err != nil {
		t.Fatal(err)
	}
	says("work pool default has 1 of 1 runs at once")
	ask(t, s, d, schedule.RunRequest{At: now().Add(-time.Hour)})
	if _, err := s.ChangePool(t.Context(), schedule.DefaultPool, func(p *worker.Pool) { p.Paused = true }); err != nil {
		t.Fatal(err)
	}
	says("work pool default is paused")
}
