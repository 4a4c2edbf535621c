package enginehttp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

type deploymentRecords interface {
	ApplyDeployments(ctx context.Context, list []schedule.Deployment) ([]schedule.Record, error)
	ChangeDeployment(ctx context.Context, id string, edit func(*schedule.Deployment) error) (schedule.Record, error)
	DeleteDeployment(ctx context.Context, id string) error
	Deployments(ctx context.Context) ([]schedule.Record, error)
	FindDeployment(ctx context.Context, ref string) (schedule.Record, error)
	DeploymentRuns(ctx context.Context, d schedule.Deployment, upcoming bool, limit int) ([]engine.FlowRun, error)
	RunDeployment(ctx context.Context, id string, r schedule.RunRequest) (engine.FlowRun, error)
	Backfill(ctx context.Context, id string, b schedule.Backfill) (runs []engine.FlowRun, there int, err error)
}

const aboutDeployments = "Deployments"

type deploymentList struct {
	Deployments []schedule.Record `json:"deployments"`
}

type applyDeployments struct {
	Deployments []schedule.Deployment `json:"deployments" required:"true" doc:"made, or changed where there is one of that flow and name: all or none"`
}

type listDeployments struct {
	Flow string `json:"flow" doc:"of this flow only"`
}

type listDeploymentRuns struct {
	Upcoming bool `json:"upcoming" doc:"those that are still to begin, the next first"`
	Limit    int  `json:"limit" min:"1" max:"1000" default:"50"`
}

type flowRunList struct {
	FlowRuns []FlowRun `json:"flow_runs"`
}

type runDeployment struct {
	Parameters     json.RawMessage `json:"parameters" doc:"an object laid over the deployment's parameters"`
	Name           string          `json:"name" doc:"of the run; left out: one is found"`
	Tags           []string        `json:"tags" doc:"beside the deployment's"`
	StartAt        time.Time       `json:"start_at" doc:"left out: now"`
	Expected       time.Time       `json:"expected_start_time" doc:"what the run takes its dates from; left out: start_at"`
	IdempotencyKey string          `json:"idempotency_key" doc:"makes one run at most: asked again, the API answers with it"`
}

type backfillDeployment struct {
	From     time.Time          `json:"from" required:"true"`
	To       time.Time          `json:"to" required:"true" doc:"included"`
	Schedule *schedule.Schedule `json:"schedule" doc:"when runs would have been due; left out: as the deployment's own schedules say"`
	Again    bool               `json:"again" doc:"also for instants that had a run"`
}

type backfilled struct {
	FlowRuns     []FlowRun `json:"flow_runs"`
	AlreadyThere int       `json:"already_there"`
}

func (h *handler) addDeployments() {
	add(h, aboutDeployments, "GET deployments", "listDeployments", "List deployments", func(in request[listDeployments, none]) (deploymentList, error) {
		all, err := h.records.Deployments(in.Context())
		list := deploymentList{[]schedule.Record{}}
		for _, d := range all {
			if in.Query.Flow == "" || d.Spec.Flow == in.Query.Flow {
				list.Deployments = append(list.Deployments, d)
			}
		}
		return list, err
	})
	add(h, aboutDeployments, "POST deployments", "applyDeployments", "Make deployments, or change those that are there: all or none", func(in request[none, applyDeployments]) (deploymentList, error) {
		for i, d := range in.Body.Deployments {
			if err := h.checkDeployment(d); err != nil {
				return deploymentList{}, within(fmt.Sprintf("deployments[%d]", i), err)
			}
		}
		applied, err := h.records.ApplyDeployments(in.Context(), in.Body.Deployments)
		return deploymentList{orEmpty(applied)}, err
	})
	add(h, aboutDeployments, "GET deployments/{ref}", "getDeployment", "One deployment, by its ID, its name or flow%2Fname", func(in request[none, none]) (schedule.Record, error) {
		return h.deployment(in.Request)
	})
	add(h, aboutDeployments, "PUT deployments/{ref}", "replaceDeployment", "Change a deployment; flow and name stay", func(in request[none, schedule.Deployment]) (schedule.Record, error) {
		return h.edit(in.Request, func(d *schedule.Deployment) error { *d = in.Body; return nil })
	})
	add(h, aboutDeployments, "DELETE deployments/{ref}", "deleteDeployment", "Delete a deployment and the runs that its schedules have made ahead", func(in request[none, none]) (none, error) {
		d, err := h.deployment(in.Request)
		if err == nil {
			err = h.records.DeleteDeployment(in.Context(), d.ID)
		}
		return none{}, err
	})
	add(h, aboutDeployments, "POST deployments/{ref}/pause", "pauseDeployment", "Let its schedules make no runs", func(in request[none, none]) (schedule.Record, error) {
		return h.edit(in.Request, func(d *schedule.Deployment) error { d.Paused = true; return nil })
	})
	add(h, aboutDeployments, "POST deployments/{ref}/resume", "resumeDeployment", "Let its schedules make runs again", func(in request[none, none]) (schedule.Record, error) {
		return h.edit(in.Request, func(d *schedule.Deployment) error { d.Paused = false; return nil })
	})
	add(h, aboutDeployments, "GET deployments/{ref}/runs", "listDeploymentRuns", "Its newest runs, or the next ones", func(in request[listDeploymentRuns, none]) (flowRunList, error) {
		d, err := h.deployment(in.Request)
		if err != nil {
			return flowRunList{}, err
		}
		runs, err := h.records.DeploymentRuns(in.Context(), d.Spec, in.Query.Upcoming, in.Query.Limit)
		return flowRunList{NewFlowRuns(runs)}, err
	})
	add(h, aboutDeployments, "POST deployments/{ref}/runs", "runDeployment", "Make a run of it, for a worker to carry out, now or later", h.runDeployment).status = http.StatusCreated
	add(h, aboutDeployments, "POST deployments/{ref}/backfill", "backfillDeployment", "Make the runs that schedules would have made in a time", h.backfill).status = http.StatusCreated
}

