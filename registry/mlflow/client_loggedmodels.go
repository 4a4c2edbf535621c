package mlflow

import (
	"context"
	"net/url"

	"github.com/taximeter/taximeter/registry"
)

// CreateLoggedModel implements registry.LoggedModels.
func (c *Client) CreateLoggedModel(ctx context.Context, m registry.NewLoggedModel) (registry.LoggedModel, error) {
	var answer loggedModelAnswer
	k := post("logged-models", m)
	k.once = true
	err := c.do(ctx, k, &answer)
	return answer.Model, err
}

// GetLoggedModel implements registry.LoggedModels.
func (c *Client) GetLoggedModel(ctx context.Context, modelID string) (registry.LoggedModel, error) {
	var answer loggedModelAnswer
	err := c.do(ctx, get("logged-models/"+url.PathEscape(modelID), nil), &answer)
	return answer.Model, err
}

// FindLoggedModel implements registry.LoggedModels.
func (c *Client) FindLoggedModel(ctx context.Context, modelID string) (registry.LoggedModel, error) {
	var answer loggedModelAnswer
	err := c.do(ctx, get("logged-models/"+url.PathEscape(modelID), url.Values{"allow_deleted": {"true"}}), &answer)
	return answer.Model, err
}

// FinalizeLoggedModel implements registry.LoggedModels.
func (c *Client) FinalizeLoggedModel(ctx context.Context, modelID string, status registry.LoggedModelStatus) (registry.LoggedModel, error) {
	var answer loggedModelAnswer
	err := c.do(ctx, patch("logged-models/"+url.PathEscape(modelID), fields{"model_id": modelID, "status": status}), &answer)
	return answer.Model, err
}

// DeleteLoggedModel implements registry.LoggedModels.
func (c *Client) DeleteLoggedModel(ctx context.Context, modelID string) error {
	k := remove("logged-models/"+url.PathEscape(modelID), fields{"model_id": modelID})
	k.once = true
	return c.do(ctx, k, nil)
}

// SearchLoggedModels implements registry.LoggedModels.
func (c *Client) SearchLoggedModels(ctx context.Context, q registry.LoggedModelQuery) (registry.Page[registry.LoggedModel], error) {
	body := given(fields{"experiment_ids": q.ExperimentIDs, "filter": q.Filter, "max_results": q.MaxResults, "page_token": q.PageToken})
	if len(q.OrderBy) > 0 {
		body["order_by"] = q.OrderBy
	}
	var answer loggedModelsAnswer
	err := c.do(ctx, post("logged-models/search", body), &answer)
	return registry.Page[registry.LoggedModel]{Items: answer.Models, NextPageToken: answer.NextPageToken}, err
}

// SetLoggedModelTags implements registry.LoggedModels.
func (c *Client) SetLoggedModelTags(ctx context.Context, modelID string, tags []registry.Tag) error {
	return c.do(ctx, patch("logged-models/"+url.PathEscape(modelID)+"/tags", fields{"model_id": modelID, "tags": tags}), nil)
}

// DeleteLoggedModelTag implements registry.LoggedModels.
func (c *Client) DeleteLoggedModelTag(ctx context.Context, modelID, key string) error {
	k := remove("logged-models/"+url.PathEscape(modelID)+"/tags/"+url.PathEscape(key), fields{"model_id": modelID, "tag_key": key})
	k.once = true
	return c.do(ctx, k, nil)
}

// LogLoggedModelParams implements registry.LoggedModels.
func (c *Client) LogLoggedModelParams(ctx context.Context, modelID string, params []registry.Param) error {
	return c.do(ctx, post("logged-models/"+url.PathEscape(modelID)+"/params", fields{"model_id": modelID, "params": params}), nil)
}
