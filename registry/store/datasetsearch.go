package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/taximeter/taximeter/registry"
)

// SearchDatasets implements registry.Runs.
func (s *Store) SearchDatasets(ctx context.Context, experimentIDs []string) ([]registry.DatasetSummary, error) {
	if len(experimentIDs) == 0 {
		return nil, registry.Errorf(registry.InvalidParameterValue, "SearchDatasets request must specify at least one experiment_id.")
	}
	if len(experimentIDs) > registry.MaxDatasetExperiments {
		return nil, registry.Errorf(registry.InvalidParameterValue, "SearchDatasets request cannot specify more than %d experiment_ids. "+
			"Received %d experiment_ids.", registry.MaxDatasetExperiments, len(experimentIDs))
	}
	numbers := make([]int64, len(experimentIDs))
	for i, id := range experimentIDs {
		n, err := experimentNumber(id)
		if err != nil {
			return nil, err
		}
		numbers[i] = n
	}
	return reading(ctx, s, func(tx *sql.Tx) ([]registry.DatasetSummary, error) {
		found, err := query(tx, func(r *sql.Rows) (d registry.DatasetSummary, err error) {
			var n int64
			err = r.Scan(&n, &d.Name, &d.Digest, &d.Context)
			d.ExperimentID = strconv.FormatInt(n, 10)
			return d, err
		}, `SELECT DISTINCT r.experiment, d.name, d.digest, coalesce(t.value, '')
			FROM runs r JOIN dataset_inputs i ON i.run = r.n JOIN datasets d ON d.n = i.dataset
			LEFT JOIN dataset_input_tags t ON t.run = i.run AND t.dataset = i.dataset AND t.key = ?
			WHERE r.experiment IN (SELECT value FROM json_each(?))
			ORDER BY 1, 2, 3, 4 LIMIT ?`, registry.TagContext, jsonList(numbers), registry.MaxDatasetSummaries)
		if err != nil {
			return nil, fmt.Errorf("search datasets: %w", err)
		}
		return found, nil
	})
}
