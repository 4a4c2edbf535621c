package predict

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// DefaultModel is the reference that the zero Reference stands for.
const DefaultModel = "models:/NYCRideDurationModel/Staging"

// Reference says which model to serve, in MLflow's words. The zero Reference
// is DefaultModel.
type Reference struct {
	text string

	model   string // a registered model, with one of:
	stage   string // its highest version in a stage
	alias   string // its version with an alias
	version string // one version of it

	run  string // or a run,
	path string // with the model's directory in its artifacts
}

// ParseReference reads models:/NAME/STAGE (the highest version in that stage),
// models:/NAME/latest (the highest of all), models:/NAME/VERSION,
// models:/NAME@ALIAS or runs:/RUN_ID/PATH. Empty is the zero Reference.
func ParseReference(s string) (Reference, error) {
	wrong := fmt.Errorf("model %q: want models:/NAME/STAGE, models:/NAME/VERSION, models:/NAME@ALIAS or runs:/RUN_ID/model", s)
	if s == "" {
		return Reference{}, nil
	}
	if rest, ok := strings.CutPrefix(s, "runs:/"); ok {
		run, path, _ := strings.Cut(rest, "/")
		if path = strings.Trim(path, "/"); run == "" || path == "" {
			return Reference{}, wrong
		}
		return Reference{text: s, run: run, path: path}, nil
	}
	rest, ok := strings.CutPrefix(s, "models:/")
	if !ok {
		return Reference{}, wrong
	}
	if name, which, ok := strings.Cut(rest, "/"); ok {
		r := Reference{text: s, model: name}
		if name == "" || which == "" {
			return Reference{}, wrong
		}
		if n, err := strconv.Atoi(which); err == nil && n > 0 {
			r.version = strconv.Itoa(n)
			return r, nil
		}
		if which == "latest" {
			r.alias = which // MLflow's, of every model
			return r, nil
		}
		stage, err := registry.ParseStage(which)
		if err != nil {
			return Reference{}, fmt.Errorf("model %q: %q is neither a version nor a stage (None, Staging, Production, Archived)", s, which)
		}
		r.stage = string(stage)
		return r, nil
	}
	name, alias, ok := strings.Cut(rest, "@")
	if !ok || name == "" || alias == "" {
		return Reference{}, wrong
	}
	return Reference{text: s, model: name, alias: alias}, nil
}

// String returns the reference as it was given.
func (r Reference) String() string {
	if r.text == "" {
		return DefaultModel
	}
	return r.text
}

// identity is what a reference stood for when it was resolved.
type identity struct {
	model, version string // empty for a model named by its run
	run            string
}

// notThereError says that the registry answered, and has no such model.
type notThereError struct{ message string }

func (e *notThereError) Error() string { return e.message }

// resolve asks the registry what the reference stands for now.
func (r Reference) resolve(ctx context.Context, s Service) (identity, error) {
	if r.text == "" {
		r, _ = ParseReference(DefaultModel) // a constant, held by the tests
	}
	if r.run != "" {
		return identity{run: r.run}, nil
	}
	v, err := r.lookUp(ctx, s)
	if absent := new(notThereError); errors.As(err, &absent) {
		return identity{}, err
	}
	if registry.CodeOf(err) == registry.ResourceDoesNotExist {
		return identity{}, &notThereError{fmt.Sprintf("the registry has no %s", r)}
	}
	if err != nil {
		return identity{}, fmt.Errorf("look up %s: %w", r, err)
	}
	return identity{v.Name, v.Version, v.RunID}, nil
}

func (r Reference) lookUp(ctx context.Context, s Service) (registry.ModelVersion, error) {
	switch {
	case r.version != "":
		return s.GetModelVersion(ctx, r.model, r.version)
	case r.alias != "":
		return s.VersionByAlias(ctx, r.model, r.alias)
	}
	versions, err := s.LatestVersions(ctx, r.model, []string{r.stage})
	if err != nil {
		return registry.ModelVersion{}, err
	}
	if len(versions) == 0 {
		return registry.ModelVersion{}, &notThereError{fmt.Sprintf("no version of %s is in stage %s", r.model, r.stage)}
	}
	return versions[0], nil // of one stage there is one highest
}

// uri is where the files of what the reference stood for are.
func (r Reference) uri(ctx context.Context, s Service, id identity) (string, error) {
	if id.version != "" {
		return s.ModelVersionURI(ctx, id.model, id.version)
	}
	run, err := s.GetRun(ctx, id.run)
	return run.Info.ArtifactURI + "/" + r.path, err
}
