package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Search returns the flow runs that q wants, newest first. It costs about the same
// wherever in the list one is.
func (s *Store) Search(ctx context.Context, q engine.RunQuery) ([]engine.FlowRun, error) {
	// One state at a time, each in the order of an index, or SQLite would sort all
	// runs of those states.
	states := q.States
	if len(states) == 0 || q.ParentID != "" {
		states = []engine.StateType{""}
	}
	var runs []engine.FlowRun
	for _, state := range slices.Compact(slices.Sorted(slices.Values(states))) {
		some, err := s.search(ctx, q, state)
		if err != nil {
			return nil, fmt.Errorf("list flow runs: %w", err)
		}
		runs = append(runs, some...)
	}
	slices.SortFunc(runs, func(a, b engine.FlowRun) int {
		return cmp.Or(b.Listed().Compare(a.Listed()), strings.Compare(a.ID, b.ID))
	})
	return runs[:min(len(runs), q.Limit)], nil
}

func (s *Store) search(ctx context.Context, q engine.RunQuery, state engine.StateType) ([]engine.FlowRun, error) {
	from, where, args := `flow_run INDEXED BY flow_run_top`, []string{}, []any{}
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	switch {
	case q.ParentID != "":
		from = `flow_run`
		add(`parent_id = ?`, q.ParentID)
		if len(q.States) > 0 {
			add(`state_type IN (SELECT value FROM json_each(?))`, list(words(q.States)))
		}
	case q.Subflows:
		from = `flow_run`
	case q.Ahead:
		from = `flow_run INDEXED BY flow_run_listed`
		add(`parent_id IS NULL`)
	default:
		add(`parent_id IS NULL`)
		if state != "" {
			from = `flow_run INDEXED BY flow_run_state`
		}
		if q.Flow != "" {
			from = `flow_run INDEXED BY flow_run_flow`
		}
	}
	if state != "" {
		add(`state_type = ?`, state)
	}
	if q.Flow != "" {
		add(`flow = ?`, q.Flow)
	}
	if q.Deployment != "" {
		add(`deployment = ?`, q.Deployment)
	}
	if len(q.StateNames) > 0 {
		add(`state_name IN (SELECT value FROM json_each(?))`, list(q.StateNames))
	}
	for _, tag := range q.Tags {
		add(`EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)`, tag)
	}
	if q.Name != "" {
		add(`instr(lower(name), lower(?)) > 0`, q.Name)
	}
	if !q.CreatedFrom.IsZero() {
		add(`created >= ?`, micros(q.CreatedFrom))
	}
	if !q.CreatedBefore.IsZero() {
		add(`created < ?`, micros(q.CreatedBefore))
	}
	if !q.Ahead {
		add(begun)
	}
	if q.After.ID != "" {
		add(`listed <= ? AND (listed < ? OR id > ?)`, micros(q.After.Listed), micros(q.After.Listed), q.After.ID)
	}
	if len(where) == 0 {
		add(`true`)
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM `+from+` WHERE `+strings.Join(where, ` AND `)+
		` ORDER BY listed DESC, id LIMIT ?`, append(args, q.Limit)...)
	return collect(rows, err, scanFlowRun)
}

// words are values as text.
func words[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// SearchTasks returns the calls that q wants, in their order.
func (s *Store) SearchTasks(ctx context.Context, q engine.TaskQuery) ([]engine.TaskRun, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+taskRunColumns+` FROM task_run WHERE flow_run_id = ?1
			AND (?2 = '[]' OR state_type IN (SELECT value FROM json_each(?2)))
			AND (?3 = '' OR instr(lower(name), lower(?3)) > 0 OR instr(lower(run_name), lower(?3)) > 0)
			AND (?4 = '' OR key = ?4) AND (call_order, key) > (?5, ?6)
		ORDER BY call_order, key LIMIT ?7`,
		q.FlowRunID, list(words(q.States)), q.Name, q.Key, q.After.Order, q.After.Key, q.Limit)
	tasks, err := collect(rows, err, scanTaskRun)
	if err != nil {
		return nil, fmt.Errorf("list the calls of flow run %s: %w", q.FlowRunID, err)
	}
	return tasks, nil
}

// SearchLogs returns lines that q wants, oldest first, with their numbers, from
// which a reader goes on.
func (s *Store) SearchLogs(ctx context.Context, q engine.LogQuery) ([]engine.NumberedLine, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT seq, flow_run_id, task_key, time, level, message FROM log
		WHERE flow_run_id IN (SELECT ?1 UNION SELECT id FROM flow_run WHERE ?2 AND root_id = ?1) AND seq > ?3
			AND (?4 = '' OR task_key = ?4) AND (?5 = '[]' OR level IN (SELECT value FROM json_each(?5)))
			AND (?6 = '' OR instr(lower(message), lower(?6)) > 0)
		ORDER BY seq LIMIT ?7`,
		q.FlowRunID, q.Subflows, q.After, q.TaskKey, list(q.Levels), q.Contains, q.Limit)
	lines, err := collect(rows, err, func(row scanner) (l engine.NumberedLine, err error) {
		var at int64
		err = row.Scan(&l.Seq, &l.FlowRunID, &l.TaskKey, &at, &l.Level, &l.Message)
		l.Time = time.UnixMicro(at).UTC()
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the log of flow run %s: %w", q.FlowRunID, err)
	}
	return lines, nil
}
