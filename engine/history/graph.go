package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/taximeter/taximeter/engine"
)

const (
	below = `WITH RECURSIVE below (id, depth) AS (SELECT ?1, 0
		UNION ALL SELECT flow_run.id, depth + 1 FROM below JOIN flow_run ON parent_id = below.id WHERE depth < ?2) `
	// urgent puts what people look for first: what failed, then what is not over.
	urgent = `CASE WHEN state_type IN ('FAILED', 'CRASHED') THEN 0 WHEN ` + unfinished + ` THEN 1 ELSE 2 END`
)

// Graph returns the calls that q wants, with the runs that they belong to, all as
// they were at one time.
func (s *Store) Graph(ctx context.Context, q engine.GraphQuery) (g engine.Graph, err error) {
	tx, err := s.db.Read().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	if err := s.graph(ctx, tx, q, &g); err != nil {
		return g, fmt.Errorf("read the graph of flow run %s: %w", q.FlowRunID, err)
	}
	return g, nil
}

func (s *Store) graph(ctx context.Context, tx *sql.Tx, q engine.GraphQuery, g *engine.Graph) error {
	var oldest, newest sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT min(seq) FROM event), (SELECT max(seq) FROM event)`).Scan(&oldest, &newest); err != nil {
		return err
	}
	g.Seq = newest.Int64
	if q.Since > 0 && (q.Since < oldest.Int64-1 || q.Since > newest.Int64) {
		q.Since, g.Whole = 0, true
	}
	rows, err := tx.QueryContext(ctx, below+`SELECT `+prefixed(flowRunColumns)+` FROM below JOIN flow_run USING (id)
		ORDER BY depth, created, flow_run.id`, q.FlowRunID, q.Depth)
	if g.Runs, err = collect(rows, err, scanFlowRun); err != nil {
		return err
	}
	rows, err = tx.QueryContext(ctx, below+`SELECT state_type, count(*) FROM task_run WHERE flow_run_id IN (SELECT id FROM below) GROUP BY state_type`,
		q.FlowRunID, q.Depth)
	g.Total = map[engine.StateType]int{}
	_, err = collect(rows, err, func(row scanner) (n int, err error) {
		var t engine.StateType
		err = row.Scan(&t, &n)
		g.Total[t] = n
		return n, err
	})
	if err != nil {
		return err
	}
	rows, err = tx.QueryContext(ctx, below+`SELECT `+taskRunColumns+` FROM (
			SELECT * FROM task_run WHERE flow_run_id IN (SELECT id FROM below)
				AND (?3 = '[]' OR state_type IN (SELECT value FROM json_each(?3)))
				AND (?4 = 0 OR (flow_run_id, key) IN (SELECT subject, task_key FROM event WHERE seq > ?4 AND topic IS NULL))
			ORDER BY `+urgent+`, call_order LIMIT ?5)
		ORDER BY flow_run_id, call_order, key`, q.FlowRunID, q.Depth, list(words(q.States)), q.Since, q.Limit)
	g.Calls, err = collect(rows, err, scanTaskRun)
	return err
}
