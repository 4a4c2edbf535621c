package history_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
)

var (
	broken = true
	square = engine.Task[int, int]{Name: "Square", Func: func(_ context.Context, n int) (int, error) { return n * n, nil }}
	check  = engine.Task[int, int]{Name: "Check", Func: func(_ context.Context, n int) (int, error) {
		if broken {
			return 0, errors.New("not today")
		}
		return n, nil
	}}
	flow = engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return check.Submit(c, square.Submit(c, engine.Val(n))), nil
	}}
)

// Records outlive the process: another one, later, finds the run and goes on.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	first, err := history.Open(ctx, dir)
	if err != nil {
		log.Fatal(err)
	}
	_, run, err := flow.Start(ctx, &engine.Engine{History: first, Version: "v1"}, 12, engine.Options{})
	fmt.Println(run.State.Name, err)
	first.Close()

	broken = false
	second, err := history.Config{Dir: dir, Durability: history.Power}.Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()
	run, err = second.Find(ctx, "latest")
	if err != nil {
		log.Fatal(err)
	}
	run, err = flow.Execute(ctx, &engine.Engine{History: second, Version: "v1", Logger: slog.Default()}, run.ID)
	fmt.Println(run.State.Name, string(run.Result), err)
	states, err := second.States(ctx, run.ID, "check")
	for _, s := range states {
		fmt.Print(s.Name, " ")
	}
	fmt.Println(err)
	// Output:
	// Failed not today
	// Completed 144 <nil>
	// Pending Running Failed Resuming Retrying Completed <nil>
}

// A process that is gone leaves its runs to whoever looks.
func ExampleStore_Reap() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := history.Open(ctx, dir)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	crashed, err := s.Reap(ctx)
	fmt.Println(len(crashed), err)
	err = engine.Recover(ctx, &engine.Engine{History: s, Version: "v1"}, crashed, flow)
	fmt.Println(err)
	// Output:
	// 0 <nil>
	// <nil>
}
