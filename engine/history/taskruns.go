package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/taximeter/taximeter/engine"
)

const taskRunColumns = `flow_run_id, key, name, call_order, state_type, state_name, state_message, state_time, attempts, input_digest,
	codec, digest, size, ref, cached_from, subflow_id, depends_on, start_time, end_time, run_name, kind, tags, after, ran`

func scanTaskRun(row scanner) (t engine.TaskRun, err error) {
	var codec, digest, ref sql.NullString
	var size, stateTime, start, end sql.NullInt64
	var dependsOn, tags, after string
	var ran int64
	err = row.Scan(&t.FlowRunID, &t.Key, &t.Name, &t.Order, &t.State.Type, &t.State.Name, &t.State.Message, &stateTime, &t.Attempts, &t.InputDigest,
		&codec, &digest, &size, &ref, &t.CachedFrom, &t.SubflowID, &dependsOn, &start, &end, &t.RunName, &t.Kind, &tags, &after, &ran)
	if err != nil {
		return t, err
	}
	t.State.Time, t.Start, t.End = fromMicros(stateTime), fromMicros(start), fromMicros(end)
	t.Ran = time.Duration(ran) * time.Microsecond
	if ref.Valid {
		t.Result = &engine.Result{Codec: codec.String, Digest: digest.String, Size: size.Int64, Ref: ref.String}
	}
	for words, to := range map[*string]*[]string{&dependsOn: &t.DependsOn, &tags: &t.Tags, &after: &t.After} {
		if *to, err = fromList(*words); err != nil {
			return t, err
		}
	}
	return t, nil
}

// TaskRuns implements engine.History.
func (s *Store) TaskRuns(ctx context.Context, flowRunID string) ([]engine.TaskRun, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+taskRunColumns+` FROM task_run WHERE flow_run_id = ? ORDER BY call_order, seq`, flowRunID)
	return collect(rows, err, scanTaskRun)
}

// taskWrite is one write of a call's record, which may have absorbed others of
// the same call that came just before.
type taskWrite struct {
	store *Store
	engine.TaskPut
	states   []engine.State
	absorbed []*op
}

// PutTaskRun implements engine.History. A large result becomes a file before
// the transaction that names it begins.
func (s *Store) PutTaskRun(ctx context.Context, put engine.TaskPut) error {
	states, err := put.States()
	if err != nil {
		return err
	}
	if r := put.Task.Result; r != nil && len(r.Data) > inlineSize {
		if err := s.putBlob(ctx, *r); err != nil {
			return err
		}
	}
	return s.writer.add(&op{put: &taskWrite{store: s, TaskPut: put, states: states}, lazy: put.Lazy})
}

// merged makes one write of all those of one call in a batch: a task that starts
// and ends within one batch is written once, with all its states.
func merged(ops []*op) []*op {
	if len(ops) == 1 {
		return ops
	}
	last := make(map[engine.Holder]int, len(ops)) // where in kept
	kept := make([]*op, 0, len(ops))
	for _, o := range ops {
		if o.put != nil {
			h := engine.Holder{FlowRunID: o.put.Task.FlowRunID, TaskKey: o.put.Task.Key}
			if i, ok := last[h]; ok && kept[i].put.Task.State == o.put.From && kept[i].put.store.owner.id == o.put.store.owner.id {
				o = joined(kept[i], o)
				kept[i] = nil
			}
			last[h] = len(kept)
		}
		kept = append(kept, o)
	}
	return slices.DeleteFunc(kept, func(o *op) bool { return o == nil })
}

// joined is one write in place of two of one call.
func joined(before, o *op) *op {
	put := *o.put
	put.From = before.put.From
	put.states = append(before.put.states[:len(before.put.states):len(before.put.states)], o.put.states...)
	put.absorbed = append(before.put.absorbed[:len(before.put.absorbed):len(before.put.absorbed)], before, o)
	if put.Entry == nil {
		put.Entry = before.put.Entry
	}
	if r, b := put.Task.Result, before.put.Task.Result; r != nil && b != nil && r.Data == nil && r.Ref == b.Ref {
		put.Task.Result = b
	}
	return &op{put: &put}
}

const (
	insertTask = `INSERT INTO task_run (` + taskRunColumns + `, states) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`
	updateTask = `UPDATE task_run SET name = ?, call_order = ?, state_type = ?, state_name = ?, state_message = ?, state_time = ?,
		attempts = ?, input_digest = ?, codec = ?, digest = ?, size = ?, ref = ?, cached_from = ?, subflow_id = ?, depends_on = ?,
		start_time = ?, end_time = ?, run_name = ?, kind = ?, tags = ?, after = ?, ran = ?
		WHERE flow_run_id = ? AND key = ? AND state_time = ? AND state_name = ?`
)

// putTask carries out a write of a call's record, if the call is in the state that
// it comes from.
func (b *batch) putTask(w *taskWrite) error {
	t := w.Task
	if err := b.mayWrite(w.store, t.FlowRunID); err != nil {
		return err
	}
	var r engine.Result
	if t.Result != nil {
		r = *t.Result
	}
	isNew := w.From.Type == ""
	args := b.args[:0]
	if isNew {
		args = append(args, t.FlowRunID, t.Key)
	}
	args = append(args, t.Name, t.Order, t.State.Type, t.State.Name, t.State.Message, t.State.Time.UnixMicro(), t.Attempts, t.InputDigest,
		text(r.Codec), text(r.Digest), sql.NullInt64{Int64: r.Size, Valid: t.Result != nil}, text(r.Ref), t.CachedFrom, t.SubflowID,
		list(t.DependsOn), micros(t.Start), micros(t.End), t.RunName, kind(t.Kind), list(t.Tags), list(t.After), t.Ran.Microseconds())
	query := insertTask
	if isNew {
		args = append(args, packStates(w.states))
	} else {
		query, args = updateTask, append(args, t.FlowRunID, t.Key, w.From.Time.UnixMicro(), w.From.Name)
	}
	b.args = args
	done, err := b.exec(query, args...)
	if err != nil {
		return fmt.Errorf("record task %s of flow run %s: %w", t.Key, t.FlowRunID, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, b.moved(t))
	}
	if _, inline := r.Inline(); r.Data != nil || r.Ref != "" && !inline && w.store.owner.leased { // then its bytes came before
		if err := b.putResult(r); err != nil {
			return err
		}
	}
	if w.Entry != nil {
		if err := b.putCache(*w.Entry); err != nil {
			return err
		}
	}
	for _, state := range w.states {
		if isNew {
			err = b.tell(t, state)
		} else {
			err = appendState(context.Background(), b.tx, t.FlowRunID, t.Key, state)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func kind(k engine.Kind) engine.Kind {
	if k == "" {
		return engine.KindTask
	}
	return k
}

// moved refuses a write of a call that is in another state than it was written
// from.
func (b *batch) moved(t engine.TaskRun) error {
	rows, err := b.tx.QueryContext(context.Background(), `SELECT `+taskRunColumns+` FROM task_run WHERE flow_run_id = ? AND key = ?`, t.FlowRunID, t.Key)
	there, err := collect(rows, err, scanTaskRun)
	if err != nil {
		return err
	}
	refused := &engine.TransitionError{Run: t.FlowRunID + " " + t.Key, To: t.State}
	if len(there) > 0 {
		refused.From = there[0].State
	}
	return refused
}
