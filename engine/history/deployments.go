package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

const deploymentColumns = `id, spec, created, updated`

func scanDeployment(row scanner) (d schedule.Record, err error) {
	var spec string
	var created, updated sql.NullInt64
	if err := row.Scan(&d.ID, &spec, &created, &updated); err != nil {
		return d, err
	}
	d.Created, d.Updated = fromMicros(created), fromMicros(updated)
	return d, json.Unmarshal([]byte(spec), &d.Spec)
}

// change runs do in a transaction, and tells those who wait for changes.
func (s *Store) change(do func(tx *sqlite.Tx) error) error {
	err := s.writer.write(func(b *batch) error { return do(b.tx) })
	if err == nil {
		s.watch.wake()
	}
	return err
}

// ApplyDeployments creates the deployments, or updates those that are there by
// the same flow and name: all of them or, where one is not valid, none. Runs that
// a schedule has made ahead are made anew where the deployment has changed; runs
// that have begun, or were asked for by hand, stay as they are.
func (s *Store) ApplyDeployments(ctx context.Context, list []schedule.Deployment) (applied []schedule.Record, err error) {
	for _, d := range list {
		if _, err := d.Normalize(now()); err != nil {
			return nil, fmt.Errorf("deployment %s: %w", d.Ref(), err)
		}
	}
	err = s.change(func(tx *sqlite.Tx) error {
		applied = nil
		for _, d := range list {
			kept, err := s.apply(ctx, tx, d)
			if err != nil {
				return fmt.Errorf("deployment %s: %w", d.Ref(), err)
			}
			applied = append(applied, kept)
		}
		return nil
	})
	return applied, err
}

func (s *Store) apply(ctx context.Context, tx *sqlite.Tx, d schedule.Deployment) (schedule.Record, error) {
	at := now()
	old, err := scanDeployment(tx.QueryRowContext(ctx, `SELECT `+deploymentColumns+` FROM deployment WHERE flow = ? AND name = ?`, d.Flow, d.Name))
	isNew := errors.Is(err, sql.ErrNoRows)
	if err != nil && !isNew {
		return old, err
	}
	if isNew {
		old = schedule.Record{ID: engine.NewID(), Created: at}
	}
	next := old
	if next.Spec, err = d.Keep(old.Spec, at); err != nil {
		return old, fmt.Errorf("%w: %w", errRefused, err)
	}
	if !isNew && reflect.DeepEqual(next.Spec, old.Spec) {
		return old, nil
	}
	next.Updated = at
	return next, s.putDeployment(ctx, tx, next)
}

// putDeployment writes a deployment that is new or has changed, and plans its runs
// anew in the same transaction: nobody plans by what it was before.
func (s *Store) putDeployment(ctx context.Context, tx *sqlite.Tx, d schedule.Record) error {
	spec, err := d.Spec.MarshalJSON() // as it was written, without HTML escapes
	if err != nil {
		return err
	}
	if err := ensureQueue(ctx, tx, d.Spec.Pool, d.Spec.Queue); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO deployment (id, flow, name, spec, slots, collision, created, updated, planned, replan)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8)
		ON CONFLICT (id) DO UPDATE SET spec = ?4, slots = ?5, collision = ?6, updated = ?8, planned = ?8, replan = ?8`,
		d.ID, d.Spec.Flow, d.Spec.Name, string(spec), d.Spec.Limit, d.Spec.Collision, micros(d.Created), micros(d.Updated))
	if err != nil {
		return fmt.Errorf("record deployment %s: %w", d.Spec.Ref(), err)
	}
	if err := dropAhead(ctx, tx, d.Spec, d.Updated); err != nil {
		return err
	}
	_, err = s.plan(ctx, tx, d, d.Updated, d.Updated)
	return err
}

// dropAhead deletes the runs that schedules have made ahead of at and that nobody
// has touched since.
func dropAhead(ctx context.Context, tx *sqlite.Tx, d schedule.Deployment, at time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM flow_run WHERE flow = ? AND deployment = ? AND schedule <> '' AND expected_start > ?
		AND state_type = 'SCHEDULED' AND state_name IN ('Scheduled', 'Late') AND attempts = 0 AND owner = '' AND worker = ''`, d.Flow, d.Name, micros(at))
	if err != nil {
		return fmt.Errorf("take back the runs ahead of deployment %s: %w", d.Ref(), err)
	}
	return nil
}

// Deployments returns all deployments, by flow and name.
func (s *Store) Deployments(ctx context.Context) ([]schedule.Record, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+deploymentColumns+` FROM deployment ORDER BY flow, name`)
	return collect(rows, err, scanDeployment)
}

// FindDeployment returns the one deployment that ref names: flow/name, a name that
// only one has, an ID, or a unique prefix of one (4 characters at least).
func (s *Store) FindDeployment(ctx context.Context, ref string) (schedule.Record, error) {
	prefix := ref
	if len(ref) < 4 {
		prefix = "-" // no ID begins like this
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+deploymentColumns+` FROM deployment
		WHERE flow || '/' || name = ?1 OR name = ?1 OR substr(id, 1, length(?2)) = ?2 ORDER BY flow, name LIMIT 6`, ref, prefix)
	list, err := collect(rows, err, scanDeployment)
	if err != nil {
		return schedule.Record{}, fmt.Errorf("read deployment %s: %w", ref, err)
	}
	var names []string
	for _, d := range list {
		if len(list) == 1 || d.ID == ref || d.Spec.Ref() == ref {
			return d, nil
		}
		names = append(names, d.Spec.Ref())
	}
	if len(list) == 0 {
		return schedule.Record{}, fmt.Errorf("deployment %q: %w", ref, engine.ErrNotFound)
	}
	return schedule.Record{}, fmt.Errorf("deployment %q is %w: %s", ref, engine.ErrAmbiguous, strings.Join(names, ", "))
}

// ChangeDeployment lets edit change the deployment, and keeps what comes out. edit
// may run more than once. Flow and name stay as they are.
func (s *Store) ChangeDeployment(ctx context.Context, id string, edit func(*schedule.Deployment) error) (kept schedule.Record, err error) {
	err = s.change(func(tx *sqlite.Tx) error {
		old, err := deploymentByID(ctx, tx, id)
		if err != nil {
			return err
		}
		edited := old.Spec
		edited.Schedules = append([]schedule.Schedule(nil), old.Spec.Schedules...)
		if err := edit(&edited); err != nil {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
		edited.Flow, edited.Name = old.Spec.Flow, old.Spec.Name
		kept, err = s.apply(ctx, tx, edited)
		return err
	})
	return kept, err
}

func deploymentByID(ctx context.Context, q querier, id string) (schedule.Record, error) {
	d, err := scanDeployment(q.QueryRowContext(ctx, `SELECT `+deploymentColumns+` FROM deployment WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return d, fmt.Errorf("deployment %s: %w", id, engine.ErrNotFound)
	}
	return d, err
}

// DeleteDeployment deletes the deployment and the runs that its schedules have
// made ahead. Other runs stay.
func (s *Store) DeleteDeployment(ctx context.Context, id string) error {
	return s.change(func(tx *sqlite.Tx) error {
		d, err := deploymentByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := dropAhead(ctx, tx, d.Spec, time.Unix(0, 0)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM deployment WHERE id = ?`, id)
		return err
	})
}
