package enginetest

import (
	"context"
	"encoding/json"
	"errors"
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
		"ApplyIsAtomic":                          applyIsAtomic,
		"Ahead":                                  ahead,
		"AScheduleEditLeavesDuplicatesOrOrphans": editSchedule,     // mistake 8
		"AScheduleIsEditedWhileItIsPlanned":      editWhilePlanned, // mistake 8
		"Late":                                   late,
		"CatchUp":                                catchUp,
		"ClockGoesBack":                          clockGoesBack,
		"ClaimOrder":                             claimOrder,
		"ClaimOnce":                              claimOnce,
		"Limits":                                 limits,
		"CancelNew":                              cancelNew,
		"Why":                                    why,
		"GiveBack":                               giveBack,
		"CrashBeforeItBegins":                    crashBeforeItBegins,
		"Backfill":                               backfill,
		"StartLater":                             startLater,
		"Beat":                                   beat,
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
