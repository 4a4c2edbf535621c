package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/search"
)

var experimentSource = source{
	language: search.Experiments,
	table:    "experiments e",
	one:      "e.id = ?",
	attributes: map[string]string{"name": "e.name", "creation_time": "e.creation_time",
		"last_update_time": "e.last_update_time", "experiment_id": "CAST(e.id AS TEXT)"},
	details: map[search.Kind]details{search.Tag: {"experiment_tags", "x.experiment = e.id"}},
}

// experimentNumber returns the number behind an experiment's id.
func experimentNumber(id string) (int64, error) {
	if id == "" {
		return 0, registry.Errorf(registry.InvalidParameterValue, "Missing value for required parameter 'experiment_id'. "+
			"See the API docs for more information about request parameters.")
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, registry.Errorf(registry.InvalidParameterValue, "Invalid experiment ID '%.100s'. Experiment ID must be a valid integer.", id)
	}
	return n, nil
}

func noExperiment(id string) error {
	return registry.Errorf(registry.ResourceDoesNotExist, "No Experiment with id=%s exists", id)
}

func nameTaken(name string) error {
	return registry.Errorf(registry.ResourceAlreadyExists, "Experiment(name=%s) already exists. "+
		"If it is deleted, restore or purge it, or take another name.", name)
}

// CreateExperiment implements registry.Experiments.
func (s *Store) CreateExperiment(ctx context.Context, e registry.NewExperiment) (string, error) {
	if err := registry.CheckExperimentName("name", e.Name); err != nil {
		return "", err
	}
	if e.ArtifactLocation != "" && !s.allows(e.ArtifactLocation) {
		if err := registry.CheckArtifactLocation(e.ArtifactLocation); err != nil {
			return "", err
		}
	}
	for _, t := range e.Tags {
		if err := registry.CheckExperimentTag(t); err != nil {
			return "", err
		}
	}
	return writing(ctx, s, func(tx *sql.Tx) (string, error) {
		var n int64
		err := tx.QueryRow(`INSERT INTO experiments (name, artifact_location, creation_time, last_update_time)
			VALUES (?, ?, ?3, ?3) RETURNING id`, e.Name, e.ArtifactLocation, now()).Scan(&n)
		if sqlite.IsUnique(err) {
			return "", nameTaken(e.Name)
		}
		if err != nil {
			return "", fmt.Errorf("create experiment %s: %w", e.Name, err)
		}
		if e.ArtifactLocation == "" {
			_, err = exec(tx, `UPDATE experiments SET artifact_location = ? WHERE id = ?`,
				s.defaultLocation(n), n)
		}
		for _, t := range e.Tags {
			err = errors.Join(err, setExperimentTag(tx, n, t))
		}
		return strconv.FormatInt(n, 10), err
	})
}

// GetExperiment implements registry.Experiments.
func (s *Store) GetExperiment(ctx context.Context, id string) (registry.Experiment, error) {
	n, err := experimentNumber(id)
	if err != nil {
		return registry.Experiment{}, err
	}
	return s.experiment(ctx, noExperiment(id), "e.id = ?", n)
}

// GetExperimentByName implements registry.Experiments.
func (s *Store) GetExperimentByName(ctx context.Context, name string) (registry.Experiment, error) {
	return s.experiment(ctx, registry.Errorf(registry.ResourceDoesNotExist, "Could not find experiment with name '%s'", name), "e.name = ?", name)
}

func (s *Store) experiment(ctx context.Context, missing error, where string, arg any) (registry.Experiment, error) {
	return reading(ctx, s, func(tx *sql.Tx) (registry.Experiment, error) {
		found, err := experiments(tx, " WHERE "+where, arg)
		if err != nil {
			return registry.Experiment{}, err
		}
		if len(found) == 0 {
			return registry.Experiment{}, missing
		}
		return found[0], nil
	})
}

// experiments returns the experiments that the clauses select, with their tags.
func experiments(tx *sql.Tx, clauses string, args ...any) ([]registry.Experiment, error) {
	var numbers []int64
	found, err := query(tx, func(r *sql.Rows) (e registry.Experiment, err error) {
		var n int64
		err = r.Scan(&n, &e.Name, &e.ArtifactLocation, &e.Lifecycle, &e.CreationTime, &e.LastUpdateTime)
		e.ID = strconv.FormatInt(n, 10)
		numbers = append(numbers, n)
		return e, err
	}, `SELECT e.id, e.name, e.artifact_location, e.stage, e.creation_time, e.last_update_time FROM experiments e`+clauses, args...)
	if err != nil {
		return nil, fmt.Errorf("read experiments: %w", err)
	}
	tags, err := tagsOf[int64](tx, `SELECT experiment, key, value FROM experiment_tags WHERE experiment IN (SELECT value FROM json_each(?))`, jsonList(numbers))
	for i := range found {
		found[i].Tags = tags[numbers[i]]
	}
	return found, err
}

// tagsOf groups the rows (owner, key, value) of a query by owner.
func tagsOf[K comparable](tx *sql.Tx, text string, args ...any) (map[K][]registry.Tag, error) {
	tags := map[K][]registry.Tag{}
	_, err := query(tx, func(r *sql.Rows) (struct{}, error) {
		var owner K
		var t registry.Tag
		err := r.Scan(&owner, &t.Key, &t.Value)
		tags[owner] = append(tags[owner], t)
		return struct{}{}, err
	}, text, args...)
	return tags, err
}

// SearchExperiments implements registry.Experiments.
func (s *Store) SearchExperiments(ctx context.Context, q registry.ExperimentQuery) (registry.Page[registry.Experiment], error) {
	var none registry.Page[registry.Experiment]
	limit, err := registry.CheckMaxResults(q.MaxResults, 1000, registry.MaxExperiments)
	if err != nil {
		return none, err
	}
	tie := []term{{"e.id", true}}
	if len(q.OrderBy) == 0 {
		tie = []term{{"e.creation_time", true}, {"e.id", false}}
	}
	sel, conditions, err := compile(experimentSource, q.Filter, q.OrderBy, q.PageToken, limit, tie...)
	if err != nil {
		return none, err
	}
	if err := sel.view(q.View, "e.stage"); err != nil {
		return none, err
	}
	sel.filter(experimentSource, conditions)
	clauses, args := sel.clauses()
	return reading(ctx, s, func(tx *sql.Tx) (registry.Page[registry.Experiment], error) {
		found, err := experiments(tx, clauses, args...)
		if err != nil {
			return none, err
		}
		return nextPage(tx, sel, experimentSource, found, func(e registry.Experiment) []any { return []any{e.ID} })
	})
}

// view keeps what is in the life-cycle stages of v.
func (s *selection) view(v registry.ViewType, column string) error {
	v, err := registry.CheckView(v)
	switch v {
	case registry.ActiveOnly:
		s.and(column + " = 'active'")
	case registry.DeletedOnly:
		s.and(column + " = 'deleted'")
	}
	return err
}
