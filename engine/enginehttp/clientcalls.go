package enginehttp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// FlowRun returns the run that ref names: its ID, the beginning of one, a name or
// "latest".
func (c *Client) FlowRun(ctx context.Context, ref string) (engine.FlowRun, error) {
	var answer Details
	err := c.call(ctx, http.MethodGet, "flow-runs/"+url.PathEscape(ref), nil, &answer)
	return answer.FlowRun.Record(), err
}

// ApplyDeployments makes deployments, or changes those that are there: all or none.
func (c *Client) ApplyDeployments(ctx context.Context, list []schedule.Deployment) ([]schedule.Record, error) {
	var answer deploymentList
	err := c.call(ctx, http.MethodPost, "deployments", applyDeployments{list}, &answer)
	return answer.Deployments, err
}

// Deployments returns all deployments.
func (c *Client) Deployments(ctx context.Context) ([]schedule.Record, error) {
	var answer deploymentList
	err := c.call(ctx, http.MethodGet, "deployments", nil, &answer)
	return answer.Deployments, err
}

// FindDeployment returns the one deployment that ref names.
func (c *Client) FindDeployment(ctx context.Context, ref string) (d schedule.Record, err error) {
	return d, c.call(ctx, http.MethodGet, "deployments/"+url.PathEscape(ref), nil, &d)
}

// ChangeDeployment lets edit change a deployment.
func (c *Client) ChangeDeployment(ctx context.Context, ref string, edit func(*schedule.Deployment) error) (schedule.Record, error) {
	d, err := c.FindDeployment(ctx, ref)
	if err == nil {
		err = edit(&d.Spec)
	}
	if err == nil {
		err = c.call(ctx, http.MethodPut, "deployments/"+url.PathEscape(d.ID), d.Spec, &d)
	}
	return d, err
}

// DeleteDeployment deletes a deployment.
func (c *Client) DeleteDeployment(ctx context.Context, ref string) error {
	return c.call(ctx, http.MethodDelete, "deployments/"+url.PathEscape(ref), nil, nil)
}

// DeploymentRuns returns the newest runs of a deployment, or the next ones.
func (c *Client) DeploymentRuns(ctx context.Context, d schedule.Deployment, upcoming bool, limit int) ([]engine.FlowRun, error) {
	var answer flowRunList
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("deployments/%s/runs?upcoming=%t&limit=%d", url.PathEscape(d.Ref()), upcoming, limit), nil, &answer)
	return records(answer.FlowRuns), err
}

// RunDeployment makes a run of a deployment.
func (c *Client) RunDeployment(ctx context.Context, ref string, r schedule.RunRequest) (engine.FlowRun, error) {
	body := map[string]any{"name": r.Name, "tags": orEmpty(r.Tags), "idempotency_key": r.IdempotencyKey}
	if len(r.Parameters) > 0 {
		body["parameters"] = r.Parameters
	}
	if !r.At.IsZero() {
		body["start_at"] = r.At
	}
	if !r.ExpectedStart.IsZero() {
		body["expected_start_time"] = r.ExpectedStart
	}
	var answer FlowRun
	err := c.call(ctx, http.MethodPost, "deployments/"+url.PathEscape(ref)+"/runs", body, &answer)
	return answer.Record(), err
}

// Backfill makes the runs that schedules would have made in a time.
func (c *Client) Backfill(ctx context.Context, ref string, b schedule.Backfill) (runs []engine.FlowRun, there int, err error) {
	var answer backfilled
	err = c.call(ctx, http.MethodPost, "deployments/"+url.PathEscape(ref)+"/backfill", backfillDeployment{b.From, b.To, b.Schedule, b.Again}, &answer)
	return records(answer.FlowRuns), answer.AlreadyThere, err
}

// ChangePool lets edit change a work pool.
func (c *Client) ChangePool(ctx context.Context, name string, edit func(*worker.Pool)) (p worker.Pool, err error) {
	path := "work-pools/" + url.PathEscape(name)
	if err := c.call(ctx, http.MethodGet, path, nil, &p); err != nil {
		return p, err
	}
	edit(&p)
	return p, c.call(ctx, http.MethodPatch, path, changePool{&p.Description, &p.Limit, &p.Paused}, &p)
}

// PutQueue makes a work queue, or lets edit change the one that is there.
func (c *Client) PutQueue(ctx context.Context, pool, name string, create bool, edit func(*worker.Queue)) (q worker.Queue, err error) {
	path := "work-pools/" + url.PathEscape(pool) + "/queues"
	if create {
		q = worker.Queue{Name: name, Priority: worker.DefaultPriority}
		edit(&q)
		return q, c.call(ctx, http.MethodPost, path, createQueue{name, q.Priority, q.Limit, q.Paused}, &q)
	}
	var answer queueList
	if err := c.call(ctx, http.MethodGet, "work-queues?pool="+url.QueryEscape(pool), nil, &answer); err != nil {
		return q, err
	}
	q.Name = name
	for _, there := range answer.Queues {
		if there.Name == name {
			q = there
		}
	}
	edit(&q)
	var change changeQueue
	if q.Pool != "" { // else the server says that there is none
		change = changeQueue{&q.Priority, &q.Limit, &q.Paused}
	}
	return q, c.call(ctx, http.MethodPatch, path+"/"+url.PathEscape(name), change, &q)
}

// Preview returns what a worker of the pool would take next.
func (c *Client) Preview(ctx context.Context, pool string, queues []string, limit int) ([]worker.Due, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}, "queue": queues}
	var answer dueList
	err := c.call(ctx, http.MethodGet, "work-pools/"+url.PathEscape(pool)+"/preview?"+query.Encode(), nil, &answer)
	var due []worker.Due
	for _, d := range answer.Due {
		due = append(due, worker.Due{FlowRun: d.FlowRun.Record(), Queue: d.Queue, Why: d.Why})
	}
	return due, err
}
