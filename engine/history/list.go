package history

import (
	"context"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/engine"
)

// ahead are the runs that a schedule has made ahead of time: those are listed with
// their deployment. The indexes of lists have the same words.
const (
	ahead = `(state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '')`
	begun = `NOT ` + ahead
)

// List returns the newest flow runs that have no parent, newest first, without
// those that a schedule has made ahead. How new a run is, FlowRun.Listed says. A flow
// "" means every flow.
func (s *Store) List(ctx context.Context, flow string, limit int) ([]engine.FlowRun, error) {
	// The index is named because SQLite, which takes few runs to have no parent,
	// would sort them all.
	from, args := `flow_run INDEXED BY flow_run_top WHERE parent_id IS NULL AND `+begun, []any{limit}
	if flow != "" {
		from, args = `flow_run INDEXED BY flow_run_flow WHERE parent_id IS NULL AND flow = ? AND `+begun, []any{flow, limit}
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM `+from+` ORDER BY listed DESC, id LIMIT ?`, args...)
	return collect(rows, err, scanFlowRun)
}

// Subflows returns the runs that calls of run parentID made, oldest first.
func (s *Store) Subflows(ctx context.Context, parentID string) ([]engine.FlowRun, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+flowRunColumns+` FROM flow_run
		WHERE parent_id = ? ORDER BY created, id`, parentID)
	return collect(rows, err, scanFlowRun)
}

// findQuery has the IDs that begin with ?1 as a range, for which there is an index.
const findQuery = `SELECT ` + flowRunColumns + ` FROM flow_run
	WHERE (id >= ?1 AND id < ?1 || char(0x10ffff)) OR name = ?2 ORDER BY listed DESC, id LIMIT 6`

// Find returns the one flow run that ref names: an ID, a unique prefix of one
// (4 characters at least), a name, or "latest" for the newest that has no parent.
func (s *Store) Find(ctx context.Context, ref string) (engine.FlowRun, error) {
	if ref == "latest" {
		runs, err := s.List(ctx, "", 1)
		if err != nil {
			return engine.FlowRun{}, err
		}
		if len(runs) == 0 {
			return engine.FlowRun{}, fmt.Errorf("there is no flow run yet: %w", engine.ErrNotFound)
		}
		return runs[0], nil
	}
	prefix := ref
	if len(ref) < 4 {
		prefix = "-" // no ID begins like this
	}
	rows, err := s.db.Read().QueryContext(ctx, findQuery, prefix, ref)
	runs, err := collect(rows, err, scanFlowRun)
	if err != nil {
		return engine.FlowRun{}, err
	}
	switch len(runs) {
	case 0:
		return engine.FlowRun{}, fmt.Errorf("flow run %q: %w", ref, engine.ErrNotFound)
	case 1:
		return runs[0], nil
	}
	var ids []string
	for _, r := range runs {
		if r.ID == ref {
			return r, nil
		}
		ids = append(ids, r.ID)
	}
	return engine.FlowRun{}, fmt.Errorf("flow run %q is %w: %s", ref, engine.ErrAmbiguous, strings.Join(ids, ", "))
}
