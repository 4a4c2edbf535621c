package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

const flowRunColumns = `id, flow, name, parent_id, parent_key, root_id, parameters, version, refresh,
	state_type, state_name, state_message, state_time, attempts, created, expected_start, start_time, end_time, result,
	tags, deployment, idempotency_key, recoveries, next_start, ran, waiting`

func scanFlowRun(row scanner) (r engine.FlowRun, err error) {
	var parentID, parentKey, result, key, waiting sql.NullString
	var parameters, tags string
	var stateTime, created, expected, start, end, next sql.NullInt64
	var ran int64
	err = row.Scan(&r.ID, &r.Flow, &r.Name, &parentID, &parentKey, &r.RootID, &parameters, &r.Version, &r.Refresh,
		&r.State.Type, &r.State.Name, &r.State.Message, &stateTime, &r.Attempts, &created, &expected, &start, &end, &result,
		&tags, &r.Deployment, &key, &r.Recoveries, &next, &ran, &waiting)
	if err != nil {
		return r, err
	}
	r.ParentID, r.ParentKey, r.IdempotencyKey = parentID.String, parentKey.String, key.String
	r.Parameters = []byte(parameters)
	r.State.Time, r.Created, r.ExpectedStart = fromMicros(stateTime), fromMicros(created), fromMicros(expected)
	r.Start, r.End, r.NextStart = fromMicros(start), fromMicros(end), fromMicros(next)
	r.Ran = time.Duration(ran) * time.Microsecond
	if result.Valid {
		r.Result = []byte(result.String)
	}
	if r.Tags, err = fromList(tags); err != nil {
		return r, err
	}
	if waiting.Valid {
		err = json.Unmarshal([]byte(waiting.String), &r.Waiting)
	}
	return r, err
}

// list is how lists of words are stored.
func list(words []string) string {
	if len(words) == 0 {
		return "[]"
	}
	data, _ := json.Marshal(words) // strings cannot fail
	return string(data)
}

func fromList(text string) (words []string, err error) {
	if text == "[]" || text == "null" {
		return nil, nil
	}
	return words, json.Unmarshal([]byte(text), &words)
}

func waitingText(w *engine.Waiting) (sql.NullString, error) {
	if w == nil {
		return sql.NullString{}, nil
	}
	data, err := json.Marshal(w)
	return text(string(data)), err
}

// CreateFlowRun implements engine.History.
func (s *Store) CreateFlowRun(ctx context.Context, r engine.FlowRun) (engine.FlowRun, error) {
	if err := s.owner.hold(); err != nil {
		return r, fmt.Errorf("own flow run %s: %w", r.ID, err)
	}
	made := r
	err := s.writer.write(func(b *batch) (err error) {
		made, err = s.insertFlowRun(ctx, b.tx, r)
		return err
	})
	return made, err
}

// insertFlowRun records a new run, or finds the one with the same idempotency
// key. A run that is SCHEDULED is nobody's, as one that has ended.
func (s *Store) insertFlowRun(ctx context.Context, tx *sqlite.Tx, r engine.FlowRun) (engine.FlowRun, error) {
	if r.IdempotencyKey != "" {
		there, err := oneFlowRun(ctx, tx, `idempotency_key = ?`, r.IdempotencyKey)
		if err == nil || !errors.Is(err, engine.ErrNotFound) {
			return there, err
		}
	}
	if err := engine.CheckFlow(engine.State{}, r.State); err != nil {
		return r, err
	}
	if r.RootID != r.ID {
		if err := s.mayWrite(ctx, tx, r.RootID); err != nil {
			return r, err
		}
	}
	owner, pid := s.owner.id, s.owner.pid
	if r.State.Released() {
		owner, pid = "", 0
	}
	waiting, err := waitingText(r.Waiting)
	if err != nil {
		return r, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO flow_run (`+flowRunColumns+`, owner, owner_pid)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		r.ID, r.Flow, r.Name, text(r.ParentID), text(r.ParentKey), r.RootID, string(r.Parameters), r.Version, r.Refresh,
		r.State.Type, r.State.Name, r.State.Message, r.State.Time.UnixMicro(), r.Attempts,
		micros(r.Created), micros(r.ExpectedStart), micros(r.Start), micros(r.End), text(string(r.Result)),
		list(r.Tags), r.Deployment, text(r.IdempotencyKey), r.Recoveries, micros(r.NextStart), r.Ran.Microseconds(), waiting,
		owner, pid)
	if err != nil {
		return r, fmt.Errorf("create flow run %s: %w", r.ID, err)
	}
	return r, appendState(ctx, tx, r.ID, "", r.State)
}

