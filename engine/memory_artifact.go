package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// PutArtifact implements History.
func (m *MemoryHistory) PutArtifact(_ context.Context, a Artifact) (Artifact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.find(a.FlowRunID); err != nil {
		return a, err
	}
	a.Version = 0
	for i, old := range m.artifacts {
		if old.ID == a.ID {
			if old.Key != a.Key || old.FlowRunID != a.FlowRunID {
				return a, fmt.Errorf("artifact %s is %s of flow run %s: %w", a.ID, old, old.FlowRunID, ErrRefused)
			}
			a.Version, a.Created = old.Version, old.Created
			m.artifacts[i] = a
			return a, nil
		}
		if a.Key != "" && old.Key == a.Key {
			a.Version = max(a.Version, old.Version)
		}
	}
	if a.Key != "" {
		a.Version++
	}
	m.artifacts = append(m.artifacts, a)
	return a, nil
}

// Artifacts returns what q wants, newest first.
func (m *MemoryHistory) Artifacts(_ context.Context, q ArtifactQuery) ([]Artifact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := map[string]int{}
	for _, a := range m.artifacts {
		newest[a.Key] = max(newest[a.Key], a.Version)
	}
	var list []Artifact
	for _, a := range m.artifacts {
		switch {
		case q.Key != "" && a.Key != q.Key, q.Type != "" && a.Type != q.Type, q.FlowRunID != "" && a.FlowRunID != q.FlowRunID,
			q.TaskKey != "" && a.TaskKey != q.TaskKey, q.Latest && a.Version < newest[a.Key]:
		default:
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b Artifact) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Version, a.Version), cmp.Compare(a.ID, b.ID))
	})
	if q.Limit > 0 {
		list = list[:min(q.Limit, len(list))]
	}
	return list, nil
}
