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
	var runs []engine.FlowRun
	for _, part := range parts(q) {
		some, err := s.search(ctx, q, part)
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

// listed is a part of all runs, in the order of an index: of what is in several, or
// by another index, SQLite would read and sort everything.
type listed struct {
	from, where string
	args        []any
}

// parts are those that have all runs that q wants.
func parts(q engine.RunQuery) []listed {
	inStates := func(l listed) listed {
		if len(q.States) > 0 {
			l.where += ` AND state_type IN (SELECT value FROM json_each(?))`
			l.args = append(l.args, list(words(q.States)))
		}
		return l
	}
	if q.ParentID != "" {
		return []listed{inStates(listed{from: `flow_run`, where: `parent_id = ?`, args: []any{q.ParentID}})}
	}
	const top = `parent_id IS NULL AND ` + begun
	var all []listed
	switch {
	case q.Flow != "":
		all = append(all, inStates(listed{from: `flow_run INDEXED BY flow_run_flow`, where: top}))
	case len(q.States) == 0:
		all = append(all, listed{from: `flow_run INDEXED BY flow_run_top`, where: top})
	}
	if q.Flow == "" {
		for _, state := range slices.Compact(slices.Sorted(slices.Values(q.States))) {
			all = append(all, listed{from: `flow_run INDEXED BY flow_run_state`, where: top + ` AND state_type = ?`, args: []any{state}})
		}
	}
	if q.Ahead {
		all = append(all, inStates(listed{from: `flow_run INDEXED BY flow_run_ahead`, where: `parent_id IS NULL AND ` + ahead}))
	}
	if q.Subflows {
		all = append(all, inStates(listed{from: `flow_run INDEXED BY flow_run_below`, where: `parent_id IS NOT NULL`}))
	}
	return all
}

func (s *Store) search(ctx context.Context, q engine.RunQuery, part listed) ([]engine.FlowRun, error) {
	where, args := []string{part.where}, part.args
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
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
	if !q.CreatedFrom.IsZero() { // and so it is listed by that time, or a later one
		add(`created >= ? AND listed >= ?`, micros(q.CreatedFrom), micros(q.CreatedFrom))
	}
	if !q.CreatedBefore.IsZero() {
		add(`created < ?`, micros(q.CreatedBefore))
	}
	if q.After.ID != "" {
		add(`listed <= ? AND (listed < ? OR id > ?)`, micros(q.After.Listed), micros(q.After.Listed), q.After.ID)
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM `+part.from+` WHERE `+strings.Join(where, ` AND `)+
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