// FlowRun implements engine.History.
func (s *Store) FlowRun(ctx context.Context, id string) (engine.FlowRun, error) {
	return oneFlowRun(ctx, s.db.Read(), `id = ?`, id)
}

// Subflow implements engine.History.
func (s *Store) Subflow(ctx context.Context, parentID, key string) (engine.FlowRun, error) {
	return oneFlowRun(ctx, s.db.Read(), `parent_id = ? AND parent_key = ?`, parentID, key)
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func oneFlowRun(ctx context.Context, q querier, where string, args ...any) (engine.FlowRun, error) {
	run, err := scanFlowRun(q.QueryRowContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return run, fmt.Errorf("flow run %s: %w", args[0], engine.ErrNotFound)
	}
	if err != nil {
		return run, fmt.Errorf("read flow run %s: %w", args[0], err)
	}
	return run, nil
}

const updateFlowRun = `UPDATE flow_run SET name = ?, state_type = ?, state_name = ?, state_message = ?, state_time = ?,
		attempts = ?, start_time = ?, end_time = ?, result = ?, recoveries = ?, next_start = ?, ran = ?, waiting = ?,
		owner = CASE WHEN ? THEN '' ELSE owner END
	WHERE id = ? AND state_time = ? AND state_name = ?`

// PutFlowRun implements engine.History.
func (s *Store) PutFlowRun(ctx context.Context, r engine.FlowRun, from engine.State) error {
	return s.writer.write(func(b *batch) error {
		if err := b.mayWrite(s, r.ID); err != nil {
			return err
		}
		if r.State != from {
			if err := engine.CheckFlow(from, r.State); err != nil {
				return named(err, r.ID)
			}
		}
		done, err := putFlowRun(ctx, b.exec, r, from)
		if err != nil {
			return err
		}
		if !done {
			now, err := oneFlowRun(ctx, b.tx, `id = ?`, r.ID)
			if err != nil {
				return err
			}
			return &engine.TransitionError{Run: r.ID, From: now.State, To: r.State}
		}
		if r.State != from {
			return appendState(ctx, b.tx, r.ID, "", r.State)
		}
		return nil
	})
}

// putFlowRun replaces the record of a run that is in state from. It reports
// whether it was.
func putFlowRun(_ context.Context, exec func(string, ...any) (sql.Result, error), r engine.FlowRun, from engine.State) (bool, error) {
	waiting, err := waitingText(r.Waiting)
	if err != nil {
		return false, err
	}
	result, err := exec(updateFlowRun,
		r.Name, r.State.Type, r.State.Name, r.State.Message, r.State.Time.UnixMicro(),
		r.Attempts, micros(r.Start), micros(r.End), text(string(r.Result)), r.Recoveries, micros(r.NextStart), r.Ran.Microseconds(), waiting,
		r.State.Released() && !r.State.Type.Final() && r.RootID == r.ID, r.ID, from.Time.UnixMicro(), from.Name)
	if err != nil {
		return false, fmt.Errorf("record flow run %s: %w", r.ID, err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// named says in a refusal which run it is about.
func named(err error, run string) error {
	var refused *engine.TransitionError
	if errors.As(err, &refused) {
		refused.Run = run
	}
	return err
}
