package mlflow

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// CreateRegisteredModel implements registry.Models.
func (c *Client) CreateRegisteredModel(ctx context.Context, m registry.NewRegisteredModel) (registry.RegisteredModel, error) {
	var answer modelAnswer
	k := post("registered-models/create", m)
	k.once = true
	err := c.do(ctx, k, &answer)
	return answer.Model, err
}

// GetRegisteredModel implements registry.Models.
func (c *Client) GetRegisteredModel(ctx context.Context, name string) (registry.RegisteredModel, error) {
	var answer modelAnswer
	err := c.do(ctx, get("registered-models/get", url.Values{"name": {name}}), &answer)
	return answer.Model, err
}

func modelQuery(q registry.ModelQuery, limit int) url.Values {
	query := url.Values{"max_results": {strconv.Itoa(cmp.Or(q.MaxResults, limit))}}
	if q.Filter != "" {
		query.Set("filter", q.Filter)
	}
	if q.PageToken != "" {
		query.Set("page_token", q.PageToken)
	}
	for _, o := range q.OrderBy {
		query.Add("order_by", o)
	}
	return query
}

// SearchRegisteredModels implements registry.Models.
func (c *Client) SearchRegisteredModels(ctx context.Context, q registry.ModelQuery) (registry.Page[registry.RegisteredModel], error) {
	var answer modelsAnswer
	err := c.do(ctx, get("registered-models/search", modelQuery(q, 100)), &answer)
	return registry.Page[registry.RegisteredModel]{Items: answer.Models, NextPageToken: answer.NextPageToken}, err
}

// UpdateRegisteredModel implements registry.Models.
func (c *Client) UpdateRegisteredModel(ctx context.Context, name, description string) (registry.RegisteredModel, error) {
	var answer modelAnswer
	err := c.do(ctx, patch("registered-models/update", fields{"name": name, "description": description}), &answer)
	return answer.Model, err
}

// RenameRegisteredModel implements registry.Models.
func (c *Client) RenameRegisteredModel(ctx context.Context, name, newName string) (registry.RegisteredModel, error) {
	var answer modelAnswer
	k := post("registered-models/rename", fields{"name": name, "new_name": newName})
	k.once = true
	err := c.do(ctx, k, &answer)
	return answer.Model, err
}

// DeleteRegisteredModel implements registry.Models.
func (c *Client) DeleteRegisteredModel(ctx context.Context, name string) error {
	k := remove("registered-models/delete", fields{"name": name})
	k.once = true
	return c.do(ctx, k, nil)
}

// SetRegisteredModelTag implements registry.Models.
func (c *Client) SetRegisteredModelTag(ctx context.Context, name string, tag registry.Tag) error {
	return c.do(ctx, post("registered-models/set-tag", fields{"name": name, "key": tag.Key, "value": tag.Value}), nil)
}

// DeleteRegisteredModelTag implements registry.Models.
func (c *Client) DeleteRegisteredModelTag(ctx context.Context, name, key string) error {
	return c.do(ctx, remove("registered-models/delete-tag", fields{"name": name, "key": key}), nil)
}

// LatestVersions implements registry.Models.
func (c *Client) LatestVersions(ctx context.Context, name string, stages []string) ([]registry.ModelVersion, error) {
	var answer versionsAnswer
	err := c.do(ctx, post("registered-models/get-latest-versions", given(fields{"name": name, "stages": stages})), &answer)
	return answer.Versions, err
}

// SetAlias implements registry.Models.
func (c *Client) SetAlias(ctx context.Context, name, alias, version string) error {
	return c.do(ctx, post("registered-models/alias", fields{"name": name, "alias": alias, "version": version}), nil)
}

// DeleteAlias implements registry.Models.
func (c *Client) DeleteAlias(ctx context.Context, name, alias string) error {
	return c.do(ctx, remove("registered-models/alias", fields{"name": name, "alias": alias}), nil)
}

// VersionByAlias implements registry.Models.
func (c *Client) VersionByAlias(ctx context.Context, name, alias string) (registry.ModelVersion, error) {
	var answer versionAnswer
	err := c.do(ctx, get("registered-models/alias", url.Values{"name": {name}, "alias": {alias}}), &answer)
	return answer.Version, err
}

// CreateModelVersion implements registry.Versions.
func (c *Client) CreateModelVersion(ctx context.Context, v registry.NewModelVersion) (registry.ModelVersion, error) {
	var answer versionAnswer
	k := post("model-versions/create", v)
	k.once = true
	err := c.do(ctx, k, &answer)
	return answer.Version, err
}

// GetModelVersion implements registry.Versions.
func (c *Client) GetModelVersion(ctx context.Context, name, version string) (registry.ModelVersion, error) {
	var answer versionAnswer
	err := c.do(ctx, get("model-versions/get", url.Values{"name": {name}, "version": {version}}), &answer)
	return answer.Version, err
}

// SearchModelVersions implements registry.Versions.
func (c *Client) SearchModelVersions(ctx context.Context, q registry.ModelQuery) (registry.Page[registry.ModelVersion], error) {
	var answer versionsAnswer
	err := c.do(ctx, get("model-versions/search", modelQuery(q, 10000)), &answer)
	return registry.Page[registry.ModelVersion]{Items: answer.Versions, NextPageToken: answer.NextPageToken}, err
}

// UpdateModelVersion implements registry.Versions.
func (c *Client) UpdateModelVersion(ctx context.Context, name, version, description string) (registry.ModelVersion, error) {
	var answer versionAnswer
	err := c.do(ctx, patch("model-versions/update", fields{"name": name, "version": version, "description": description}), &answer)
	return answer.Version, err
}

// DeleteModelVersion implements registry.Versions.
func (c *Client) DeleteModelVersion(ctx context.Context, name, version string) error {
	k := remove("model-versions/delete", fields{"name": name, "version": version})
	k.once = true
	return c.do(ctx, k, nil)
}

// TransitionStage implements registry.Versions.
func (c *Client) TransitionStage(ctx context.Context, name, version, stage string, archive bool) (registry.ModelVersion, error) {
	var answer versionAnswer
	err := c.do(ctx, post("model-versions/transition-stage", fields{"name": name, "version": version, "stage": stage,
		"archive_existing_versions": archive}), &answer)
	return answer.Version, err
}

// SetModelVersionTag implements registry.Versions.
func (c *Client) SetModelVersionTag(ctx context.Context, name, version string, tag registry.Tag) error {
	return c.do(ctx, post("model-versions/set-tag", fields{"name": name, "version": version, "key": tag.Key, "value": tag.Value}), nil)
}

// DeleteModelVersionTag implements registry.Versions.
func (c *Client) DeleteModelVersionTag(ctx context.Context, name, version, key string) error {
	return c.do(ctx, remove("model-versions/delete-tag", fields{"name": name, "version": version, "key": key}), nil)
}

// ModelVersionURI implements registry.Versions. MLflow's own server leaves it to
// clients to find the run that a runs:/ URI is about.
func (c *Client) ModelVersionURI(ctx context.Context, name, version string) (string, error) {
	var answer uriAnswer
	err := c.do(ctx, get("model-versions/get-download-uri", url.Values{"name": {name}, "version": {version}}), &answer)
	if err != nil {
		return "", err
	}
	place, ofRun := strings.CutPrefix(answer.URI, "runs:/")
	if !ofRun {
		return answer.URI, nil
	}
	runID, folder, _ := strings.Cut(place, "/")
	r, err := c.GetRun(ctx, runID)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(r.Info.ArtifactURI+"/"+folder, "/"), nil
}
