package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/taximeter/taximeter/registry"
)

// Garbage says which deleted things GC removes for good. The zero value is all
// of them.
type Garbage struct {
	OlderThan time.Duration // since the deletion
	// If any of these is set, GC removes only what they name, and it is an
	// error if that is not deleted, not old enough, or in use.
	RunIDs, ExperimentIDs, LoggedModelIDs []string
	DryRun                                bool // only tell
}

// Collected is what GC removed, and what it let be.
type Collected struct {
	Runs         []string `json:"runs"`
	Experiments  []string `json:"experiments"`
	LoggedModels []string `json:"logged_models"`
	Kept         []Kept   `json:"kept"`
}

// Kept is something deleted that GC did not remove, and why.
type Kept struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// GC removes for good what was deleted, with its artifacts: runs, logged models,
// and experiments with all in them. What a model version still needs stays, and
// so does an experiment in which something stays or is not deleted. It may be
// interrupted at any time and run beside anything else.
func (s *Store) GC(ctx context.Context, g Garbage) (Collected, error) {
	c := collector{store: s, garbage: g, before: now() - g.OlderThan.Milliseconds(), done: Collected{Kept: []Kept{}}}
	err := errors.Join(s.files.Sweep(), c.collect(ctx))
	if err == nil && !g.DryRun {
		err = s.files.Sweep()
	}
	if err != nil {
		err = fmt.Errorf("collect garbage: %w", err)
	}
	return c.done, err
}

type collector struct {
	store   *Store
	garbage Garbage
	before  int64 // only what was deleted before
	done    Collected
}

// item is one deleted thing. Its artifacts are below its URI.
type item struct {
	id, uri string
	stage   registry.Lifecycle
	deleted int64  // when
	user    string // what needs it still, if anything does
}

func (c *collector) named() bool {
	return len(c.garbage.RunIDs)+len(c.garbage.ExperimentIDs)+len(c.garbage.LoggedModelIDs) > 0
}

// deletable is a kind of thing that can be deleted. Its query finds id, artifact
// URI, stage, time of deletion, and the name of a user.
type deletable struct {
	what, id, query, remove string
}

var (
	deletableRuns = deletable{"run", "r.id", `SELECT r.id, r.artifact_uri, r.stage, coalesce(r.deleted_time, 0), coalesce(
			(SELECT v.model || ' version ' || v.version FROM model_versions v WHERE v.run_id = r.id AND NOT v.deleted
				AND (v.model_id = '' OR v.storage_location LIKE r.artifact_uri || '%')), '')
		FROM runs r`, `DELETE FROM runs WHERE id = ?`}

	deletableModels = deletable{"logged model", "m.id", `SELECT m.id, m.artifact_uri, m.stage, m.last_updated_time, coalesce(
			(SELECT v.model || ' version ' || v.version FROM model_versions v WHERE v.model_id = m.id AND NOT v.deleted), '')
		FROM logged_models m`, `DELETE FROM logged_models WHERE id = ?`}

	deletableExperiments = deletable{"experiment", "CAST(e.id AS TEXT)", `SELECT CAST(e.id AS TEXT),
			CASE e.artifact_location WHEN 'mlflow-artifacts:/' || e.id THEN e.artifact_location ELSE '' END, e.stage, e.last_update_time, coalesce(
			(SELECT 'its run ' || r.id FROM runs r WHERE r.experiment = e.id AND r.stage = 'active'),
			(SELECT v.model || ' version ' || v.version FROM model_versions v JOIN runs r ON r.id = v.run_id WHERE r.experiment = e.id AND NOT v.deleted),
			(SELECT v.model || ' version ' || v.version FROM model_versions v JOIN logged_models m ON m.id = v.model_id WHERE m.experiment = e.id AND NOT v.deleted), '')
		FROM experiments e`, `DELETE FROM experiments WHERE id = ?`}
)

