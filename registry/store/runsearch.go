package store

import (
	"context"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/search"
)

var runSource = source{
	language: search.Runs,
	table:    "runs r",
	one:      "r.id = ?",
	nullable: map[string]bool{"end_time": true},
	attributes: map[string]string{"run_id": "r.id", "run_name": "r.name", "user_id": "r.user_id", "status": "r.status",
		"artifact_uri": "r.artifact_uri", "start_time": "r.start_time", "end_time": "r.end_time"},
	details: map[search.Kind]details{
		search.Metric: {"latest_metrics", "x.run = r.n"},
		search.Param:  {"params", "x.run = r.n"},
		search.Tag:    {"tags", "x.run = r.n"},
		search.Dataset: {`(SELECT i.run, d.name, d.digest, (SELECT t.value FROM dataset_input_tags t
			WHERE t.run = i.run AND t.dataset = i.dataset AND t.key = 'mlflow.data.context') AS context
			FROM dataset_inputs i JOIN datasets d ON d.n = i.dataset)`, "x.run = r.n"},
	},
}

// SearchRuns implements registry.Runs.
func (s *Store) SearchRuns(ctx context.Context, q registry.RunQuery) (registry.Page[registry.Run], error) {
	var none registry.Page[registry.Run]
	limit, err := registry.CheckMaxResults(q.MaxResults, 1000, registry.MaxRuns)
	if err != nil {
		return none, err
	}
	sel, conditions, err := compile(runSource, q.Filter, q.OrderBy, q.PageToken, limit, term{"r.start_time", true}, term{"r.id", false})
	if err != nil {
		return none, err
	}
	if err := sel.inExperiments(q.ExperimentIDs, "r.experiment"); err != nil {
		return none, err
	}
	if err := sel.view(q.View, "r.stage"); err != nil || len(q.ExperimentIDs) == 0 {
		return none, err
	}
	return viewing(ctx, s, func(view *sqlite.Snapshot) (registry.Page[registry.Run], error) {
		found, err := searchRuns(view, sel, conditions)
		if err != nil {
			return none, err
		}
		return nextPage(view.Tx, sel, runSource, found, func(r registry.Run) []any { return []any{r.Info.RunID} })
	})
}

// inExperiments keeps what is in the experiments.
func (s *selection) inExperiments(ids []string, column string) error {
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		n, err := experimentNumber(id)
		if err != nil {
			return err
		}
		numbers[i] = n
	}
	if len(numbers) == 1 { // lets an index give the order
		s.and(column+" = ?", numbers[0])
	} else {
		s.and(column+" IN (SELECT value FROM json_each(?))", jsonList(numbers))
	}
	return nil
}
