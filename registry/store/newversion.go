package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// CreateModelVersion implements registry.Versions. The number is taken in a
// transaction that holds the write lock, so that no two processes take the same.
func (s *Store) CreateModelVersion(ctx context.Context, v registry.NewModelVersion) (registry.ModelVersion, error) {
	if err := registry.CheckModelName("name", v.Name); err != nil {
		return registry.ModelVersion{}, err
	}
	for _, t := range v.Tags {
		if err := registry.CheckModelTag(t); err != nil {
			return registry.ModelVersion{}, err
		}
	}
	var made registry.ModelVersion
	err := s.changeModel(ctx, v.Name, func(tx *sql.Tx) error {
		origin, err := resolve(tx, v)
		if err != nil {
			return err
		}
		var n int
		err = tx.QueryRow(`INSERT INTO model_versions
			(model, version, stage, description, source, storage_location, run_id, model_id, run_link, creation_time, last_updated_time)
			SELECT ?1, coalesce(max(version), 0) + 1, 'None', ?, ?, ?, ?, ?, ?, ?8, ?8 FROM model_versions WHERE model = ?1 RETURNING version`,
			v.Name, v.Description, origin.source, origin.location, origin.runID, origin.modelID, v.RunLink, now()).Scan(&n)
		if err != nil {
			return fmt.Errorf("create version of %s: %w", v.Name, err)
		}
		for _, t := range v.Tags {
			if err := setVersionTag(tx, v.Name, n, t); err != nil {
				return err
			}
		}
		if v.ModelID != "" { // a copy of a version leaves the model alone
			if err := tagWithVersion(tx, v.ModelID, v.Name, n); err != nil {
				return err
			}
		}
		made, err = oneVersion(tx, v.Name, strconv.Itoa(n))
		return err
	})
	return made, err
}

// origin is where the files of a new version come from.
type origin struct {
	source, location, runID, modelID string
}

// resolve finds the files of a new version: inside the artifacts of the run or
// logged model that the request names, of another version, or in an object
// store. Any other source would let clients read whatever the server can.
func resolve(tx *sql.Tx, v registry.NewModelVersion) (origin, error) {
	o := origin{v.Source, v.Source, v.RunID, v.ModelID}
	if v.Source == "" {
		return o, registry.Errorf(registry.InvalidParameterValue, "Missing value for required parameter 'source'. "+
			"See the API docs for more information about request parameters.")
	}
	if prompt, _ := registry.FindTag(v.Tags, "mlflow.prompt.is_prompt"); prompt == "true" {
		if v.Source != "dummy-source" && v.Source != "prompt-template" {
			return o, registry.Errorf(registry.InvalidParameterValue, "Invalid prompt source: '%s'. Prompt sources must use an MLflow placeholder.", v.Source)
		}
		return o, nil
	}
	u, err := url.Parse(v.Source)
	if err != nil {
		return o, badSource(v, "run_id")
	}
	place := strings.Trim(u.Opaque+u.Path, "/")
	switch {
	case u.Scheme == "models":
		return resolveModel(tx, o, v, place)
	case u.Scheme == "runs":
		id, name, _ := strings.Cut(place, "/")
		if id != v.RunID || name == "" {
			return o, badSource(v, "run_id")
		}
		root, err := artifactURI(tx, `SELECT artifact_uri FROM runs WHERE id = ?`, id, noRun(id))
		o.location = below(root, name)
		if err == nil {
			err = registry.CheckArtifactPath(name)
		}
		return o, err
	case u.Scheme == registry.ArtifactScheme:
		return resolveArtifact(tx, o, v)
	case slices.Contains([]string{"s3", "gs", "wasbs", "abfss", "dbfs", "adl", "oss"}, u.Scheme):
		return o, nil
	case v.RunID != "" && inRun(tx, v):
		return o, nil
	case u.Scheme == "" || u.Scheme == "file":
		return o, registry.Errorf(registry.InvalidParameterValue, "Invalid model version source: '%s'. To use a local path as a model version "+
			"source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of "+
			"the run specified by the run_id.", v.Source)
	}
	return o, registry.Errorf(registry.InvalidParameterValue, "'source' cannot use the '%s' scheme: want runs:/…, models:/…, %s:/… or an object store",
		u.Scheme, registry.ArtifactScheme)
}