func (h *handler) deployment(r *http.Request) (schedule.Record, error) {
	return h.records.FindDeployment(r.Context(), r.PathValue("ref"))
}

// checkDeployment checks d as the command does.
func (h *handler) checkDeployment(d schedule.Deployment) error {
	_, err := d.Normalize(time.Now())
	if err != nil {
		return invalid("", fmt.Sprintf("deployment %s: %v", d.Ref(), err))
	}
	if f, err := h.flow(d.Flow); err == nil {
		if err := known(f.Info().Parameters, d.Parameters, "parameters"); err != nil {
			return err
		}
	}
	err = d.Check(h.flows)
	if err != nil && problemOf(err) == nil {
		return invalid("flow", err.Error())
	}
	return within("parameters", err)
}

// edit changes the deployment that the path names.
func (h *handler) edit(r *http.Request, change func(*schedule.Deployment) error) (schedule.Record, error) {
	d, err := h.deployment(r)
	if err != nil {
		return d, err
	}
	return h.records.ChangeDeployment(r.Context(), d.ID, func(d *schedule.Deployment) error {
		flow, name := d.Flow, d.Name
		if err := change(d); err != nil {
			return err
		}
		if d.Flow != flow || d.Name != name {
			return invalid("name", fmt.Sprintf("deployment %s/%s cannot become %s: apply that as another", flow, name, d.Ref()))
		}
		return h.checkDeployment(*d)
	})
}

func (h *handler) runDeployment(in request[none, runDeployment]) (FlowRun, error) {
	d, err := h.deployment(in.Request)
	if err != nil {
		return FlowRun{}, err
	}
	full := d.Spec
	if full.Parameters, err = d.Spec.RunParameters(nil, in.Body.Parameters); err != nil {
		return FlowRun{}, invalid("parameters", err.Error())
	}
	full.Schedules = nil
	if err := h.checkDeployment(full); err != nil {
		return FlowRun{}, err
	}
	run, err := h.records.RunDeployment(in.Context(), d.ID, schedule.RunRequest{
		Parameters: in.Body.Parameters, Name: in.Body.Name, Tags: in.Body.Tags, At: in.Body.StartAt,
		ExpectedStart: in.Body.Expected, IdempotencyKey: in.Body.IdempotencyKey,
	})
	return NewFlowRun(run), err
}

func (h *handler) backfill(in request[none, backfillDeployment]) (backfilled, error) {
	d, err := h.deployment(in.Request)
	if err != nil {
		return backfilled{}, err
	}
	if in.Body.To.Before(in.Body.From) {
		return backfilled{}, invalid("to", "to is before from")
	}
	runs, there, err := h.records.Backfill(in.Context(), d.ID, schedule.Backfill{
		From: in.Body.From, To: in.Body.To, Schedule: in.Body.Schedule, Again: in.Body.Again})
	return backfilled{NewFlowRuns(runs), there}, err
}