func (c *collector) collect(ctx context.Context) error {
	g := c.garbage
	var err error
	for _, k := range []struct {
		deletable
		ids  []string
		done *[]string
	}{
		{deletableRuns, g.RunIDs, &c.done.Runs},
		{deletableModels, g.LoggedModelIDs, &c.done.LoggedModels},
		{deletableExperiments, g.ExperimentIDs, &c.done.Experiments},
	} {
		if c.named() && len(k.ids) == 0 {
			continue
		}
		if *k.done, err = c.collectKind(ctx, k.deletable, k.ids); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) collectKind(ctx context.Context, kind deletable, ids []string) (done []string, err error) {
	done = []string{}
	found, err := reading(ctx, c.store, func(tx *sql.Tx) ([]item, error) {
		return query(tx, scanItem, kind.query+` WHERE CASE WHEN ? THEN `+kind.id+` IN (SELECT value FROM json_each(?)) ELSE stage = 'deleted' END`,
			len(ids) > 0, jsonList(ids))
	})
	if err == nil {
		err = c.check(kind.what, ids, found)
	}
	if err != nil {
		return done, err
	}
	for _, it := range found {
		if err := context.Cause(ctx); err != nil {
			return done, err
		}
		if it.deleted > c.before {
			continue
		}
		if it.user != "" {
			c.done.Kept = append(c.done.Kept, Kept{it.id, it.user + " needs it"})
			continue
		}
		removed, err := c.remove(ctx, it, kind)
		if err != nil {
			return done, fmt.Errorf("%s %s: %w", kind.what, it.id, err)
		}
		if removed {
			done = append(done, it.id)
		}
	}
	return done, nil
}

func scanItem(rows *sql.Rows) (it item, err error) {
	err = rows.Scan(&it.id, &it.uri, &it.stage, &it.deleted, &it.user)
	return it, err
}

// check returns an error if one of the things named cannot be removed.
func (c *collector) check(what string, ids []string, found []item) error {
	for _, id := range ids {
		i := slices.IndexFunc(found, func(it item) bool { return it.id == id })
		switch {
		case i < 0:
			return registry.Errorf(registry.ResourceDoesNotExist, "there is no %s %s", what, id)
		case found[i].stage != registry.Deleted:
			return registry.Errorf(registry.InvalidParameterValue, "%s %s is not in the deleted lifecycle stage: delete it first", what, id)
		case found[i].deleted > c.before:
			return registry.Errorf(registry.InvalidParameterValue, "%s %s was deleted less than %s ago", what, id, c.garbage.OlderThan)
		case found[i].user != "":
			return registry.Errorf(registry.InvalidParameterValue, "%s %s is needed by %s", what, id, found[i].user)
		}
	}
	return nil
}

// remove removes the row and artifacts of a thing, unless it was restored or
// taken into use since it was found.
func (c *collector) remove(ctx context.Context, it item, kind deletable) (removed bool, err error) {
	if c.garbage.DryRun {
		return true, nil
	}
	return writing(ctx, c.store, func(tx *sql.Tx) (bool, error) {
		is, err := query(tx, scanItem, kind.query+" WHERE "+kind.id+" = ?", it.id)
		if err != nil || len(is) == 0 || is[0].stage != registry.Deleted || is[0].user != "" {
			return false, err
		}
		if _, err := exec(tx, kind.remove, it.id); err != nil {
			return false, err
		}
		folder, ok := ownFolder(it)
		if !ok {
			return true, nil
		}
		return true, c.store.files.Discard(folder) // before the commit: what a crash leaves can be collected again
	})
}

// ownFolder returns the folder that holds the artifacts of a thing and nothing
// else; ok is false where they are not in our artifact directory.
func ownFolder(it item) (folder string, ok bool) {
	name, err := registry.ArtifactName(it.uri)
	if err != nil {
		return "", false
	}
	if path.Base(name) == "artifacts" {
		name = path.Dir(name)
	}
	return name, path.Base(name) == it.id
}
