package enginehttp_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// A program serves its flows. A client elsewhere asks for a run, and a worker that
// knows no more than the server's address takes it.
func Example() {
	dir, _ := os.MkdirTemp("", "enginehttp-*")
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
	api := enginehttp.NewHandler(store, quiet, greet)
	defer api.Close()
	server := httptest.NewServer(api)
	defer server.Close()

	client := &enginehttp.Client{URL: server.URL}
	_, err := client.ApplyDeployments(ctx, []schedule.Deployment{{Flow: "greet", Name: "d", Parameters: []byte(`{"who":"taxi"}`)}})
	fmt.Println(err)
	_, _ = client.ApplyDeployments(ctx, []schedule.Deployment{{Flow: "greet", Name: "d", Parameters: []byte(`{"Who":"taxi"}`)}})
	_, _ = client.RunDeployment(ctx, "greet/d", schedule.RunRequest{})
	lease, _ := client.TakeLease(ctx, os.Getpid(), 0)
	records, _ := client.OpenHistory(ctx, lease, 0)
	defer records.Close()
	w := &worker.Worker{Source: client, Log: quiet,
		Runner: worker.InProcess{Engine: &engine.Engine{History: records}, Flows: []engine.Runnable{greet}}}
	fmt.Println(w.Run(ctx))
	// Output:
	// there is no field "parameters.who", did you mean "Who"?
	// hello, taxi
	// <nil>
}

// A program on another machine runs a flow, and its server has the records. When the
// server takes it for gone, it hears of that.
func ExampleHistory() {
	dir, _ := os.MkdirTemp("", "enginehttp-*")
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, _ := history.Open(ctx, dir)
	defer store.Close()
	api := enginehttp.NewHandler(store, quiet)
	defer api.Close()
	server := httptest.NewServer(api)
	defer server.Close()

	client := &enginehttp.Client{URL: server.URL}
	lease, _ := client.TakeLease(ctx, os.Getpid(), time.Minute)
	records, _ := client.OpenHistory(ctx, lease, time.Second)
	double := engine.Task[int, int]{Name: "double", Func: func(_ context.Context, n int) (int, error) { return 2 * n, nil }}
	flow := engine.Flow[int, int]{Name: "doubles", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return double.Submit(c, double.Submit(c, engine.Val(n))), nil
	}}
	n, run, err := flow.Start(ctx, &engine.Engine{History: records}, 21, engine.Options{})
	fmt.Println(n, err)
	tasks, _ := store.TaskRuns(ctx, run.ID)
	fmt.Println("the server has", len(tasks), "calls")

	_ = client.EndLease(ctx, lease) // as when nothing is heard of the program
	<-records.Lost()
	_, _, err = flow.Start(ctx, &engine.Engine{History: records}, 21, engine.Options{})
	fmt.Println(err)
	_ = records.Close()
	// Output:
	// 84 <nil>
	// the server has 2 calls
	// record a run of doubles: the lease has run out: another process has taken over this run
}
