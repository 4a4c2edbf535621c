package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
	"github.com/taximeter/taximeter/registry"
)

// published is when the stub publishes a month: about two months after it began
// to be waited for, sometimes early and once three weeks late.
func published(m data.Month) time.Time {
	day := 12 + 5*(int(m.Month)%3)
	if m == (data.Month{Year: 2024, Month: time.April}) {
		day += 21
	}
	return m.Add(2).Start().AddDate(0, 0, day-1).Add(13 * time.Hour)
}

// stubTLC serves months as TLC does: 403 before they are published. The time is the
// client's.
func stubTLC(t *testing.T, from, to data.Month) string {
	dir := t.TempDir()
	for m := from; m.Compare(to) <= 0; m = m.Add(1) {
		f, err := os.Create(filepath.Join(dir, data.FileName(data.Green, m)))
		if err != nil {
			t.Fatal(err)
		}
		s := data.Synth{Taxi: data.Green, Month: m, Rows: 300, Seed: 1}
		if err := errors.Join(s.Write(t.Context(), f), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now, err := time.Parse(time.RFC3339, r.Header.Get("X-Now"))
		month, merr := data.ParseMonth(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/green_tripdata_"), ".parquet"))
		switch {
		case err != nil || merr != nil:
			t.Errorf("%s asked for %s: %v %v", r.Header, r.URL, err, merr)
			w.WriteHeader(http.StatusBadRequest)
		case now.Before(published(month)):
			w.WriteHeader(http.StatusForbidden)
		case month.Compare(from) < 0: // long published, and only asked for whether it is
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// saysTheTime tells the server what time it is for the client.
type saysTheTime struct{ http.RoundTripper }

func (s saysTheTime) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Now", time.Now().Format(time.RFC3339))
	return s.RoundTripper.RoundTrip(r)
}

// unwatched is a source whose file nobody looks at ten times a second for a year.
type unwatched struct{ *history.Store }

func (unwatched) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// A year of the deployment that the program ships, in fake time, against an
// address that publishes months late: each month there is one training, on the
// right months, begun at the first nine o'clock at which both can be had; nothing
// fails, and nothing else is begun meanwhile.
func TestAYearOfMonthlyRetraining(t *testing.T) {
	url := stubTLC(t, data.Month{Year: 2023, Month: 11}, data.Month{Year: 2024, Month: 11})
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)))
		flows, tracked := newFlows(t, "")
		transport := &http.Transport{DisableKeepAlives: true} // a connection that is kept would stop the clock
		flows.Months = &data.Source{Cache: t.TempDir(), BaseURL: url, Client: &http.Client{Transport: saysTheTime{transport}}, Attempts: 1}
		h, err := history.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		shipped := Deployments()
		shipped[0].Parameters = json.RawMessage(`{"when_missing":"wait","trials":0,"gate":"metrics.rmse_valid < 1e6"}`)
		if _, err := h.ApplyDeployments(t.Context(), shipped); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		log := slog.New(slog.DiscardHandler)
		scheduler := &worker.Scheduler{Planner: h, Every: 24 * time.Hour, Log: log}
		running.Go(func() { scheduler.Run(ctx) })
		w := &worker.Worker{Source: unwatched{h}, Runner: worker.InProcess{Engine: &engine.Engine{History: h, Version: "v1"}, Flows: flows.Runnables()},
			Prefetch: time.Millisecond, Poll: 24 * time.Hour, Every: 24 * time.Hour, Log: log}
		running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Until(time.Date(2025, 2, 14, 0, 0, 0, 0, time.UTC)))
		stop()
		running.Wait()

		runs, err := h.DeploymentRuns(t.Context(), shipped[0], false, 100)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(runs)
		var due []string
		for _, run := range runs {
			due = append(due, run.ExpectedStart.Format(time.DateOnly))
			if run.ExpectedStart.Year() == 2024 {
				checkTraining(t, h, run)
			}
		}
		if want := "2024-01-15 2024-02-15 2024-03-15 2024-04-15 2024-05-15 2024-06-15 2024-07-15 2024-08-15 2024-09-15 2024-10-15 2024-11-15 2024-12-15 2025-01-15"; strings.Join(due, " ") != want {
			t.Errorf("runs were due %v", due)
		}
		versions, err := tracked.SearchModelVersions(t.Context(), registry.ModelQuery{MaxResults: 100})
		if err != nil || len(versions.Items) != 12 {
			t.Errorf("%d versions were registered, %v; want 12", len(versions.Items), err)
		}
	})
}

