package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

var _ worker.Planner = (*Store)(nil)

// lateAfter is how long after it was due a run that nobody has begun is late.
const lateAfter = 15 * time.Second

// replanEvery is how long a deployment is left alone that has nothing ahead.
const replanEvery = 24 * time.Hour

// Plan implements worker.Planner.
func (s *Store) Plan(ctx context.Context, at time.Time) (next time.Time, err error) {
	at = at.UTC().Truncate(time.Microsecond)
	if err := s.sweep(ctx, at); err != nil {
		return next, err
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id FROM deployment WHERE replan <= ?1 OR planned > ?1`, micros(at))
	due, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return next, fmt.Errorf("look for deployments to plan: %w", err)
	}
	var errs []error // one deployment that cannot be planned does not keep the others
	for _, id := range due {
		if err := s.planOne(ctx, id, at); err != nil && !errors.Is(err, engine.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	if err := s.skip(ctx, at); err != nil {
		return next, err
	}
	if err := s.markLate(ctx, at); err != nil {
		return next, err
	}
	if err := s.dropEvents(ctx); err != nil {
		return next, err
	}
	var replan, late sql.NullInt64
	err = s.db.Read().QueryRowContext(ctx, `SELECT (SELECT min(replan) FROM deployment),
		(SELECT min(coalesce(next_start, 0)) FROM flow_run WHERE `+waitingWork+` AND state_name = 'Scheduled')`).Scan(&replan, &late)
	if err != nil {
		return next, fmt.Errorf("look for what to plan next: %w", err)
	}
	next = fromMicros(replan)
	if t := fromMicros(late); late.Valid && (next.IsZero() || t.Add(lateAfter).Before(next)) {
		next = t.Add(lateAfter)
	}
	return next, errors.Join(errs...)
}

func (s *Store) planOne(ctx context.Context, id string, at time.Time) error {
	return s.change(func(tx *sqlite.Tx) error {
		var planned sql.NullInt64
		d, err := deploymentByID(ctx, tx, id)
		if err == nil {
			err = tx.QueryRowContext(ctx, `SELECT planned FROM deployment WHERE id = ?`, id).Scan(&planned)
		}
		if err != nil {
			return err
		}
		_, err = s.plan(ctx, tx, d, fromMicros(planned), at)
		return err
	})
}

// plan makes the runs that the schedules of d want: those ahead of at, and those
// that were missed since.
func (s *Store) plan(ctx context.Context, tx *sqlite.Tx, d schedule.Record, since, at time.Time) (made int, err error) {
	replan := at.Add(replanEvery)
	horizon := schedule.DefaultHorizon
	for _, sch := range d.Spec.Schedules {
		if d.Spec.Paused || sch.Inactive {
			continue
		}
		missed, err := horizon.Missed(sch, d.Spec.CatchUp, since, at)
		if err != nil {
			return made, fmt.Errorf("plan deployment %s: %w", d.Spec.Ref(), err)
		}
		ahead, err := horizon.Upcoming(sch, at)
		if err != nil {
			return made, fmt.Errorf("plan deployment %s: %w", d.Spec.Ref(), err)
		}
		if len(ahead) > 0 && ahead[0].Before(replan) {
			replan = ahead[0]
		}
		n, err := s.makeRuns(ctx, tx, d.Spec, sch, append(missed, ahead...))
		if err != nil {
			return made, err
		}
		made += n
	}
	_, err = tx.ExecContext(ctx, `UPDATE deployment SET planned = ?, replan = ? WHERE id = ?`, micros(at), micros(replan), d.ID)
	return made, err
}

// makeRuns makes the runs of a schedule that are not there yet.
func (s *Store) makeRuns(ctx context.Context, tx *sqlite.Tx, d schedule.Deployment, sch schedule.Schedule, instants []time.Time) (made int, err error) {
	if len(instants) == 0 {
		return 0, nil
	}
	rows, err := tx.QueryContext(ctx, `SELECT expected_start FROM flow_run
		WHERE flow = ? AND deployment = ? AND deployment <> '' AND schedule = ? AND expected_start >= ?`, d.Flow, d.Name, sch.Slug, micros(instants[0]))
	list, err := collect(rows, err, func(row scanner) (at int64, err error) { return at, row.Scan(&at) })
	if err != nil {
		return 0, fmt.Errorf("read the runs ahead of deployment %s: %w", d.Ref(), err)
	}
	there := map[int64]bool{}
	for _, at := range list {
		there[at] = true
	}
	params, err := d.RunParameters(&sch, nil)
	if err != nil {
		return 0, err
	}
	for _, at := range instants {
		if there[at.UnixMicro()] {
			continue
		}
		run := newRun(d, params, at)
		run.Tags = append(append([]string(nil), d.Tags...), "auto-scheduled")
		run.IdempotencyKey = runKey(d, sch.Slug, at)
		_, isNew, err := s.insertWork(ctx, tx, d, sch.Slug, run)
		if err != nil {
			return made, err
		}
		if isNew {
			made++
		}
	}
	return made, nil
}

// waitingWork are runs that wait for a worker.
const waitingWork = `state_type = 'SCHEDULED' AND parent_id IS NULL AND owner = '' AND worker = ''`

// NameSkipped is the name of the state of a run that was left out, because its
// deployment does not catch up on it.
const NameSkipped = "Skipped"

// skip leaves out runs that have not begun and that their deployments do not catch
// up on.
func (s *Store) skip(ctx context.Context, at time.Time) error {
	deployments, err := s.Deployments(ctx)
	if err != nil {
		return err
	}
	for _, d := range deployments {
		if d.Spec.CatchUp == (schedule.CatchUp{}) {
			continue
		}
		var due int
		err := s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM flow_run WHERE flow = ? AND deployment = ? AND deployment <> ''
			AND `+skippable, d.Spec.Flow, d.Spec.Name, micros(at)).Scan(&due)
		if err == nil && due > 0 {
			err = s.change(func(tx *sqlite.Tx) error { return s.skipOf(ctx, tx, d.Spec, at) })
		}
		if err != nil {
			return fmt.Errorf("catch up on deployment %s: %w", d.Spec.Ref(), err)
		}
	}
	return nil
}

