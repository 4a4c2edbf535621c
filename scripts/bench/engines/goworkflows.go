package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/registry"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"
)

func noop(_ context.Context, n int) (int, error) { return n, nil }

// one does n activities, each when the one before has ended.
func one(ctx workflow.Context, n int) (int, error) {
	for i := range n {
		if _, err := workflow.ExecuteActivity[int](ctx, workflow.DefaultActivityOptions, noop, i).Get(ctx); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// many does n activities at once.
func many(ctx workflow.Context, n int) (int, error) {
	var futures []workflow.Future[int]
	for i := range n {
		futures = append(futures, workflow.ExecuteActivity[int](ctx, workflow.DefaultActivityOptions, noop, i))
	}
	for _, f := range futures {
		if _, err := f.Get(ctx); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// onGoWorkflows leaves SQLite at synchronous=FULL, as the library does.
func onGoWorkflows(database string, sequential, fanout int) figures {
	ctx, stop := context.WithCancel(context.Background())
	quiet := slog.New(slog.DiscardHandler)
	b := sqlite.NewSqliteBackend(database, sqlite.WithBackendOptions(backend.WithLogger(quiet)))
	fast := worker.DefaultOptions // which look for work every 200 ms
	fast.WorkflowPollingInterval, fast.ActivityPollingInterval = time.Millisecond, time.Millisecond
	w := worker.New(b, &fast)
	began := make(chan time.Time, 1)
	empty := func(workflow.Context, int) (int, error) { began <- time.Now(); return 0, nil }
	check(w.RegisterWorkflow(one))
	check(w.RegisterWorkflow(many))
	check(w.RegisterWorkflow(empty, registry.WithName("empty")))
	check(w.RegisterActivity(noop))
	check(w.Start(ctx))
	c := client.New(b)
	run := func(f any, id string, n int) (begun time.Time, took time.Duration) {
		begun = time.Now()
		instance, err := c.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: id}, f, n)
		check(err)
		_, err = client.GetWorkflowResult[int](ctx, c, instance, 5*time.Minute)
		check(err)
		return begun, time.Since(begun)
	}
	run(one, "warm", 1)
	var starts []time.Duration
	for i := range 10 {
		begun, _ := run("empty", "start-"+strconv.Itoa(i), 0)
		starts = append(starts, (<-began).Sub(begun))
	}
	_, all := run(one, "sequential", sequential)
	_, wide := run(many, "many", fanout)
	stop()
	check(w.WaitForCompletion())
	return figures{all.Seconds() * 1000 / float64(sequential), float64(fanout) / wide.Seconds(), median(starts)}
}
