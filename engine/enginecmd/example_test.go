package enginecmd_test

import (
	"context"
	"fmt"
	"os"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginecmd"
)

// A program is its flows and a name: the rest of the command line is there.
func Example() {
	home, _ := os.MkdirTemp("", "enginecmd-*")
	defer os.RemoveAll(home)
	type greeting struct {
		Name string `json:"name" default:"world"`
	}
	greet := engine.Task[string, string]{Name: "Greet", Func: func(_ context.Context, name string) (string, error) { return "Hello, " + name + "!", nil }}
	hello := engine.Flow[greeting, string]{Name: "hello", Func: func(c *engine.Ctx, g greeting) (engine.Arg[string], error) {
		return greet.Submit(c, engine.Val(g.Name)), nil
	}}

	quiet, _ := os.Open(os.DevNull)
	defer quiet.Close()
	for _, args := range [][]string{
		{"flow-run", "run", "hello", "--param", "name=you"},
		{"deploy", "hello", "-n", "daily", "--cron", "every day"},
		{"concurrency-limit", "create", "db", "2", "-o", "yaml"},
	} {
		a := &enginecmd.App{Name: "hello", Flows: []engine.Runnable{hello}, Err: quiet}
		code := a.Main(a.Command("Greet people"), append(args, "--home", home))
		fmt.Println("exit code", code)
	}
	// Output:
	// "Hello, you!"
	// exit code 0
	// exit code 2
	// concurrency_limit:
	//   name: db
	//   slots: 2
	//   active: 0
	//   holders: []
	// exit code 0
}
