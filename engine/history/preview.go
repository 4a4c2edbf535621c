package history

import (
	"context"
	"strings"

	"github.com/taximeter/taximeter/engine/worker"
)

// Preview returns the runs that a worker of the pool would take, in the order in
// which it would, those that are not due yet last. Queues, where given, are those
// that the worker takes runs of.
func (s *Store) Preview(ctx context.Context, pool string, queues []string, limit int) (due []worker.Due, err error) {
	at := now()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT flow_run.queue, `+prefixed(flowRunColumns)+` FROM flow_run
		LEFT JOIN work_queue q ON q.pool = flow_run.pool AND q.name = flow_run.queue
		WHERE flow_run.pool = ?1 AND `+waitingWork+` AND (?2 = '[]' OR flow_run.queue IN (SELECT value FROM json_each(?2)))
		ORDER BY coalesce(next_start, 0) > ?3, CASE WHEN coalesce(next_start, 0) > ?3 THEN 0 ELSE coalesce(q.priority, 100) END,
			coalesce(next_start, 0), expected_start, flow_run.id LIMIT ?4`, pool, list(queues), micros(at), limit)
	due, err = collect(rows, err, func(row scanner) (d worker.Due, err error) {
		d.FlowRun, err = scanFlowRun(leading{row, &d.Queue})
		return d, err
	})
	for i := range due {
		if err == nil {
			due[i].Why, err = s.why(ctx, s.db.Read(), due[i].ID, at)
		}
	}
	return due, err
}

// leading is a row with one more column before those that are scanned.
type leading struct {
	scanner
	first any
}

func (l leading) Scan(to ...any) error { return l.scanner.Scan(append([]any{l.first}, to...)...) }

// prefixed names the columns as flow_run's.
func prefixed(columns string) string {
	names := strings.Split(columns, ",")
	for i := range names {
		names[i] = "flow_run." + strings.TrimSpace(names[i])
	}
	return strings.Join(names, ", ")
}
