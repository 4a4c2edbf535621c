package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/linear"
)

// Deployments are those that the program ships.
func Deployments() []schedule.Deployment {
	return []schedule.Deployment{{
		Flow: TrainFlow, Name: "monthly",
		Description: "Retrain every month on the two months before it, as soon as TLC has published them.",
		Parameters:  json.RawMessage(`{"when_missing":"wait"}`),
		Tags:        []string{"retraining"},
		Schedules:   []schedule.Schedule{{Slug: "fifteenth", Cron: "0 9 15 * *"}},
	}}
}

// WhenMissing is what a training does for want of a month.
type WhenMissing string

// Ways to do without a month: the training fails, which is the default, or it is
// put off until TLC has published it.
const (
	FailWhenMissing WhenMissing = "fail"
	WaitWhenMissing WhenMissing = "wait"
)

// due returns the parameters with what is left out filled in, for a training that
// was due at: its date, and the months that follow from that, are those of the day
// it was due, however late it begins and however long it waits.
func (p TrainParams) due(at time.Time) (TrainParams, error) {
	p.Gate, p.Experiment, p.Model = cmp.Or(p.Gate, DefaultGate), cmp.Or(p.Experiment, DefaultExperiment), cmp.Or(p.Model, DefaultModel)
	p.Baseline = cmp.Or(p.Baseline, linear.Exact)
	if len(p.Encodings) == 0 && p.TrialCount > 1 {
		p.Encodings = features.Encodings()
	}
	if p.Date == "" {
		p.Date = DateOf(at.UTC()).String()
	}
	date, err := ParseDate(p.Date)
	if err != nil {
		return p, err
	}
	train, valid := date.Months()
	for ref, month := range map[*MonthRef]data.Month{&p.Train: train, &p.Valid: valid} {
		if *ref == (MonthRef{}) {
			*ref = MonthRef{Taxi: cmp.Or(p.Taxi, data.Green), Month: month}
		}
	}
	return p, nil
}

const (
	// probeEvery is how often a month that is not published yet is looked for.
	probeEvery = 24 * time.Hour
	// probeNetwork is how soon a month is looked for again after the network failed.
	probeNetwork = time.Hour
	// patience is how long after it was due a training waits for its months. TLC is
	// about two months late; what is missing for half a year will not come.
	patience = 180 * 24 * time.Hour
)

// putOff turns the error of a month that cannot be had into one that puts the
// training off, if that is what it does when months are missing.
func (p TrainParams) putOff(err error, due, now time.Time) error {
	var missing *data.NotPublishedError
	var network *data.NetworkError
	switch {
	case p.WhenMissing != WaitWhenMissing || now.Sub(due) > patience:
		return err
	case errors.As(err, &missing):
		// At the time of day at which the training was due.
		next := due.Add((now.Sub(due)/probeEvery + 1) * probeEvery)
		return &engine.Reschedule{At: next, State: engine.NameAwaitingData, Reason: err.Error()}
	case errors.As(err, &network):
		return &engine.Reschedule{At: now.Add(probeNetwork), State: engine.NameAwaitingData, Reason: err.Error()}
	}
	return err
}

// awaitMonths returns once both months are here. Where the training waits for its
// months, nothing else is begun before that.
func (p TrainParams) awaitMonths(ctx context.Context, months ...*engine.Future[data.File]) error {
	if p.WhenMissing != WaitWhenMissing {
		return nil
	}
	var errs []error
	for _, m := range months {
		if _, err := m.Get(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	// One that failed for good is not waited for.
	for _, err := range errs {
		var later *engine.Reschedule
		if !errors.As(err, &later) {
			return err
		}
	}
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// ParseWhenMissing reads "fail" or "wait".
func ParseWhenMissing(s string) (WhenMissing, error) {
	switch w := WhenMissing(s); w {
	case FailWhenMissing, WaitWhenMissing:
		return w, nil
	}
	return "", fmt.Errorf("%q: want %s or %s", s, FailWhenMissing, WaitWhenMissing)
}

// Runnables are the flows as workers and the API know them. However a run of them
// ends, no tracked run of it is left running.
func (f *Flows) Runnables() []engine.Runnable { return []engine.Runnable{trainer{f.Train(), f}} }

type trainer struct {
	engine.Runnable
	flows *Flows
}

// Execute implements engine.Runnable.
func (t trainer) Execute(ctx context.Context, e *engine.Engine, id string) (engine.FlowRun, error) {
	run, err := t.Runnable.Execute(ctx, e, id)
	if err == nil || run.ID == "" {
		return run, err
	}
	p, perr := ParamsOf(run)
	if perr != nil {
		return run, errors.Join(err, perr)
	}
	return run, errors.Join(err, t.flows.closeRuns(ctx, p, run, err))
}
