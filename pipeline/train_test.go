package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/models/linear"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// synthesise writes the months 2021-01 and 2021-02 of seed 1 to a new folder.
func synthesise(t *testing.T, rows int) string {
	t.Helper()
	dir := t.TempDir()
	for _, m := range []time.Month{1, 2} {
		month := data.Month{Year: 2021, Month: m}
		f, err := os.Create(filepath.Join(dir, data.FileName(data.Green, month)))
		if err != nil {
			t.Fatal(err)
		}
		s := data.Synth{Taxi: data.Green, Month: month, Rows: rows, Seed: 1}
		if err := errors.Join(s.Write(t.Context(), f), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newFlows(t *testing.T, months string) (*Flows, *store.Store) {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &Flows{Months: &data.Source{Dirs: []string{months}, Offline: true}, Tracker: s, Origin: Origin{User: "tester"}}, s
}

func params(trials int) TrainParams {
	date, _ := ParseDate("2021-03-05")
	p := TrainParams{Date: date.String(), Baseline: linear.LSQR, Search: Search{TrialCount: trials, Seed: 42},
		Gate: DefaultGate, Experiment: DefaultExperiment, Model: DefaultModel}
	p.Train.Taxi, p.Valid.Taxi = data.Green, data.Green
	p.Train.Month, p.Valid.Month = date.Months()
	return p
}

func TestSynthesisedMonthsAreLikeTheRealOnes(t *testing.T) {
	flows, _ := newFlows(t, synthesise(t, 0))
	e := &engine.Engine{}
	run, err := flows.StartTraining(t.Context(), e, params(1), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReport(t.Context(), e.History, run)
	if err != nil {
		t.Fatal(err)
	}
	for i, real := range []float64{7.758715, 6.459853} {
		if got := r.Runs[i].RMSEValid; math.Abs(got/real-1) > 0.15 {
			t.Errorf("%s: rmse_valid %.4f is not within 15 %% of the real %.4f", r.Runs[i].Name, got, real)
		}
	}
	if r.Chosen == nil || r.Chosen.RunID != r.Runs[1].RunID {
		t.Errorf("chosen %+v, want the trees", r.Chosen)
	}
	runs, err := flows.Tracker.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{"1"},
		Filter: "metrics.unseen_rate >= 0.03 and metrics.unseen_rate <= 0.12"})
	if err != nil || len(runs.Items) != 2 {
		t.Errorf("%d runs with 3 to 12 %% of pairs unseen, %v; want both", len(runs.Items), err)
	}
}

func TestWhatIsLogged(t *testing.T) {
	flows, s := newFlows(t, synthesise(t, 3000))
	p := params(1)
	p.Gate, p.Experiment = "metrics.rmse_valid < 100", "monthly {expected_start_time}"
	due := time.Date(2021, 3, 5, 9, 0, 0, 0, time.FixedZone("NYC", -5*3600))
	run, err := flows.StartTraining(t.Context(), &engine.Engine{}, p, engine.Options{ExpectedStart: due})
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.GetExperimentByName(t.Context(), "monthly 2021-03-05T14:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{e.ID}, Filter: "params.model = 'gbt'"})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d runs, %v", len(page.Items), err)
	}
	logged := page.Items[0]
	tags := map[string]string{}
	for _, tag := range logged.Data.Tags {
		tags[tag.Key] = tag.Value
	}
	if tags["mlflow.user"] != "tester" || tags["mlflow.parentRunId"] == "" || tags[tagFlowRun] != run.ID || tags["mlflow.source.type"] != "LOCAL" {
		t.Errorf("tags = %v", tags)
	}
	for _, key := range []string{"rmse", "rmse_train", "rmse_valid", "inference_time", "unseen_rate", "best_iteration"} {
		if _, ok := logged.Data.Metric(key); !ok {
			t.Errorf("metric %s is missing in %v", key, logged.Data.Metrics)
		}
	}
	curve, err := s.MetricHistory(t.Context(), registry.HistoryQuery{RunID: logged.Info.RunID, Key: validCurve})
	if err != nil || len(curve.Items) < 20 || curve.Items[1].Step != 1 {
		t.Errorf("%d points in the curve, %v", len(curve.Items), err)
	}
	own, err := s.MetricHistory(t.Context(), registry.HistoryQuery{RunID: logged.Info.RunID, Key: trainCurve})
	if train, _ := logged.Data.Metric("rmse_train"); err != nil || len(own.Items) != len(curve.Items) || own.Items[len(own.Items)-1].Value != train {
		t.Errorf("%d points in the curve of the training month, %v; want the last to be %v", len(own.Items), err, train)
	}
	if len(logged.Inputs.Datasets) != 2 || logged.Inputs.Datasets[0].Dataset.Name != "green_2021-01" {
		t.Errorf("inputs = %+v", logged.Inputs)
	}
	if !strings.HasPrefix(logged.Info.ArtifactURI, "mlflow-artifacts:/") {
		t.Errorf("artifact URI %s", logged.Info.ArtifactURI)
	}
	for _, file := range []string{"model/MLmodel", "model/model.json", "preprocessor/vectorizer.json", "model-2021-03-05.json", "dv-2021-03-05.json"} {
		f, err := s.OpenArtifact(t.Context(), logged.Info.RunID, file)
		if err != nil {
			t.Errorf("artifact %s: %v", file, err)
			continue
		}
		f.Close()
	}
	v, err := s.VersionByAlias(t.Context(), DefaultModel, "staging")
	if err != nil || v.CurrentStage != registry.StageStaging || v.RunID != logged.Info.RunID ||
		!strings.Contains(v.Description, "2021-03-05 14:00:00 UTC") || !strings.Contains(v.Description, e.Name) {
		t.Errorf("version = %+v, %v", v, err)
	}
}

func TestNoCandidateRegistersNothing(t *testing.T) {
	flows, s := newFlows(t, synthesise(t, 3000))
	p := params(1)
	p.Gate = "metrics.rmse_valid < 0.5"
	run, err := flows.StartTraining(t.Context(), &engine.Engine{}, p, engine.Options{})
	var none *NoCandidateError
	if !errors.As(err, &none) || none.Runs != 2 || !strings.HasPrefix(err.Error(), "0 of 2 runs satisfy metrics.rmse_valid < 0.5; best rmse ") {
		t.Errorf("err = %v", err)
	}
	if run.State.Type != engine.TypeFailed {
		t.Errorf("run = %+v", run.State)
	}
	models, err := s.SearchRegisteredModels(t.Context(), registry.ModelQuery{})
	if err != nil || len(models.Items) != 0 {
		t.Errorf("registered %+v, %v", models.Items, err)
	}
	statuses(t, s, map[registry.RunStatus]int{registry.Finished: 2, registry.Failed: 1})
}

func TestInterruptedTrainingIsContinued(t *testing.T) {
	flows, s := newFlows(t, synthesise(t, 3000))
	p := params(2)
	p.Gate = "metrics.rmse_valid < 100"
	ctx, cancel := context.WithCancelCause(t.Context())
	w := &interrupter{cancel: func() { cancel(errors.New("interrupted")) }}
	e := &engine.Engine{Observer: w}
	run, err := flows.StartTraining(ctx, e, p, engine.Options{})
	if err == nil || run.State.Type != engine.TypeCancelled {
		t.Fatalf("run = %+v, %v", run.State, err)
	}
	statuses(t, s, map[registry.RunStatus]int{registry.Finished: 1, registry.Killed: 1})
	e.Observer = nil
	if run, err = flows.ResumeTraining(t.Context(), e, run.ID); err != nil || run.State.Type != engine.TypeCompleted {
		t.Fatalf("resumed: %+v, %v", run.State, err)
	}
	statuses(t, s, map[registry.RunStatus]int{registry.Finished: 4})
}

// interrupter interrupts a training once its baseline is logged.
type interrupter struct{ cancel func() }

func (w *interrupter) FlowRun(engine.FlowRun)   {}
func (w *interrupter) Progress(engine.Progress) {}
func (w *interrupter) Log(engine.LogLine)       {}
func (w *interrupter) TaskRun(t engine.TaskRun) {
	if t.Key == "log-run[linear]" && t.State.Type == engine.TypeCompleted {
		w.cancel()
	}
}

// statuses checks how many runs of the default experiment have which status. Of
// those that were being logged at an interruption any number is right.
func statuses(t *testing.T, s *store.Store, want map[registry.RunStatus]int) {
	t.Helper()
	page, err := s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{"1"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[registry.RunStatus]int{}
	for _, run := range page.Items {
		got[run.Info.Status]++
	}
	for status, n := range want {
		if got[status] < n {
			t.Errorf("%d runs are %s, want %d", got[status], status, n)
		}
	}
	if got[registry.Running] != 0 {
		t.Errorf("%d runs are left running", got[registry.Running])
	}
}

func TestDates(t *testing.T) {
	for _, test := range []struct{ in, date, train, valid string }{
		{"2021-03-15", "2021-03-15", "2021-01", "2021-02"},
		{"2021-3-5", "2021-03-05", "2021-01", "2021-02"},
		{"2021-01-31", "2021-01-31", "2020-11", "2020-12"},
		{"2021-03-31", "2021-03-31", "2021-01", "2021-02"},
		{"2024-02-29", "2024-02-29", "2023-12", "2024-01"},
		{"2020-05-31", "2020-05-31", "2020-03", "2020-04"},
	} {
		d, err := ParseDate(test.in)
		train, valid := d.Months()
		if err != nil || d.String() != test.date || train.String() != test.train || valid.String() != test.valid {
			t.Errorf("ParseDate(%q) = %s: %s and %s, %v", test.in, d, train, valid, err)
		}
	}
	for _, in := range []string{"0001-01-01", "", "2021", "2021-13-01", "2021-00-10", "2021-02-29", "03/15/2021", "2021-03-15T00:00", "today", "21-03-05", " 2021-03-05"} {
		if d, err := ParseDate(in); err == nil || !strings.Contains(err.Error(), "such as 2021-03-05") {
			t.Errorf("ParseDate(%q) = %s, %v; want an error that shows the form", in, d, err)
		}
	}
}

// With few rides, one absurd distance ruins the slope of the baseline.
func TestAModelWorseThanTheMeanIsFlagged(t *testing.T) {
	flows, s := newFlows(t, synthesise(t, 1000))
	p := params(0)
	p.Baseline, p.Gate = linear.Exact, "metrics.rmse_valid < 1e9"
	e := &engine.Engine{}
	run, err := flows.StartTraining(t.Context(), e, p, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReport(t.Context(), e.History, run)
	if err != nil || !r.Runs[0].WorseThanMean {
		t.Errorf("runs = %+v, %v", r.Runs, err)
	}
	page, err := s.SearchRuns(t.Context(), registry.RunQuery{ExperimentIDs: []string{"1"}, Filter: "tags.`taximeter.worse_than_mean` = 'true'"})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("%d runs are tagged, %v", len(page.Items), err)
	}
}

// A training shows its errors, the same as its report's, as a version of one page.
func TestWhatIsPublished(t *testing.T) {
	flows, _ := newFlows(t, synthesise(t, 1000))
	p := params(1)
	p.Gate = "metrics.rmse_valid < 100"
	h := &engine.MemoryHistory{}
	e := &engine.Engine{History: h}
	for range 2 {
		if _, err := flows.StartTraining(t.Context(), e, p, engine.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := h.List(t.Context(), TrainFlow, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReport(t.Context(), h, runs[0])
	if err != nil {
		t.Fatal(err)
	}
	list, err := h.Artifacts(t.Context(), engine.ArtifactQuery{FlowRunID: runs[0].ID})
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, a := range list {
		for _, run := range r.Runs {
			want := fmt.Sprintf(`"rmse_valid":%v`, run.RMSEValid)
			if a.Type == engine.ArtifactMarkdown {
				want = fmt.Sprintf(`| %s | %.2f | %.2f |`, run.Name, run.RMSETrain, run.RMSEValid)
			}
			if a.Version != 2 || !strings.Contains(string(a.Data), want) {
				t.Errorf("%s version %d has not %s: %s", a, a.Version, want, a.Data)
			}
		}
	}
}

func TestThePenaltyIsLogged(t *testing.T) {
	flows, _ := newFlows(t, synthesise(t, 1000))
	p := params(0)
	p.Baseline, p.Gate = linear.Ridge, "metrics.rmse_valid < 1e9"
	e := &engine.Engine{}
	run, err := flows.StartTraining(t.Context(), e, p, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReport(t.Context(), e.History, run)
	if err != nil || r.Runs[0].Params["solver"] != "ridge" || r.Runs[0].Params["alpha"] != 1.0 {
		t.Errorf("runs = %+v, %v", r.Runs, err)
	}
}
