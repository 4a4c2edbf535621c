package enginehttp

import (
	"context"
	"errors"
	"time"

	"github.com/taximeter/taximeter/engine/worker"
)

const aboutWorkers = "Workers"

type workerList struct {
	Workers []worker.Status `json:"workers"`
}

type beat struct {
	Worker  worker.Info `json:"worker" required:"true"`
	Running []string    `json:"running" doc:"IDs of the flow runs that it carries out"`
}

type beaten struct {
	End []string `json:"end" doc:"those of running that the worker is to end"`
}

type claim struct {
	Worker worker.Info `json:"worker" required:"true"`
	Most   int         `json:"most" required:"true" min:"1" max:"1000"`
	Before time.Time   `json:"before" required:"true" doc:"runs that are due until then"`
}

type claimed struct {
	FlowRuns []FlowRun  `json:"flow_runs"`
	Next     *time.Time `json:"next" doc:"when the next run will be due, if any is known"`
}

type ofRun struct {
	FlowRun string `json:"flow_run_id" required:"true" min:"1"`
	Message string `json:"message" doc:"why it did not end by itself, if anyone knows"`
}

type patience struct {
	Seconds float64 `json:"seconds" min:"0" max:"60" default:"30"`
}

type planned struct {
	At time.Time `json:"at" doc:"left out: now"`
}

type nextPlan struct {
	Next *time.Time `json:"next" doc:"when to plan again, at the latest"`
}

func (h *handler) addWorkers() {
	add(h, aboutWorkers, "GET workers", "listWorkers", "List workers, and whether they live", func(in request[ofPool, none]) (workerList, error) {
		workers, err := h.records.Workers(in.Context(), in.Query.Pool)
		return workerList{orEmpty(workers)}, err
	})
	add(h, aboutWorkers, "POST workers/beat", "beatWorker", "Say that a worker lives, and hear what it is to end", func(in request[none, beat]) (beaten, error) {
		if err := checkWorker(in.Body.Worker); err != nil {
			return beaten{}, err
		}
		end, err := h.records.BeatFor(in.Context(), in.Body.Worker, "", in.Body.Running)
		return beaten{orEmpty(end)}, err
	})
	add(h, aboutWorkers, "POST workers/claim", "claimRuns", "Give a worker runs that are due, each to one worker only", func(in request[none, claim]) (claimed, error) {
		if err := checkWorker(in.Body.Worker); err != nil {
			return claimed{}, err
		}
		runs, next, err := h.records.Claim(in.Context(), in.Body.Worker, in.Body.Most, in.Body.Before)
		return claimed{NewFlowRuns(runs), orNil(next)}, err
	})
	add(h, aboutWorkers, "POST workers/{worker}/give-back", "giveBackRun", "Give back a run that was claimed and has not begun", func(in request[none, ofRun]) (none, error) {
		return none{}, h.records.GiveBack(in.Context(), in.PathValue("worker"), in.Body.FlowRun)
	})
	add(h, aboutWorkers, "POST workers/{worker}/done", "finishRun", "Say that nobody carries out a run any more, on the worker's side", func(in request[none, ofRun]) (none, error) {
		return none{}, h.records.Done(in.Context(), in.PathValue("worker"), in.Body.FlowRun, in.Body.Message)
	})
	add(h, aboutWorkers, "DELETE workers/{worker}", "leaveWorker", "Say that a worker ends; what it had claimed and not begun is given back", func(in request[none, none]) (none, error) {
		return none{}, h.records.Leave(in.Context(), in.PathValue("worker"))
	})
	add(h, aboutWorkers, "POST workers/wait", "waitForWork", "Answer when there may be more to claim, or when seconds are over", func(in request[patience, none]) (none, error) {
		ctx, cancel := context.WithTimeout(in.Context(), worker.Seconds(in.Query.Seconds).Duration())
		defer cancel()
		err := h.records.Wait(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
		return none{}, err
	})
	add(h, aboutWorkers, "POST plan", "planRuns", "Make the runs that schedules want, mark what is late and settle what dead workers have left", func(in request[none, planned]) (nextPlan, error) {
		at := in.Body.At
		if at.IsZero() {
			at = time.Now()
		}
		next, err := h.records.Plan(in.Context(), at)
		return nextPlan{orNil(next)}, err
	})
}

func checkWorker(w worker.Info) error {
	switch {
	case w.ID == "":
		return invalid("worker.id", "worker.id is missing: want what identifies the worker")
	case w.Every <= 0:
		return invalid("worker.heartbeat_seconds", "worker.heartbeat_seconds: want a number above 0")
	}
	if err := checkName(w.Pool); err != nil || w.Pool == "" {
		return invalid("worker.pool", "worker.pool: want the name of a work pool")
	}
	return nil
}
