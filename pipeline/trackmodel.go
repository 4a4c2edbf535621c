package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"sync/atomic"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/registry"
)

// modelDir is where a tracked run keeps its model, and what its logged model is
// called.
const modelDir = "model"

// loggedModel returns the logged model that the run has made, which an earlier
// attempt may have begun: MLflow 3 keeps models beside runs, with files of their
// own. A server of MLflow 2 knows no such models: then it is the zero one.
func (f *Flows) loggedModel(ctx context.Context, run registry.Run, found bool, fit Fit) (m registry.LoggedModel, err error) {
	id, experiment := run.Info.RunID, run.Info.ExperimentID
	if found {
		page, err := f.Tracker.SearchLoggedModels(ctx, registry.LoggedModelQuery{
			ExperimentIDs: []string{experiment}, Filter: fmt.Sprintf("source_run_id = '%s'", id), MaxResults: 1,
		})
		switch {
		case registry.CodeOf(err) == registry.EndpointNotFound:
			return m, nil
		case err != nil:
			return m, fmt.Errorf("look for the logged model of %s: %w", fit.Name, err)
		case len(page.Items) > 0:
			return page.Items[0], nil
		}
	}
	m, err = f.Tracker.CreateLoggedModel(ctx, registry.NewLoggedModel{
		ExperimentID: experiment, Name: modelDir, SourceRunID: id, ModelType: fit.Kind, Params: fit.batch("").Params, Tags: f.Origin.tags(),
	})
	if registry.CodeOf(err) == registry.EndpointNotFound {
		return registry.LoggedModel{}, nil
	}
	if err != nil {
		return m, fmt.Errorf("create the logged model of %s: %w", fit.Name, err)
	}
	return m, nil
}

// putModel uploads the model's directory to the run, what makes it whole last,
// its preprocessor beside it, and the same directory to the logged model, which
// is ready then. Clients of MLflow 2 find it in the run.
func (f *Flows) putModel(ctx context.Context, runID string, logged registry.LoggedModel, fit Fit) error {
	id := logged.Info.ModelID
	files, err := fit.Model.Files(models.Card{RunID: runID, ModelID: id, CreatedAt: fit.Ended})
	if err != nil {
		return fmt.Errorf("write the model of %s: %w", fit.Name, err)
	}
	var folder string // of the logged model
	if id != "" {
		if folder, err = registry.ArtifactName(logged.Info.ArtifactURI); err != nil {
			return fmt.Errorf("log the model of %s: %w", fit.Name, err)
		}
	}
	var done atomic.Int64
	put := func(file models.File) error {
		to := map[string]func(name string, b *bytes.Reader) error{}
		of := func(name string, b *bytes.Reader) error { return f.Tracker.PutArtifact(ctx, runID, name, b) }
		to[path.Join(modelDir, file.Name)] = of
		if file.Name == models.VectorizerFile {
			to[path.Join("preprocessor", file.Name)] = of
		}
		if folder != "" {
			to[path.Join(folder, file.Name)] = func(name string, b *bytes.Reader) error { return f.Tracker.PutFile(ctx, name, b) }
		}
		var puts []func() error
		for name, put := range to {
			puts = append(puts, func() error { return put(name, bytes.NewReader(file.Bytes)) })
		}
		if err := atOnce(puts...); err != nil {
			return fmt.Errorf("log %s of %s: %w", file.Name, fit.Name, err)
		}
		engine.From(ctx).Progress("files", done.Add(1), int64(len(files)))
		return nil
	}
	var puts []func() error
	last := len(files) - 1
	for _, file := range files[:last] {
		puts = append(puts, func() error { return put(file) })
	}
	if err := atOnce(puts...); err != nil {
		return err
	}
	if err := put(files[last]); err != nil || id == "" {
		return err
	}
	if err := f.Tracker.LogOutputs(ctx, runID, []registry.ModelOutput{{ModelID: id}}); err != nil {
		return fmt.Errorf("log the model of %s: %w", fit.Name, err)
	}
	if _, err := f.Tracker.FinalizeLoggedModel(ctx, id, registry.ModelReady); err != nil {
		return fmt.Errorf("log the model of %s: %w", fit.Name, err)
	}
	return nil
}