const skippable = waitingWork + ` AND schedule <> '' AND attempts = 0 AND coalesce(next_start, 0) <= ?`

func (s *Store) skipOf(ctx context.Context, tx *sqlite.Tx, d schedule.Deployment, at time.Time) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, expected_start, (SELECT max(other.expected_start) FROM flow_run other
			WHERE other.flow = flow_run.flow AND other.deployment = flow_run.deployment AND other.deployment <> ''
				AND other.schedule = flow_run.schedule AND other.expected_start <= ?3)
		FROM flow_run WHERE flow = ?1 AND deployment = ?2 AND deployment <> '' AND `+
		`state_type = 'SCHEDULED' AND parent_id IS NULL AND owner = '' AND worker = '' AND schedule <> '' AND attempts = 0 AND coalesce(next_start, 0) <= ?3`,
		d.Flow, d.Name, micros(at))
	type candidate struct {
		id          string
		due, newest sql.NullInt64
	}
	list, err := collect(rows, err, func(row scanner) (c candidate, err error) { return c, row.Scan(&c.id, &c.due, &c.newest) })
	if err != nil {
		return err
	}
	for _, c := range list {
		due, newest := fromMicros(c.due), fromMicros(c.newest)
		if !d.CatchUp.Skips(due, newest, at) {
			continue
		}
		reason := fmt.Sprintf("due %s ago, and its deployment skips what is older than %s", at.Sub(due).Round(time.Second), d.CatchUp.OlderThan)
		if d.CatchUp.Latest && due.Before(newest) {
			reason = "a later run is due, and its deployment catches up on the latest only"
		}
		if err := s.enter(ctx, tx, c.id, at, engine.TypeCancelled, NameSkipped, reason, nil); err != nil {
			return err
		}
	}
	return nil
}

// enter takes a run that nobody carries out to a state.
func (s *Store) enter(ctx context.Context, tx *sqlite.Tx, id string, at time.Time, t engine.StateType, name, message string, change func(*engine.FlowRun)) error {
	run, err := oneFlowRun(ctx, tx, `id = ?`, id)
	if err != nil {
		return err
	}
	next := run
	next.State = engine.After(run.State, at, t, name, message)
	if err := engine.CheckFlow(run.State, next.State); err != nil {
		return named(err, id)
	}
	next.End = time.Time{}
	if t.Final() {
		next.End = next.State.Time
	}
	if change != nil {
		change(&next)
	}
	_, err = s.record(ctx, tx, run, next, []engine.State{next.State})
	return err
}

// markLate says of runs that are due for a while why nobody has begun them.
func (s *Store) markLate(ctx context.Context, at time.Time) error {
	const late = waitingWork + ` AND state_name = 'Scheduled' AND coalesce(next_start, 0) <= ?`
	limit := micros(at.Add(-lateAfter))
	var some bool
	if err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM flow_run WHERE `+late+`)`, limit).Scan(&some); err != nil || !some {
		return err
	}
	return s.change(func(tx *sqlite.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id FROM flow_run WHERE `+late+` ORDER BY coalesce(next_start, 0) LIMIT 1000`, limit)
		ids, err := collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
		if err != nil {
			return fmt.Errorf("look for late runs: %w", err)
		}
		for _, id := range ids {
			why, err := s.why(ctx, tx, id, at)
			if err != nil {
				return err
			}
			if err := s.enter(ctx, tx, id, at, engine.TypeScheduled, engine.NameLate, why, nil); err != nil {
				return err
			}
		}
		return nil
	})
}
