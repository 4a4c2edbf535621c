package enginehttp

import (
	"context"
	"fmt"
	"slices"

	"github.com/taximeter/taximeter/engine"
)

type artifactRecords interface {
	Artifacts(ctx context.Context, q engine.ArtifactQuery) ([]engine.Artifact, error)
	Artifact(ctx context.Context, ref string) (engine.Artifact, error)
	DeleteArtifact(ctx context.Context, id string) error
}

type listArtifacts struct {
	Key    string              `json:"key" doc:"versions of this key"`
	Type   engine.ArtifactType `json:"type" doc:"markdown, table, link, image or progress"`
	Run    string              `json:"run" doc:"of this flow run; its ID, the beginning of one, a name or latest"`
	Task   string              `json:"task" doc:"key of the call that published it"`
	Latest bool                `json:"latest" doc:"of each key the newest version only"`
	Limit  int                 `json:"limit" min:"1" max:"1000" default:"50"`
}

type artifactList struct {
	Artifacts []engine.Artifact `json:"artifacts"`
}

var artifactTypes = []engine.ArtifactType{engine.ArtifactMarkdown, engine.ArtifactTable, engine.ArtifactLink, engine.ArtifactImage, engine.ArtifactProgress}

func (h *handler) addArtifacts() {
	const tag = "Artifacts"
	add(h, tag, "GET artifacts", "listArtifacts", "List what runs show to people, the newest first", func(in request[listArtifacts, none]) (list artifactList, err error) {
		q := engine.ArtifactQuery{Key: in.Query.Key, Type: in.Query.Type, TaskKey: in.Query.Task, Latest: in.Query.Latest, Limit: in.Query.Limit}
		if q.Type != "" && !slices.Contains(artifactTypes, q.Type) {
			return list, badQuery("type", fmt.Sprintf("type: there is no %q: there are %v", q.Type, artifactTypes))
		}
		if in.Query.Run != "" {
			run, err := h.records.Find(in.Context(), in.Query.Run)
			if err != nil {
				return list, err
			}
			q.FlowRunID = run.ID
		}
		found, err := h.records.Artifacts(in.Context(), q)
		return artifactList{orEmpty(found)}, err
	})
	add(h, tag, "GET artifacts/{artifact}", "getArtifact", "One artifact, by its ID, a key for its newest version, or key@version", func(in request[none, none]) (engine.Artifact, error) {
		return h.records.Artifact(in.Context(), in.PathValue("artifact"))
	})
	add(h, tag, "DELETE artifacts/{artifact}", "deleteArtifact", "Delete one version of an artifact", func(in request[none, none]) (none, error) {
		a, err := h.records.Artifact(in.Context(), in.PathValue("artifact"))
		if err == nil {
			err = h.records.DeleteArtifact(in.Context(), a.ID)
		}
		return none{}, err
	})
}
