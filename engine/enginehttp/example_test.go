package enginehttp_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"

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
	w := &worker.Worker{Source: client, Log: quiet,
		Runner: worker.InProcess{Engine: &engine.Engine{History: store}, Flows: []engine.Runnable{greet}}}
	fmt.Println(w.Run(ctx))
	// Output:
	// there is no field "parameters.who", did you mean "Who"?
	// hello, taxi
	// <nil>
}
