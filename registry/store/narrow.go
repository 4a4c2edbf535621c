package store

import (
	"database/sql"
	"fmt"
	"slices"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/search"
)

// few is how many runs are few enough to be looked at one by one and sorted.
// Where more satisfy a condition, walking through the experiment in order meets
// a page of them soon.
const few = 4000

// narrow picks the condition that the fewest runs satisfy by the look of the
// indexes, has the search begin from it, and returns the rest. SQLite cannot
// tell by itself whether a condition holds for three runs or for all.
func narrow(tx *sql.Tx, s *selection, conditions []search.Condition) ([]search.Condition, error) {
	best, least := -1, int64(few)
	for i, c := range conditions {
		rows, args := indexed(c)
		if rows == "" {
			continue
		}
		var n int64
		err := tx.QueryRow(fmt.Sprintf(`SELECT count(*) FROM (%s LIMIT ?)`, rows), append(args, least)...).Scan(&n)
		if err != nil {
			return nil, fmt.Errorf("count runs: %w", err)
		}
		if n < least {
			best, least = i, n
		}
	}
	if best < 0 {
		return conditions, nil
	}
	rows, args := indexed(conditions[best])
	s.and("r.n IN ("+rows+")", args...)
	return slices.Delete(slices.Clone(conditions), best, best+1), nil
}

// indexed returns the query of the runs that satisfy a condition, if an index
// answers it; else "".
func indexed(c search.Condition) (text string, args []any) {
	switch {
	case c.Kind == search.Metric && c.Op != search.NotEqual:
		return `SELECT run FROM latest_metrics x INDEXED BY latest_metrics_by_value WHERE NOT x.is_nan AND x.key = ? AND ` + compare("x.value", c), []any{c.Key, c.Number}
	case c.Kind == search.Tag && c.Op == search.Equal:
		return `SELECT run FROM tags x INDEXED BY tags_by_value WHERE x.key = ? AND x.value = ?`, []any{c.Key, c.Text}
	}
	return "", nil
}

// numbersFirst returns the part of a search whose first order is by a metric
// that finds the runs with a number in it; ok is false where the page begins
// after those. The index has them in order, so that all others need not be
// sorted, nor be looked at, if the part fills the page.
func (s *selection) numbersFirst() (first *selection, ok bool) {
	if len(s.order) < 3 || s.order[1].column != "o0.is_nan" {
		return nil, false
	}
	begins := s.begins
	if begins != nil && (begins[0] != int64(0) || begins[1] != int64(0)) {
		return nil, false
	}
	first = &selection{joins: slices.Clone(s.joins), where: slices.Clone(s.where), joinArgs: s.joinArgs, whereArgs: s.whereArgs,
		order: s.order[2:], limit: s.limit}
	first.joins[0] = " JOIN latest_metrics o0 INDEXED BY latest_metrics_by_value ON o0.run = r.n AND o0.key = ? AND NOT o0.is_nan"
	if begins != nil {
		first.and(first.order[0].from(), begins[2])
	}
	return first, true
}

// searchRuns runs a search over runs.
func searchRuns(view *sqlite.Snapshot, s *selection, conditions []search.Condition) ([]registry.Run, error) {
	rest, err := narrow(view.Tx, s, conditions)
	if err != nil {
		return nil, err
	}
	s.filter(runSource, rest)
	if first, ok := s.numbersFirst(); ok && len(rest) == len(conditions) {
		clauses, args := first.clauses()
		found, err := runs(view, clauses, args...)
		if err != nil || len(found) > s.limit {
			return found, err
		}
	}
	clauses, args := s.clauses()
	return runs(view, clauses, args...)
}
