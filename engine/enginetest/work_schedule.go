package enginetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

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

// A scheduler that has read the old schedule makes no runs by it once it is edited.
func editWhilePlanned(t *testing.T, s WorkStore) {
	cron := func(minute int) schedule.Schedule {
		return schedule.Schedule{Slug: "a", Cron: fmt.Sprintf("%d * * * *", minute)}
	}
	apply(t, s, deployment("d", cron(0)))
	done := make(chan struct{})
	var planners sync.WaitGroup
	for range 2 {
		planners.Go(func() {
			for at := now(); ; at = at.Add(20 * time.Hour) { // so that there is always something to make
				select {
				case <-done:
					return
				default:
				}
				if _, err := s.Plan(t.Context(), at); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var d schedule.Record
	for minute := range 20 {
		d = apply(t, s, deployment("d", cron(minute)))
	}
	times, _ := upcoming(t, s, d)
	close(done)
	planners.Wait()
	seen := map[time.Time]bool{}
	for _, at := range times {
		if at.Minute() != 19 || seen[at] {
			t.Errorf("a run at %v, twice %v", at, seen[at])
		}
		seen[at] = true
	}
	if len(times) < 3 {
		t.Errorf("runs at %v", times)
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
	// Nothing of what is refused is done.
	two := apply(t, s, deployment("two", schedule.Schedule{Slug: "daily", Cron: "@daily"}, schedule.Schedule{Slug: "minutely", Cron: "* * * * *"}))
	if _, _, err := s.Backfill(t.Context(), two.ID, schedule.Backfill{From: from, To: to}); err == nil {
		t.Error("half a million runs were made")
	}
	if claimed := claim(t, s, newWorker(t, s, "w2"), 1000, now().Add(time.Second)); len(claimed) > 5 {
		t.Errorf("%d runs are due though the backfill was refused", len(claimed))
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