// checkTraining checks a run of 2024.
func checkTraining(t *testing.T, h *history.Store, run engine.FlowRun) {
	p, err := ParamsOf(run)
	month := data.MonthOf(run.ExpectedStart)
	if err != nil || p.Train.Month != month.Add(-2) || p.Valid.Month != month.Add(-1) || p.Date != run.ExpectedStart.Format(time.DateOnly) {
		t.Errorf("%s: %+v, %v", run.ExpectedStart, p, err)
	}
	if run.State.Type != engine.TypeCompleted {
		t.Errorf("%s is %+v", run.ExpectedStart, run.State)
	}
	// The first nine o'clock at which the second month is published.
	want := run.ExpectedStart
	for want.Before(published(p.Valid.Month)) {
		want = want.AddDate(0, 0, 1)
	}
	states, err := h.States(t.Context(), run.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	var begun time.Time
	for _, s := range states {
		switch s.Type {
		case engine.TypeFailed, engine.TypeCrashed, engine.TypeCancelled:
			t.Errorf("%s was %+v", run.ExpectedStart, s)
		case engine.TypeRunning:
			begun = s.Time
		}
		if s.Name == engine.NameAwaitingData {
			waits++
		}
	}
	if late := begun.Sub(want); late < 0 || late > time.Second {
		t.Errorf("%s was trained at %v, want %v", run.ExpectedStart, begun, want)
	}
	if days := int(want.Sub(run.ExpectedStart).Hours() / 24); waits != days {
		t.Errorf("%s looked for its months %d times in %d days", run.ExpectedStart, waits, days)
	}
	tasks, err := h.TaskRuns(t.Context(), run.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		states, err := h.States(t.Context(), run.ID, task.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range states {
			if s.Type == engine.TypeFailed || s.Type == engine.TypeCancelled {
				t.Errorf("%s: task %s was %+v", run.ExpectedStart, task.Key, s)
			}
		}
	}
}

func TestPutOff(t *testing.T) {
	due := time.Date(2024, 3, 15, 9, 0, 0, 0, time.UTC)
	missing, network := fmt.Errorf("locate: %w", &data.NotPublishedError{}), fmt.Errorf("locate: %w", &data.NetworkError{Err: errors.New("no route")})
	for _, test := range []struct {
		p    TrainParams
		err  error
		now  time.Time
		want time.Time // zero: it fails
	}{
		{TrainParams{}, missing, due, time.Time{}},
		{TrainParams{WhenMissing: WaitWhenMissing}, missing, due, due.AddDate(0, 0, 1)},
		{TrainParams{WhenMissing: WaitWhenMissing}, missing, due.Add(25 * time.Hour), due.AddDate(0, 0, 2)},
		{TrainParams{WhenMissing: WaitWhenMissing}, network, due.Add(time.Minute), due.Add(61 * time.Minute)},
		{TrainParams{WhenMissing: WaitWhenMissing}, errors.New("corrupt"), due, time.Time{}},
		{TrainParams{WhenMissing: WaitWhenMissing}, missing, due.AddDate(0, 7, 0), time.Time{}},
	} {
		err := test.p.putOff(test.err, due, test.now)
		var later *engine.Reschedule
		if errors.As(err, &later) != !test.want.IsZero() || later != nil && (!later.At.Equal(test.want) || later.State != engine.NameAwaitingData) {
			t.Errorf("%+v at %v: %v, want %v", test.p.WhenMissing, test.now, err, test.want)
		}
	}
}

// What the program ships is valid, and is what the README says.
func TestDeployments(t *testing.T) {
	for _, d := range Deployments() {
		if _, err := d.Normalize(time.Unix(0, 0)); err != nil {
			t.Error(err)
		}
		for _, f := range (&Flows{}).Runnables() {
			if f.Info().Name != d.Flow {
				continue
			}
			run, err := f.NewRun(&engine.Engine{Version: "v1"}, d.Parameters, engine.Options{})
			if err != nil || !strings.Contains(string(run.Parameters), `"trials":10`) {
				t.Errorf("%s: %s, %v", d.Ref(), run.Parameters, err)
			}
		}
	}
	monthly := Deployments()[0]
	list, err := schedule.DefaultHorizon.Upcoming(monthly.Schedules[0], time.Date(2022, 6, 20, 0, 0, 0, 0, time.UTC))
	if err != nil || len(list) != 3 {
		t.Errorf("%d runs ahead, %v", len(list), err)
	}
}
