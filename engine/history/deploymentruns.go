package history

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

// DeploymentRuns returns the newest runs of a deployment, newest first, or those
// that are still to begin, the next first.
func (s *Store) DeploymentRuns(ctx context.Context, d schedule.Deployment, upcoming bool, limit int) ([]engine.FlowRun, error) {
	where := `ORDER BY created DESC, expected_start DESC`
	if upcoming {
		where = `AND state_type = 'SCHEDULED' ORDER BY coalesce(next_start, 0), expected_start`
	} else {
		where = `AND NOT (state_type = 'SCHEDULED' AND attempts = 0) ` + where
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run
		WHERE flow = ? AND deployment = ? AND deployment <> '' AND parent_id IS NULL `+where+`, id LIMIT ?`, d.Flow, d.Name, limit)
	return collect(rows, err, scanFlowRun)
}

// RunDeployment makes a run of the deployment, for a worker to carry out.
func (s *Store) RunDeployment(ctx context.Context, id string, r schedule.RunRequest) (run engine.FlowRun, err error) {
	err = s.change(func(tx *sqlite.Tx) error {
		d, err := deploymentByID(ctx, tx, id)
		if err != nil {
			return err
		}
		params, err := d.Spec.RunParameters(nil, r.Parameters)
		if err != nil {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
		run = newRun(d.Spec, params, orTime(r.At, now()))
		if r.Name != "" {
			run.Name = r.Name
		}
		run.Tags = append(append([]string(nil), d.Spec.Tags...), r.Tags...)
		run.ExpectedStart = orTime(r.ExpectedStart, run.NextStart)
		run.IdempotencyKey = r.IdempotencyKey
		run, _, err = s.insertWork(ctx, tx, d.Spec, "", run)
		return err
	})
	return run, err
}

func orTime(t, def time.Time) time.Time {
	if t.IsZero() {
		return def
	}
	return t.UTC().Truncate(time.Microsecond)
}

// newRun is a run of d that is due at.
func newRun(d schedule.Deployment, params json.RawMessage, at time.Time) engine.FlowRun {
	created := now()
	run := engine.FlowRun{
		ID: engine.NewID(), Flow: d.Flow, Name: engine.RunName(), Deployment: d.Name, Parameters: params, Tags: d.Tags,
		Created: created, ExpectedStart: at, NextStart: at,
		State: engine.State{Type: engine.TypeScheduled, Name: engine.NameScheduled, Time: created},
	}
	run.RootID = run.ID
	return run
}

// insertWork records a run in the deployment's pool and queue, or finds the one
// with the same idempotency key: made is then false.
func (s *Store) insertWork(ctx context.Context, tx *sqlite.Tx, d schedule.Deployment, slug string, run engine.FlowRun) (there engine.FlowRun, made bool, err error) {
	there, err = s.insertFlowRun(ctx, tx, run)
	if err != nil || there.ID != run.ID {
		return there, false, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE flow_run SET pool = ?, queue = ?, schedule = ? WHERE id = ?`, d.Pool, d.Queue, slug, run.ID)
	if err != nil {
		return there, false, fmt.Errorf("record a run of deployment %s: %w", d.Ref(), err)
	}
	return there, true, nil
}

// Backfill makes a run for each instant, due now, the oldest first. Each takes its
// dates from its instant. Instants that had a run are counted in there.
func (s *Store) Backfill(ctx context.Context, id string, b schedule.Backfill) (runs []engine.FlowRun, there int, err error) {
	err = s.change(func(tx *sqlite.Tx) error {
		runs, there = nil, 0
		d, err := deploymentByID(ctx, tx, id)
		if err != nil {
			return err
		}
		schedules := d.Spec.Schedules
		if b.Schedule != nil {
			schedules = []schedule.Schedule{*b.Schedule}
		}
		if len(schedules) == 0 {
			return fmt.Errorf("%w: deployment %s has no schedule: say when its runs would have been due", errRefused, d.Spec.Ref())
		}
		begin := now()
		type due struct {
			instants []time.Time
			params   json.RawMessage
		}
		all := make([]due, len(schedules)) // all are looked at before any run is made
		for i, sch := range schedules {
			instants, err := sch.Between(b.From.Add(-1), b.To, maxBackfill+1)
			if err != nil {
				return fmt.Errorf("%w: %w", errRefused, err)
			}
			if len(instants) > maxBackfill {
				return fmt.Errorf("%w: more than %d runs: take a shorter range", errRefused, maxBackfill)
			}
			params, err := d.Spec.RunParameters(&sch, nil)
			if err != nil {
				return fmt.Errorf("%w: %w", errRefused, err)
			}
			all[i] = due{instants, params}
		}
		for i, sch := range schedules {
			for _, at := range all[i].instants {
				run := newRun(d.Spec, all[i].params, at)
				run.NextStart = begin
				run.Tags = append(append([]string(nil), d.Spec.Tags...), "backfill")
				run.IdempotencyKey = runKey(d.Spec, sch.Slug, at)
				if b.Again {
					run.IdempotencyKey += " again " + run.ID
				}
				kept, made, err := s.insertWork(ctx, tx, d.Spec, "", run)
				if err != nil {
					return err
				}
				if !made {
					there++
					continue
				}
				runs = append(runs, kept)
			}
		}
		return nil
	})
	return runs, there, err
}

const maxBackfill = 1000

// runKey identifies the run that a schedule makes for an instant.
func runKey(d schedule.Deployment, slug string, at time.Time) string {
	return fmt.Sprintf("scheduled %s %s %s", d.Ref(), slug, at.UTC().Format(time.RFC3339Nano))
}
