package pipeline

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/tune"
	"github.com/taximeter/taximeter/registry"
)

// dryRun proposes trials whose losses a function tells.
func dryRun(t *testing.T, s Search, loss func(Trial) float64) (trials []Trial) {
	t.Helper()
	var past []tune.Trial
	for i := range s.TrialCount {
		trial, err := s.propose(i, past[:s.known(i)])
		if err != nil {
			t.Fatal(err)
		}
		trials, past = append(trials, trial), append(past, trial.outcome(loss(trial)))
	}
	return trials
}

func TestProposals(t *testing.T) {
	loss := func(trial Trial) float64 { return trial.Params.LearningRate }
	for _, method := range Methods() {
		s := Search{Method: method, TrialCount: 40, Seed: 42, Encodings: features.Encodings()}
		a, b := dryRun(t, s, loss), dryRun(t, s, loss)
		s.Seed = 43
		c := dryRun(t, s, loss)
		if a[0].Params != CourseParams() || a[0].Encoding != features.Pair {
			t.Errorf("%s: trial 1 = %+v, want the course's parameters", method, a[0])
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: two searches of one seed differ", method)
		}
		tried := map[features.Encoding]int{}
		for i, trial := range a {
			tried[trial.Encoding]++
			p, ids := trial.Params, trial.Encoding.Clipped() == features.IDs.Clipped()
			if i > 0 && (p.EarlyStopping != 5 || p.MaxDepth < 4 || p.MaxDepth > 100 || ids && p.MaxDepth > 16 ||
				p.LearningRate < math.Exp(-3) || p.LearningRate > 1 || p.MinChildWeight < math.Exp(-1) || p.RegAlpha > math.Exp(-1) || p.RegLambda > math.Exp(-1)) {
				t.Errorf("%s: trial %d = %+v", method, i+1, trial)
			}
			given := i == 0 || method == TPE && i < len(s.Encodings)
			if same := reflect.DeepEqual(trial, c[i]); same != given {
				t.Errorf("%s: trial %d with another seed is %+v, was %+v", method, i+1, c[i], trial)
			}
			if method == TPE && i < len(s.Encodings) && trial.Encoding != s.Encodings[i] {
				t.Errorf("trial %d has %s, want each encoding once", i+1, trial.Encoding)
			}
		}
		if len(tried) != len(s.Encodings) {
			t.Errorf("%s: 40 trials had %v", method, tried)
		}
	}
	// A longer search begins as a shorter one, and so finds its fits in the cache.
	s := Search{TrialCount: 12, Seed: 1, Batch: 5, Encodings: features.Encodings()}
	short := dryRun(t, s, loss)
	s.TrialCount = 30
	if long := dryRun(t, s, loss); !reflect.DeepEqual(short, long[:12]) {
		t.Error("the first 12 trials of 30 are not those of 12")
	}
}

func TestAFailedTrialDoesNotEndTheSearch(t *testing.T) {
	flows, s := newFlows(t, synthesise(t, 3000))
	p := params(4)
	p.Gate = "metrics.rmse_valid < 100"
	p.Encodings = []features.Encoding{features.Pair, "nonsense", features.IDs}
	e := &engine.Engine{}
	run, err := flows.StartTraining(t.Context(), e, p, engine.Options{})
	if err != nil || run.State.Type != engine.TypeCompleted {
		t.Fatalf("run = %+v, %v", run.State, err)
	}
	r, err := NewReport(t.Context(), e.History, run)
	if err != nil || len(r.Runs) != 5 {
		t.Fatalf("%d runs, %v; want the baseline and 4 trials", len(r.Runs), err)
	}
	failed := r.Runs[2]
	if failed.Name != "trial-2" || failed.Features != "nonsense" || failed.Error != `panic: features: unknown encoding "nonsense"` {
		t.Errorf("trial 2 = %+v", failed)
	}
	statuses(t, s, map[registry.RunStatus]int{registry.Finished: 5, registry.Failed: 1})
	logged, err := s.GetRun(t.Context(), failed.RunID)
	if err != nil || !slices.Contains(logged.Data.Params, registry.Param{Key: "max_depth", Value: "52"}) ||
		!slices.Contains(logged.Data.Tags, registry.Tag{Key: tagError, Value: failed.Error}) {
		t.Errorf("logged %+v, %v", logged.Data, err)
	}

	// The best is marked, on its own run and on the parent's.
	best := slices.MinFunc(slices.DeleteFunc(r.Runs[1:], func(r TrackedRun) bool { return r.Error != "" }),
		func(a, b TrackedRun) int { return int(math.Copysign(1, a.RMSEValid-b.RMSEValid)) })
	page, err := s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{"1"}, Filter: "tags.`taximeter.best_trial` = 'true'"})
	if err != nil || len(page.Items) != 1 || page.Items[0].Info.RunID != best.RunID {
		t.Errorf("marked as best: %+v, %v; want %s", page.Items, err, best.Name)
	}
	page, err = s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{"1"},
		Filter: "tags.`taximeter.best_run_id` = '" + best.RunID + "' and params.best_encoding = '" + best.Features + "' and metrics.best_rmse_valid < 100"})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("%d parents know the best, %v", len(page.Items), err)
	}
}

func TestASearchWhoseTrialsAllFailFails(t *testing.T) {
	flows, s := newFlows(t, synthesise(t, 1000))
	p := params(3)
	p.Encodings = []features.Encoding{features.Pair}
	p.Train.File = flows.Months.Dirs[0] + "/" + data.FileName(data.Green, p.Train.Month)
	p.Valid.File = flows.Months.Dirs[0] + "/" + data.FileName(data.Green, p.Valid.Month)
	broken := fitTrees
	t.Cleanup(func() { fitTrees = broken })
	fitTrees.Func = func(context.Context, treesInput) (Fit, error) { panic("a fault of ours") }
	run, err := flows.StartTraining(t.Context(), &engine.Engine{}, p, engine.Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "all of 3 trials failed, the last of them: panic") || run.State.Type != engine.TypeFailed {
		t.Errorf("run = %v, %v", run.State.Name, err)
	}
	statuses(t, s, map[registry.RunStatus]int{registry.Finished: 1, registry.Failed: 4})
}

// What is the baseline's fault is not told as that of every trial.
func TestATrainingWithoutItsBaselineTellsWhy(t *testing.T) {
	flows, s := newFlows(t, synthesise(t, 1000))
	p := params(2)
	p.Baseline = "guesswork"
	_, err := flows.StartTraining(t.Context(), &engine.Engine{}, p, engine.Options{})
	if err == nil || !strings.Contains(err.Error(), "guesswork") || strings.Contains(err.Error(), "trials failed") ||
		strings.Count(err.Error(), "fit least squares") != 1 {
		t.Errorf("err = %v", err)
	}
	if up := new(engine.TaskError); !errors.As(err, &up) || up.Key != "fit-baseline" {
		t.Errorf("err = %#v, want that of the baseline", err)
	}
	statuses(t, s, map[registry.RunStatus]int{registry.Failed: 1})
}
