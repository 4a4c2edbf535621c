package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/models/linear"
	"github.com/taximeter/taximeter/registry"
)

// Defaults of a training.
const (
	DefaultExperiment = "nyc-taxi-experiment"
	DefaultModel      = "NYCRideDurationModel"
	DefaultGate       = "metrics.rmse_valid < 6.5 and metrics.inference_time < 20e-6"
	DefaultTrials     = 10
)

// TrainParams are the parameters of the training flow. Everything that could
// mean something else tomorrow ("today", "latest", a relative path) is resolved
// before it is put here, so that a resumed run does what it was started for; what
// is left out follows from when the run was due.
type TrainParams struct {
	Date  string    `json:"date,omitempty"` // 2021-03-05: names the model's files; the months follow from it
	Taxi  data.Taxi `json:"taxi,omitempty"` // of the months; empty: green
	Train MonthRef  `json:"train,omitzero"` // the month before last, or a file
	Valid MonthRef  `json:"valid,omitzero"` // last month, or a file
	// WhenMissing is what becomes of the training while a month is not published.
	WhenMissing WhenMissing `json:"when_missing,omitempty" enum:"fail,wait" default:"fail"`

	Baseline   linear.Solver `json:"baseline"`
	Alpha      float64       `json:"alpha,omitempty" min:"0"` // of ridge's or lasso's penalty, 0 being 1; the others refuse it
	Search                   // of boosted trees
	Gate       string        `json:"gate"` // what a run must satisfy to be staged
	Experiment string        `json:"experiment"`
	Model      string        `json:"model"` // registered model

	Data        string `json:"data,omitempty"`         // directory that months are looked for in
	TrackingURI string `json:"tracking_uri,omitempty"` // empty: the home's own registry
}

// MonthRef names a month to locate: by taxi and month, or by a file.
type MonthRef struct {
	Taxi  data.Taxi  `json:"taxi,omitempty"`
	Month data.Month `json:"month,omitzero"`
	File  string     `json:"file,omitempty"` // absolute path; the other fields are then not looked at
}

// ParamsOf returns the parameters that a training was started with.
func ParamsOf(run engine.FlowRun) (p TrainParams, err error) {
	if run.Flow != TrainFlow {
		return p, fmt.Errorf("flow run %s is a run of %s, not of %s", run.ID, run.Flow, TrainFlow)
	}
	if err := json.Unmarshal(run.Parameters, &p); err != nil {
		return p, fmt.Errorf("read the parameters of flow run %s: %w", run.ID, err)
	}
	return p.due(run.ExpectedStart)
}

// Date is a training date: the two months before its own are trained and
// validated on.
type Date struct {
	Month data.Month
	Day   int
}

var dateForm = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})$`)

// ParseDate reads a date written 2021-03-05 or 2021-3-5.
func ParseDate(s string) (Date, error) {
	m := dateForm.FindStringSubmatch(s)
	if m == nil {
		return Date{}, fmt.Errorf("date %q: want year-month-day, such as 2021-03-05", s)
	}
	year, _ := strconv.Atoi(m[1])
	month, _ := strconv.Atoi(m[2])
	day, _ := strconv.Atoi(m[3])
	if year < 1000 {
		return Date{}, fmt.Errorf("date %q: there were no taxis; want year-month-day, such as 2021-03-05", s)
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != day {
		return Date{}, fmt.Errorf("date %q: there is no such day; want year-month-day, such as 2021-03-05", s)
	}
	return DateOf(t), nil
}

// DateOf returns the date of t, on the clock of its location.
func DateOf(t time.Time) Date { return Date{data.MonthOf(t), t.Day()} }

// String returns the date as 2021-03-05.
func (d Date) String() string { return fmt.Sprintf("%s-%02d", d.Month, d.Day) }

// Months returns the month to train on and the month to validate on.
func (d Date) Months() (train, valid data.Month) { return d.Month.Add(-2), d.Month.Add(-1) }

// experiment is the experiment's name in a run that was due at start.
func (p TrainParams) experiment(start time.Time) string {
	return strings.ReplaceAll(p.Experiment, "{expected_start_time}", start.UTC().Format(time.RFC3339))
}

func (p TrainParams) parent(c *engine.Ctx) parentRun {
	return parentRun{
		Experiment: p.experiment(c.ExpectedStart()), FlowRunID: c.RunID(),
		RunName: fmt.Sprintf("train %s (%s)", p.Date, c.RunName()),
		Params: []registry.Param{
			{Key: "date", Value: p.Date}, {Key: "gate", Value: p.Gate},
			{Key: "search", Value: string(cmp.Or(p.Method, TPE))}, {Key: "trials", Value: strconv.Itoa(p.TrialCount)},
			{Key: "seed", Value: strconv.FormatUint(p.Seed, 10)}, {Key: "batch", Value: strconv.Itoa(max(p.Batch, 1))},
			{Key: "encodings", Value: spell(p.encodings())},
		},
	}
}

func (p TrainParams) staging(c *engine.Ctx) staging {
	return staging{Model: p.Model, Date: p.Date, At: c.ExpectedStart(), Experiment: p.experiment(c.ExpectedStart())}
}
