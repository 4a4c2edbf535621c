package enginetest

import (
	"context"
	"encoding/json"
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

// WorkStore keeps deployments and the work that comes of them.
type WorkStore interface {
	worker.Source
	worker.Planner
	ApplyDeployments(ctx context.Context, list []schedule.Deployment) ([]schedule.Record, error)
	ChangeDeployment(ctx context.Context, id string, edit func(*schedule.Deployment) error) (schedule.Record, error)
	DeleteDeployment(ctx context.Context, id string) error
	Deployments(ctx context.Context) ([]schedule.Record, error)
	FindDeployment(ctx context.Context, ref string) (schedule.Record, error)
	DeploymentRuns(ctx context.Context, d schedule.Deployment, upcoming bool, limit int) ([]engine.FlowRun, error)
	RunDeployment(ctx context.Context, id string, r schedule.RunRequest) (engine.FlowRun, error)
	Backfill(ctx context.Context, id string, b schedule.Backfill) (runs []engine.FlowRun, there int, err error)
	FlowRun(ctx context.Context, id string) (engine.FlowRun, error)
	ChangePool(ctx context.Context, name string, edit func(*worker.Pool)) (worker.Pool, error)
	PutQueue(ctx context.Context, pool, name string, create bool, edit func(*worker.Queue)) (worker.Queue, error)
	Preview(ctx context.Context, pool string, queues []string, limit int) ([]worker.Due, error)
}

// Work checks that what open returns keeps the promises of worker.Source and
// worker.Planner. open gives an empty store each time.
func Work(t *testing.T, open func(t *testing.T) WorkStore) {
	for name, test := range map[string]func(*testing.T, WorkStore){
		"ApplyIsAtomic":       applyIsAtomic,
		"Ahead":               ahead,
		"Edit":                editSchedule,
		"Late":                late,
		"CatchUp":             catchUp,
		"ClockGoesBack":       clockGoesBack,
		"ClaimOrder":          claimOrder,
		"ClaimOnce":           claimOnce,
		"Limits":              limits,
		"CancelNew":           cancelNew,
		"Why":                 why,
		"GiveBack":            giveBack,
		"CrashBeforeItBegins": crashBeforeItBegins,
		"Backfill":            backfill,
		"StartLater":          startLater,
		"Beat":                beat,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func deployment(name string, schedules ...schedule.Schedule) schedule.Deployment {
	return schedule.Deployment{Flow: "train", Name: name, Parameters: json.RawMessage(`{"taxi":"green"}`), Tags: []string{"ml"}, Schedules: schedules}
}

func apply(t *testing.T, s WorkStore, d schedule.Deployment) schedule.Record {
	t.Helper()
	list, err := s.ApplyDeployments(t.Context(), []schedule.Deployment{d})
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func plan(t *testing.T, s WorkStore, at time.Time) {
	t.Helper()
	if _, err := s.Plan(t.Context(), at); err != nil {
		t.Fatal(err)
	}
}

// upcoming are the times and states of the runs ahead of a deployment.
func upcoming(t *testing.T, s WorkStore, d schedule.Record) (times []time.Time, runs []engine.FlowRun) {
	t.Helper()
	runs, err := s.DeploymentRuns(t.Context(), d.Spec, true, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		times = append(times, r.ExpectedStart)
	}
	return times, runs
}

func ask(t *testing.T, s WorkStore, d schedule.Record, r schedule.RunRequest) engine.FlowRun {
	t.Helper()
	run, err := s.RunDeployment(t.Context(), d.ID, r)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func newWorker(t *testing.T, s WorkStore, name string, queues ...string) worker.Info {
	t.Helper()
	w := worker.Info{ID: engine.NewID(), Name: name, Pool: schedule.DefaultPool, Queues: queues, Every: 60, Started: now()}
	if _, err := s.Beat(t.Context(), w, nil); err != nil {
		t.Fatal(err)
	}
	return w
}

func claim(t *testing.T, s WorkStore, w worker.Info, most int, before time.Time) []engine.FlowRun {
	t.Helper()
	runs, _, err := s.Claim(t.Context(), w, most, before)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

func stateOf(t *testing.T, s WorkStore, id string) engine.State {
	t.Helper()
	run, err := s.FlowRun(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return run.State
}

func applyIsAtomic(t *testing.T, s WorkStore) {
	good, bad := deployment("good"), deployment("bad", schedule.Schedule{Cron: "0 25 * * *"})
	if _, err := s.ApplyDeployments(t.Context(), []schedule.Deployment{good, bad}); err == nil || !strings.Contains(err.Error(), "train/bad") {
		t.Errorf("apply: %v", err)
	}
	if list, err := s.Deployments(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("deployments: %+v, %v", list, err)
	}
	first := apply(t, s, good)
	again := apply(t, s, good)
	if again.ID != first.ID || !again.Updated.Equal(first.Updated) {
		t.Errorf("applied again: %+v, was %+v", again, first)
	}
	for _, ref := range []string{"train/good", "good", first.ID, first.ID[:6]} {
		if d, err := s.FindDeployment(t.Context(), ref); err != nil || d.ID != first.ID {
			t.Errorf("%s: %+v, %v", ref, d, err)
		}
	}
	if _, err := s.FindDeployment(t.Context(), "nobody"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func ahead(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d", schedule.Schedule{Slug: "minute", Cron: "* * * * *", Parameters: json.RawMessage(`{"trials":1}`)},
		schedule.Schedule{Slug: "month", Cron: "@monthly"}, schedule.Schedule{Slug: "off", Cron: "* * * * *", Inactive: true}))
	times, runs := upcoming(t, s, d)
	if n := len(runs); n < 60 || n > 65 || !slices.IsSortedFunc(times, time.Time.Compare) {
		t.Fatalf("%d runs ahead: %v", n, times)
	}
	r := runs[0]
	if r.State.Name != engine.NameScheduled || r.Deployment != "d" || string(r.Parameters) != `{"taxi":"green","trials":1}` ||
		fmt.Sprint(r.Tags) != "[ml auto-scheduled]" || !r.NextStart.Equal(r.ExpectedStart) || r.Name == "" {
		t.Errorf("the first: %+v", r)
	}
	for i := range 3 {
		plan(t, s, now().Add(time.Duration(i)*time.Second))
	}
	if more, _ := upcoming(t, s, d); len(more) > len(times)+1 {
		t.Errorf("planned again: %d, were %d", len(more), len(times))
	}
	plan(t, s, now().Add(3*time.Minute))
	if more, _ := upcoming(t, s, d); len(more) < len(times)+2 || len(more) > len(times)+4 {
		t.Errorf("three minutes later: %d, were %d", len(more), len(times))
	}
}

// Editing a schedule leaves neither duplicates nor orphans; what has begun, and
// what was asked for by hand, stays as it is.
func editSchedule(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d", schedule.Schedule{Slug: "a", Cron: "0 * * * *"}))
	byHand := ask(t, s, d, schedule.RunRequest{At: now().Add(time.Hour)})
	w := newWorker(t, s, "w")
	begun := claim(t, s, w, 1, now().Add(2*time.Hour))
	if len(begun) != 1 {
		t.Fatal("nothing was claimed")
	}
	for i, cron := range []string{"30 * * * *", "0 * * * *", "0,30 * * * *"} {
		edited := deployment("d", schedule.Schedule{Slug: "a", Cron: cron})
		edited.Parameters = json.RawMessage(fmt.Sprintf(`{"edit":%d}`, i))
		d = apply(t, s, edited)
		plan(t, s, now())
		times, runs := upcoming(t, s, d)
		seen := map[time.Time]bool{}
		for j, r := range runs {
			if r.ID == byHand.ID {
				continue
			}
			want := edited.Schedules[0]
			at, err := want.Next(times[j].Add(-time.Second))
			if err != nil || !at.Equal(times[j]) || seen[at] || string(r.Parameters) != string(edited.Parameters) {
				t.Errorf("edit %d: a run at %v with %s, the schedule says %v", i, times[j], r.Parameters, at)
			}
			seen[at] = true
		}
		if len(seen) < 2 || seen[begun[0].ExpectedStart] {
			t.Errorf("edit %d: runs at %v", i, times)
		}
	}
	if got, err := s.FlowRun(t.Context(), byHand.ID); err != nil || string(got.Parameters) != `{"taxi":"green"}` {
		t.Errorf("the run by hand: %+v, %v", got, err)
	}
	for _, edit := range []func(*schedule.Deployment) error{
		func(d *schedule.Deployment) error { d.Paused = true; return nil },
		func(d *schedule.Deployment) error { d.Paused = false; d.Schedules[0].Inactive = true; return nil },
	} {
		var err error
		if d, err = s.ChangeDeployment(t.Context(), d.ID, edit); err != nil {
			t.Fatal(err)
		}
		plan(t, s, now())
		if _, runs := upcoming(t, s, d); len(runs) != 1 || runs[0].ID != byHand.ID {
			t.Errorf("paused: %d runs ahead", len(runs))
		}
	}
	if err := s.DeleteDeployment(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, s, begun[0].ID); got.Type != engine.TypePending {
		t.Errorf("what had begun is %v", got)
	}
}

func late(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d"))
	run := ask(t, s, d, schedule.RunRequest{})
	plan(t, s, run.NextStart.Add(14*time.Second))
	if got := stateOf(t, s, run.ID); got.Name != engine.NameScheduled {
		t.Errorf("after 14 s: %v", got)
	}
	plan(t, s, run.NextStart.Add(16*time.Second))
	if got := stateOf(t, s, run.ID); got.Name != engine.NameLate || got.Type != engine.TypeScheduled || got.Message != "no worker of pool default is running" {
		t.Errorf("after 16 s: %+v", got)
	}
	// It is late, and carried out all the same; it takes its dates from when it was due.
	got := claim(t, s, newWorker(t, s, "w"), 1, now().Add(time.Minute))
	if len(got) != 1 || got[0].ID != run.ID || !got[0].ExpectedStart.Equal(run.ExpectedStart) {
		t.Errorf("claimed %+v", got)
	}
}

// catchUp lets a scheduler and all workers be away for some hours.
func catchUp(t *testing.T, s WorkStore) {
	for _, test := range []struct {
		policy schedule.CatchUp
		want   int
	}{{schedule.CatchUp{}, 6}, {schedule.CatchUp{Latest: true}, 1}, {schedule.CatchUp{OlderThan: 150 * time.Minute}, 3}} {
		hourly := deployment(strings.ReplaceAll(test.policy.String(), " ", "-"), schedule.Schedule{Cron: "@hourly"})
		hourly.CatchUp = test.policy
		d := apply(t, s, hourly)
		back := now().Truncate(time.Hour).Add(6*time.Hour + time.Minute)
		plan(t, s, back)
		due, skipped := 0, 0
		runs, err := s.DeploymentRuns(t.Context(), d.Spec, false, 100)
		_, waiting := upcoming(t, s, d)
		for _, r := range append(runs, waiting...) {
			switch {
			case r.State.Name == "Skipped" && r.State.Type == engine.TypeCancelled && r.State.Message != "":
				skipped++
			case r.State.Type == engine.TypeScheduled && !r.ExpectedStart.After(back):
				due++
			}
		}
		if err != nil || due != test.want {
			t.Errorf("%v: %d due and %d skipped, %v; want %d due", test.policy, due, skipped, err, test.want)
		}
	}
}

func clockGoesBack(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d", schedule.Schedule{Cron: "0 9 * * *"}))
	before, _ := upcoming(t, s, d)
	for _, away := range []time.Duration{-48 * time.Hour, 0, 400 * 24 * time.Hour, 0} {
		plan(t, s, now().Add(away))
	}
	times, _ := upcoming(t, s, d)
	seen := map[time.Time]int{}
	for _, at := range times {
		seen[at]++
		if seen[at] > 1 {
			t.Errorf("two runs at %v", at)
		}
	}
	for _, at := range before {
		if seen[at] != 1 {
			t.Errorf("the run at %v is gone", at)
		}
	}
}

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
	w.Limit = 1
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

func backfill(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d", schedule.Schedule{Slug: "monthly", Cron: "0 9 15 * *"}))
	from, to := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2021, 12, 31, 0, 0, 0, 0, time.UTC)
	runs, there, err := s.Backfill(t.Context(), d.ID, schedule.Backfill{From: from, To: to})
	if err != nil || len(runs) != 12 || there != 0 {
		t.Fatalf("%d runs, %d there, %v", len(runs), there, err)
	}
	claimed := claim(t, s, newWorker(t, s, "w"), 100, now().Add(time.Second))
	for i, r := range claimed {
		if want := time.Date(2021, time.Month(i+1), 15, 9, 0, 0, 0, time.UTC); !r.ExpectedStart.Equal(want) {
			t.Errorf("run %d is of %v, want %v", i, r.ExpectedStart, want)
		}
	}
	if len(claimed) != 12 {
		t.Errorf("%d were due", len(claimed))
	}
	if runs, there, err := s.Backfill(t.Context(), d.ID, schedule.Backfill{From: from.AddDate(0, -1, 0), To: to}); err != nil || len(runs) != 1 || there != 12 {
		t.Errorf("again: %d runs, %d there, %v", len(runs), there, err)
	}
	weekly := &schedule.Schedule{Slug: "weekly", Cron: "@weekly"}
	if runs, _, err := s.Backfill(t.Context(), d.ID, schedule.Backfill{From: from, To: from.AddDate(0, 0, 27), Schedule: weekly}); err != nil || len(runs) != 4 {
		t.Errorf("weekly: %d runs, %v", len(runs), err)
	}
	bare := apply(t, s, deployment("bare"))
	if _, _, err := s.Backfill(t.Context(), bare.ID, schedule.Backfill{From: from, To: to}); err == nil {
		t.Error("a deployment without a schedule was backfilled")
	}
}

func startLater(t *testing.T, s WorkStore) {
	d := apply(t, s, deployment("d"))
	at := now().Add(time.Hour)
	run := ask(t, s, d, schedule.RunRequest{At: at, Parameters: json.RawMessage(`{"trials":9}`), Tags: []string{"x"}, IdempotencyKey: "k"})
	if again := ask(t, s, d, schedule.RunRequest{IdempotencyKey: "k"}); again.ID != run.ID {
		t.Error("one key made two runs")
	}
	if string(run.Parameters) != `{"taxi":"green","trials":9}` || fmt.Sprint(run.Tags) != "[ml x]" || !run.ExpectedStart.Equal(at) {
		t.Errorf("%+v", run)
	}
	w := newWorker(t, s, "w")
	if got := claim(t, s, w, 1, at.Add(-time.Second)); len(got) != 0 {
		t.Errorf("claimed early: %+v", got)
	}
	if got := claim(t, s, w, 1, at); len(got) != 1 {
		t.Errorf("claimed %+v", got)
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
