// Command engines does the no-op work of bench-engine on go-workflows, in a module of
// its own so that it is no dependency of the product. It prints one JSON object.
//
//	engines DATABASE SEQUENTIAL FANOUT
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"
)

func noop(_ context.Context, n int) (int, error) { return n, nil }

// one does n activities, each when the one before has ended; its clock is the machine's,
// read as the activities run.
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

func main() {
	sequential, fanout := number(os.Args[2]), number(os.Args[3])
	ctx, stop := context.WithCancel(context.Background())
	quiet := slog.New(slog.DiscardHandler)
	b := sqlite.NewSqliteBackend(os.Args[1], sqlite.WithBackendOptions(backend.WithLogger(quiet)))
	fast := worker.DefaultOptions // which look for work every 200 ms
	fast.WorkflowPollingInterval, fast.ActivityPollingInterval = time.Millisecond, time.Millisecond
	w := worker.New(b, &fast)
	check(w.RegisterWorkflow(one))
	check(w.RegisterWorkflow(many))
	check(w.RegisterActivity(noop))
	check(w.Start(ctx))
	c := client.New(b)
	run := func(f any, id string, n int) time.Duration {
		begun := time.Now()
		instance, err := c.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: id}, f, n)
		check(err)
		_, err = client.GetWorkflowResult[int](ctx, c, instance, 5*time.Minute)
		check(err)
		return time.Since(begun)
	}
	run(one, "warm", 1)
	var starts []time.Duration
	for i := range 10 {
		starts = append(starts, run(one, "start-"+strconv.Itoa(i), 0))
	}
	slices.Sort(starts)
	all := run(one, "sequential", sequential)
	wide := run(many, "many", fanout)
	check(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"sequential_ms": all.Seconds() * 1000 / float64(sequential),
		"fanout_rate":   float64(fanout) / wide.Seconds(),
		"start_ms":      starts[len(starts)/2].Seconds() * 1000,
	}))
	stop()
	check(w.WaitForCompletion())
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
