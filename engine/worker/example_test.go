package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// A program with a flow of its own schedules it, and a worker carries it out.
func Example() {
	dir, _ := os.MkdirTemp("", "worker-*")
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(context.Background())
	store, _ := history.Open(ctx, dir)
	defer store.Close()

	type params struct{ Who string }
	greet := engine.Flow[params, string]{Name: "greet", Func: func(_ *engine.Ctx, p params) (engine.Arg[string], error) {
		fmt.Println("hello,", p.Who)
		stop()
		return engine.Val("done"), nil
	}}
	deployments, _ := store.ApplyDeployments(ctx, []schedule.Deployment{{
		Flow: "greet", Name: "monthly", Parameters: json.RawMessage(`{"Who":"taxi"}`),
		Schedules: []schedule.Schedule{{Slug: "fifteenth", Cron: "0 9 15 * *", TimeZone: "America/New_York"}},
	}})
	_, _ = store.RunDeployment(ctx, deployments[0].ID, schedule.RunRequest{})

	w := &worker.Worker{Source: store, Log: slog.New(slog.DiscardHandler),
		Runner: worker.InProcess{Engine: &engine.Engine{History: store}, Flows: []engine.Runnable{greet}}}
	fmt.Println(w.Run(ctx))
	// Output:
	// hello, taxi
	// <nil>
}

// A scheduler makes the runs that schedules want, ahead of time.
func ExampleScheduler() {
	dir, _ := os.MkdirTemp("", "worker-*")
	defer os.RemoveAll(dir)
	ctx, stop := context.WithCancel(context.Background())
	store, _ := history.Open(ctx, dir)
	defer store.Close()
	defer stop()
	d := schedule.Deployment{Flow: "greet", Name: "daily", Schedules: []schedule.Schedule{{Cron: "@daily"}}}
	_, _ = store.ApplyDeployments(ctx, []schedule.Deployment{d})

	go (&worker.Scheduler{Planner: store}).Run(ctx)
	var upcoming []engine.FlowRun
	for len(upcoming) == 0 {
		time.Sleep(time.Millisecond)
		upcoming, _ = store.DeploymentRuns(ctx, d, true, 100)
	}
	fmt.Println(len(upcoming), "runs are ahead")
	// Output: 3 runs are ahead
}

// Each run has a process of its own, which the worker begins and waits for.
func ExampleChild() {
	c := worker.Child{Command: func(run engine.FlowRun) *exec.Cmd {
		cmd := exec.Command("echo", "carry out", run.Name)
		cmd.Stdout = os.Stdout
		return cmd
	}}
	fmt.Println(c.Run(context.Background(), engine.FlowRun{Name: "flashy-dove"}))
	c.Command = func(engine.FlowRun) *exec.Cmd { return exec.Command("false") }
	fmt.Println(c.Run(context.Background(), engine.FlowRun{}))
	// Output:
	// carry out flashy-dove
	// <nil>
	// its process ended with exit status 1
}