// inRun tells whether the source is a local path inside the artifacts of the
// run, which are local only where the operator says so.
func inRun(tx *sql.Tx, v registry.NewModelVersion) bool {
	uri, err := artifactURI(tx, `SELECT artifact_uri FROM runs WHERE id = ?`, v.RunID, noRun(v.RunID))
	root, local := registry.LocalPath(uri)
	source, ok := registry.LocalPath(v.Source)
	_, inside := localRoot{path: root}.name(source)
	return err == nil && local && ok && inside
}

func badSource(v registry.NewModelVersion, parameter string) error {
	return registry.Errorf(registry.InvalidParameterValue, "Invalid model version source: '%s'. The %s request parameter must identify "+
		"the resource that contains the source.", v.Source, parameter)
}

func artifactURI(tx *sql.Tx, text, id string, missing error) (uri string, err error) {
	err = tx.QueryRow(text, id).Scan(&uri)
	if errors.Is(err, sql.ErrNoRows) {
		err = missing
	}
	return uri, err
}

// resolveArtifact resolves mlflow-artifacts:/….
func resolveArtifact(tx *sql.Tx, o origin, v registry.NewModelVersion) (origin, error) {
	place, err := registry.ArtifactName(v.Source)
	if err != nil {
		return o, err
	}
	var root string
	switch {
	case v.ModelID != "":
		m, err := oneLoggedModel(tx, v.ModelID, false)
		if err != nil {
			return o, err
		}
		root, o.runID = m.Info.ArtifactURI, m.Info.SourceRunID
	case v.RunID != "":
		if root, err = artifactURI(tx, `SELECT artifact_uri FROM runs WHERE id = ?`, v.RunID, noRun(v.RunID)); err != nil {
			return o, err
		}
	default:
		return o, badSource(v, "run_id")
	}
	inside, err := registry.ArtifactName(root)
	if clean := path.Clean(place); err != nil || clean != inside && !strings.HasPrefix(clean, inside+"/") {
		return o, badSource(v, "run_id")
	}
	return o, nil
}

// resolveModel resolves models:/m-<id>, models:/name/version, models:/name/stage
// and models:/name@alias.
func resolveModel(tx *sql.Tx, o origin, v registry.NewModelVersion, place string) (origin, error) {
	name, version, numbered := strings.Cut(place, "/")
	if !numbered && strings.HasPrefix(place, "m-") && !strings.Contains(place, "@") {
		if v.ModelID != place {
			return o, badSource(v, "model_id")
		}
		m, err := oneLoggedModel(tx, place, false)
		o.location, o.runID = m.Info.ArtifactURI, m.Info.SourceRunID
		return o, err
	}
	if !numbered {
		var alias string
		var aliased bool
		if name, alias, aliased = strings.Cut(place, "@"); !aliased {
			return o, registry.Errorf(registry.InvalidParameterValue, "Invalid model version source: '%s'", v.Source)
		}
		n, err := aliasNumber(tx, name, alias)
		if err != nil {
			return o, err
		}
		version = strconv.Itoa(n)
	}
	of, err := namedVersion(tx, name, version)
	if err != nil {
		return o, err
	}
	if v.RunID != "" && v.RunID != of.RunID || v.ModelID != "" && v.ModelID != of.ModelID {
		return o, badSource(v, "run_id")
	}
	o = origin{source: fmt.Sprintf("models:/%s/%s", name, of.Version), runID: of.RunID, modelID: of.ModelID}
	err = tx.QueryRow(`SELECT storage_location FROM model_versions WHERE model = ? AND version = ?`, name, of.Number()).Scan(&o.location)
	return o, err
}

// namedVersion returns the version that a number, "latest" or a stage stands for.
func namedVersion(tx *sql.Tx, name, version string) (registry.ModelVersion, error) {
	if _, err := strconv.Atoi(version); err == nil {
		return oneVersion(tx, name, version)
	}
	if strings.EqualFold(version, registry.AliasLatest) {
		n, err := aliasNumber(tx, name, registry.AliasLatest)
		if err != nil {
			return registry.ModelVersion{}, err
		}
		return oneVersion(tx, name, strconv.Itoa(n))
	}
	stage, err := registry.ParseStage(version)
	if err != nil {
		return registry.ModelVersion{}, err
	}
	m, err := oneModel(tx, name)
	if err != nil {
		return registry.ModelVersion{}, err
	}
	for _, v := range m.LatestVersions {
		if v.CurrentStage == stage {
			return v, nil
		}
	}
	return registry.ModelVersion{}, registry.Errorf(registry.ResourceDoesNotExist, "No version of model '%s' is in stage %s", name, stage)
}
