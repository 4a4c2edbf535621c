package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
)

// Report is a training as one object. It is made from the records alone, so that
// a run that failed, or ran yesterday, is reported like one that just ended.
type Report struct {
	Schema     int          `json:"schema"` // 1
	FlowRunID  string       `json:"flow_run_id"`
	State      string       `json:"state"`
	Error      *string      `json:"error"` // null: none
	Date       string       `json:"date"`
	Experiment string       `json:"experiment"`
	Train      MonthReport  `json:"train"`
	Valid      MonthReport  `json:"valid"`
	Runs       []TrackedRun `json:"runs"`
	Chosen     *Staged      `json:"chosen"`
	Tasks      []TaskReport `json:"tasks"`
}

// MonthReport is a month of a Report. What is not known yet is zero.
type MonthReport struct {
	Month    data.Month `json:"month"`
	Path     string     `json:"path"`
	SHA256   string     `json:"sha256"`
	RowsRead int        `json:"rows_read"`
	RowsKept int        `json:"rows_kept"`
}

// TaskReport is a call of a Report. The calls of a subflow follow its own.
type TaskReport struct {
	Key        string  `json:"key"`
	Name       string  `json:"name"`
	State      string  `json:"state"`
	Attempts   int     `json:"attempts"`
	Seconds    float64 `json:"seconds"`
	CachedFrom string  `json:"cached_from,omitempty"` // flow run that produced the result
}

// Records are what a report is made from. Every engine.History has them.
type Records interface {
	TaskRuns(ctx context.Context, flowRunID string) ([]engine.TaskRun, error)
	ReadResult(ctx context.Context, r engine.Result) ([]byte, error)
}

// NewReport reports the run of a training flow.
func NewReport(ctx context.Context, records Records, run engine.FlowRun) (Report, error) {
	p, err := ParamsOf(run)
	if err != nil {
		return Report{}, err
	}
	r := Report{
		Schema: 1, FlowRunID: run.ID, State: run.State.Name, Date: p.Date, Experiment: p.experiment(run.ExpectedStart),
		Train: MonthReport{Month: p.Train.Month, Path: p.Train.File}, Valid: MonthReport{Month: p.Valid.Month, Path: p.Valid.File},
		Runs: []TrackedRun{}, Tasks: []TaskReport{},
	}
	if run.State.Type.Final() && run.State.Type != engine.TypeCompleted {
		r.Error = &run.State.Message
	}
	return r, r.add(ctx, records, run.ID, "")
}

// add adds the calls of one flow run and of the subflows they made.
func (r *Report) add(ctx context.Context, records Records, flowRunID, prefix string) error {
	tasks, err := records.TaskRuns(ctx, flowRunID)
	if err != nil {
		return fmt.Errorf("report flow run %s: %w", flowRunID, err)
	}
	for _, t := range tasks {
		r.Tasks = append(r.Tasks, TaskReport{
			Key: prefix + t.Key, Name: t.Name, State: t.State.Name, Attempts: t.Attempts,
			Seconds: t.Duration(time.Now()).Seconds(), CachedFrom: t.CachedFrom,
		})
		if err := r.read(ctx, records, t); err != nil {
			return fmt.Errorf("report %s of flow run %s: %w", t.Key, flowRunID, err)
		}
		if t.SubflowID != "" {
			if err := r.add(ctx, records, t.SubflowID, prefix+t.Key+"/"); err != nil {
				return err
			}
		}
	}
	return nil
}

// read takes over what the result of a call says.
func (r *Report) read(ctx context.Context, records Records, t engine.TaskRun) error {
	if t.Result == nil || t.State.Type != engine.TypeCompleted {
		return nil
	}
	into := func(v any) error {
		b, err := records.ReadResult(ctx, *t.Result)
		if err != nil {
			return err
		}
		return json.Unmarshal(b, v)
	}
	month := &r.Train
	if strings.HasSuffix(t.Key, "[valid]") {
		month = &r.Valid
	}
	switch t.Name {
	case "Locate month":
		var f data.File
		if err := into(&f); err != nil {
			return err
		}
		month.Month, month.Path, month.SHA256 = f.Month, f.Path, f.SHA256
	case readTrips.Name:
		var m MonthFacts
		if err := into(&m); err != nil {
			return err
		}
		month.RowsRead, month.RowsKept = m.RowsRead, m.RowsKept
	case "Log run":
		var run TrackedRun
		if err := into(&run); err != nil {
			return err
		}
		r.Runs = append(r.Runs, run)
	case "Register and stage":
		return into(&r.Chosen)
	}
	return nil
}

// Name is the month for people: 2021-01, or the file's name.
func (m MonthReport) Name() string {
	if m.Month.IsZero() {
		return path.Base(m.Path)
	}
	return m.Month.String()
}
