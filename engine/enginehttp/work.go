package enginehttp

import (
	"context"
	"fmt"
	"net/http"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

type workRecords interface {
	worker.Source
	worker.Planner
	BeatFor(ctx context.Context, w worker.Info, owner string, running []string) (end []string, err error)
	Pools(ctx context.Context) ([]worker.Pool, error)
	Pool(ctx context.Context, name string) (worker.Pool, error)
	CreatePool(ctx context.Context, p worker.Pool) (worker.Pool, error)
	ChangePool(ctx context.Context, name string, edit func(*worker.Pool)) (worker.Pool, error)
	DeletePool(ctx context.Context, name string) error
	Queues(ctx context.Context, pool string) ([]worker.Queue, error)
	PutQueue(ctx context.Context, pool, name string, create bool, edit func(*worker.Queue)) (worker.Queue, error)
	Workers(ctx context.Context, pool string) ([]worker.Status, error)
	Preview(ctx context.Context, pool string, queues []string, limit int) ([]worker.Due, error)
}

const aboutWork = "Work pools"

type poolList struct {
	Pools []worker.Pool `json:"work_pools"`
}

type createPool struct {
	Name        string `json:"name" required:"true" min:"1"`
	Type        string `json:"type" enum:"process" default:"process"`
	Description string `json:"description"`
	Limit       int    `json:"limit" min:"0" doc:"runs at once, of all workers; 0: any number"`
	Paused      bool   `json:"paused"`
}

type changePool struct {
	Description *string `json:"description"`
	Limit       *int    `json:"limit" min:"0" doc:"runs at once, of all workers; 0: any number"`
	Paused      *bool   `json:"paused"`
}

type ofPool struct {
	Pool string `json:"pool" doc:"of this pool only"`
}

type queueList struct {
	Queues []worker.Queue `json:"work_queues"`
}

type createQueue struct {
	Name     string `json:"name" required:"true" min:"1"`
	Priority int    `json:"priority" min:"1" default:"100" doc:"1 is the most urgent"`
	Limit    int    `json:"limit" min:"0" doc:"runs at once; 0: any number"`
	Paused   bool   `json:"paused"`
}

type changeQueue struct {
	Priority *int  `json:"priority" min:"1" doc:"1 is the most urgent"`
	Limit    *int  `json:"limit" min:"0" doc:"runs at once; 0: any number"`
	Paused   *bool `json:"paused"`
}

type preview struct {
	Queue []string `json:"queue" doc:"as a worker of these queues would see it"`
	Limit int      `json:"limit" min:"1" max:"1000" default:"50"`
}

// Due is a run that waits for a worker, and why it still does.
type Due struct {
	FlowRun FlowRun `json:"flow_run"`
	Queue   string  `json:"work_queue"`
	Why     string  `json:"why"`
}

// NewDue shows what waits.
func NewDue(due []worker.Due) []Due {
	list := make([]Due, len(due))
	for i, d := range due {
		list[i] = Due{NewFlowRun(d.FlowRun), d.Queue, d.Why}
	}
	return list
}

type dueList struct {
	Due []Due `json:"due"`
}

func (h *handler) addPools() {
	add(h, aboutWork, "GET work-pools", "listWorkPools", "List work pools", func(in request[none, none]) (poolList, error) {
		pools, err := h.records.Pools(in.Context())
		return poolList{orEmpty(pools)}, err
	})
	add(h, aboutWork, "POST work-pools", "createWorkPool", "Make a work pool, with a default queue", func(in request[none, createPool]) (worker.Pool, error) {
		if err := checkName(in.Body.Name); err != nil {
			return worker.Pool{}, err
		}
		return h.records.CreatePool(in.Context(), worker.Pool{Name: in.Body.Name, Type: in.Body.Type, Description: in.Body.Description, Limit: in.Body.Limit, Paused: in.Body.Paused})
	}).status = http.StatusCreated
	add(h, aboutWork, "GET work-pools/{pool}", "getWorkPool", "One work pool", func(in request[none, none]) (worker.Pool, error) {
		return h.records.Pool(in.Context(), in.PathValue("pool"))
	})
	add(h, aboutWork, "PATCH work-pools/{pool}", "changeWorkPool", "Pause a work pool, or change its limit", func(in request[none, changePool]) (worker.Pool, error) {
		return h.records.ChangePool(in.Context(), in.PathValue("pool"), func(p *worker.Pool) {
			set(&p.Description, in.Body.Description)
			set(&p.Limit, in.Body.Limit)
			set(&p.Paused, in.Body.Paused)
		})
	})
	add(h, aboutWork, "DELETE work-pools/{pool}", "deleteWorkPool", "Delete a work pool that nothing uses", func(in request[none, none]) (none, error) {
		return none{}, h.records.DeletePool(in.Context(), in.PathValue("pool"))
	})
	add(h, aboutWork, "GET work-pools/{pool}/preview", "previewWork", "What a worker would take next, in that order, and why nobody has", func(in request[preview, none]) (dueList, error) {
		if _, err := h.records.Pool(in.Context(), in.PathValue("pool")); err != nil {
			return dueList{}, err
		}
		due, err := h.records.Preview(in.Context(), in.PathValue("pool"), in.Query.Queue, in.Query.Limit)
		return dueList{NewDue(due)}, err
	})
	add(h, aboutWork, "GET work-queues", "listWorkQueues", "List work queues, the most urgent of each pool first", func(in request[ofPool, none]) (queueList, error) {
		queues, err := h.records.Queues(in.Context(), in.Query.Pool)
		return queueList{orEmpty(queues)}, err
	})
	add(h, aboutWork, "POST work-pools/{pool}/queues", "createWorkQueue", "Make a work queue", func(in request[none, createQueue]) (worker.Queue, error) {
		if err := checkName(in.Body.Name); err != nil {
			return worker.Queue{}, err
		}
		if _, err := h.records.Pool(in.Context(), in.PathValue("pool")); err != nil {
			return worker.Queue{}, err
		}
		return h.records.PutQueue(in.Context(), in.PathValue("pool"), in.Body.Name, true, func(q *worker.Queue) {
			q.Priority, q.Limit, q.Paused = in.Body.Priority, in.Body.Limit, in.Body.Paused
		})
	}).status = http.StatusCreated
	add(h, aboutWork, "PATCH work-pools/{pool}/queues/{queue}", "changeWorkQueue", "Pause a work queue, or change its priority or limit", func(in request[none, changeQueue]) (worker.Queue, error) {
		return h.records.PutQueue(in.Context(), in.PathValue("pool"), in.PathValue("queue"), false, func(q *worker.Queue) {
			set(&q.Priority, in.Body.Priority)
			set(&q.Limit, in.Body.Limit)
			set(&q.Paused, in.Body.Paused)
		})
	})
}

// checkName refuses names that pools and queues of deployments cannot have.
func checkName(name string) error {
	d := schedule.Deployment{Flow: "flow", Name: "name", Pool: name}
	if _, err := d.Normalize(engine.State{}.Time); err != nil {
		return invalid("name", fmt.Sprintf("name %q: want letters, digits, dashes and spaces", name))
	}
	return nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
