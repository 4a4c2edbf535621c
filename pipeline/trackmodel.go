package pipeline

import (
	"context"
	"fmt"
	"path"

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
func (f *Flows) putModel(ctx context.Context, run registry.RunInfo, logged registry.LoggedModel, fit Fit) error {
	id := logged.Info.ModelID
	files, err := fit.Model.Files(models.Card{RunID: run.RunID, ModelID: id, CreatedAt: fit.Ended})
	if err != nil {
		return fmt.Errorf("write the model of %s: %w", fit.Name, err)
	}
	own, err := registry.ArtifactName(run.ArtifactURI)
	if err != nil {
		return fmt.Errorf("log the model of %s: %w", fit.Name, err)
	}
	folders := []string{path.Join(own, modelDir)}
	if id != "" {
		folder, err := registry.ArtifactName(logged.Info.ArtifactURI)
		if err != nil {
			return fmt.Errorf("log the model of %s: %w", fit.Name, err)
		}
		folders = append(folders, folder)
	}
	all := make([]registry.NewFile, len(files))
	for i, file := range files {
		all[i].Bytes = file.Bytes
		for _, folder := range folders {
			all[i].Names = append(all[i].Names, path.Join(folder, file.Name))
		}
		if file.Name == models.VectorizerFile {
			all[i].Names = append(all[i].Names, path.Join(own, "preprocessor", file.Name))
		}
	}
	if err := f.Tracker.PutFiles(ctx, all); err != nil {
		return fmt.Errorf("log the model of %s: %w", fit.Name, err)
	}
	if id == "" {
		return nil
	}
	if err := f.Tracker.LogOutputs(ctx, run.RunID, []registry.ModelOutput{{ModelID: id}}); err != nil {
		return fmt.Errorf("log the model of %s: %w", fit.Name, err)
	}
	if _, err := f.Tracker.FinalizeLoggedModel(ctx, id, registry.ModelReady); err != nil {
		return fmt.Errorf("log the model of %s: %w", fit.Name, err)
	}
	return nil
}
