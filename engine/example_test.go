package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/taximeter/taximeter/engine"
)

var upper = engine.Task[string, string]{
	Name: "Upper",
	Func: func(_ context.Context, s string) (string, error) { return strings.ToUpper(s), nil },
}

// quiet is an engine for examples: its records are in memory.
func quiet() *engine.Engine {
	return &engine.Engine{Version: "example", Logger: slog.New(slog.DiscardHandler)}
}

// A flow calls tasks. What one returns is an argument of the next, though it may
// not be there yet.
func Example() {
	greet := engine.Flow[string, string]{
		Name: "greet",
		Func: func(c *engine.Ctx, name string) (engine.Arg[string], error) {
			loud := upper.Submit(c, engine.Val(name))
			return upper.Submit(c, engine.Join2(engine.Val("hello "), loud, func(a, b string) string { return a + b })), nil
		},
	}
	out, run, err := greet.Start(context.Background(), quiet(), "marvin", engine.Options{})
	fmt.Println(out, run.State.Name, err)
	// Output: HELLO MARVIN Completed <nil>
}

// A task fails now and then; the flow does not.
func ExampleRetry() {
	var tries atomic.Int64
	flaky := engine.Task[int, int]{
		Name:  "Flaky",
		Retry: engine.Retry{Max: 3, Delay: time.Millisecond, Backoff: 2, Jitter: 0.1},
		Func: func(_ context.Context, n int) (int, error) {
			if tries.Add(1) < 3 {
				return 0, errors.New("no answer")
			}
			return n, nil
		},
	}
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return flaky.Submit(c, engine.Val(n)), nil }}
	out, _, err := f.Start(context.Background(), quiet(), 7, engine.Options{})
	fmt.Println(out, err, "after", tries.Load(), "attempts")
	// Output: 7 <nil> after 3 attempts
}

// A result is taken over by later runs, from an equal input to the same program.
func ExampleCache() {
	e, bodies := quiet(), 0
	slow := engine.Task[int, int]{Name: "Slow", Cache: engine.Cache{On: true, TTL: time.Hour},
		Func: func(_ context.Context, n int) (int, error) { bodies++; return n * n, nil }}
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return slow.Submit(c, engine.Val(n)), nil }}
	for range 2 {
		out, run, _ := f.Start(context.Background(), e, 12, engine.Options{})
		fmt.Println(out, run.State.Name, bodies)
	}
	// Output:
	// 144 Completed 1
	// 144 Cached 1
}

// Map makes a call for each argument; what is Same goes with all of them.
func ExampleTask_Map() {
	add := engine.Task[[2]int, int]{Name: "Add", Func: func(_ context.Context, in [2]int) (int, error) { return in[0] + in[1], nil }}
	f := engine.Flow[int, []int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
		each, err := engine.Zip(engine.Values(1, 2, 3), engine.Same(engine.Val(n)), func(a, b int) [2]int { return [2]int{a, b} })
		if err != nil {
			return nil, err
		}
		return add.Map(c, each).List(), nil
	}}
	out, _, err := f.Start(context.Background(), quiet(), 10, engine.Options{})
	fmt.Println(out, err)
	// Output: [11 12 13] <nil>
}

// A flow called in a flow has a run of its own, below the other.
func ExampleFlow_Submit() {
	e := quiet()
	inner := engine.Flow[string, string]{Name: "inner", Func: func(c *engine.Ctx, s string) (engine.Arg[string], error) {
		return upper.Submit(c, engine.Val(s)), nil
	}}
	outer := engine.Flow[string, string]{Name: "outer", Func: func(c *engine.Ctx, s string) (engine.Arg[string], error) {
		return inner.Submit(c, engine.Val(s)), nil
	}}
	out, run, _ := outer.Start(context.Background(), e, "cat", engine.Options{})
	sub, err := e.History.Subflow(context.Background(), run.ID, "inner")
	fmt.Println(out, sub.Flow, sub.ParentKey, sub.State.Name, err)
	// Output: CAT inner inner Completed <nil>
}

// A run that failed goes on where it failed.
func ExampleFlow_Resume() {
	e, broken, bodies := quiet(), true, 0
	first := engine.Task[int, int]{Name: "First", Func: func(_ context.Context, n int) (int, error) { bodies++; return n + 1, nil }}
	second := engine.Task[int, int]{Name: "Second", Func: func(_ context.Context, n int) (int, error) {
		if broken {
			return 0, errors.New("not yet")
		}
		return n + 1, nil
	}}
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return second.Submit(c, first.Submit(c, engine.Val(n))), nil
	}}
	_, run, err := f.Start(context.Background(), e, 1, engine.Options{})
	fmt.Println(run.State.Name, err)
	broken = false
	out, run, err := f.Resume(context.Background(), e, run.ID)
	fmt.Println(out, run.State.Name, err, "and the first ran", bodies, "time")
	// Output:
	// Failed not yet
	// 3 Completed <nil> and the first ran 1 time
}

// A flow waits for somebody's answer, whose form its type says.
func ExampleInput() {
	type approval struct {
		Stage bool `json:"stage" required:"true" doc:"whether to stage the model"`
	}
	e := quiet()
	e.History = &engine.MemoryHistory{}
	f := engine.Flow[int, string]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[string], error) {
		a, err := engine.Input[approval](c, engine.Pause{Message: "RMSE is 6.4: stage it?", Timeout: time.Hour})
		if err != nil {
			return nil, err
		}
		return engine.Val(fmt.Sprint("staged: ", a.Stage)), nil
	}}
	f.OnState = func(ctx context.Context, run engine.FlowRun) {
		if run.State.Type != engine.TypePaused {
			return
		}
		fmt.Println(run.Waiting.Message)
		for _, input := range []string{`{"stage":"perhaps"}`, `{"stage":true}`} {
			if _, err := e.History.Signal(ctx, engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: []byte(input)}); err != nil {
				fmt.Println(err)
			}
		}
	}
	out, _, err := f.Start(context.Background(), e, 1, engine.Options{})
	fmt.Println(out, err)
	// Output:
	// RMSE is 6.4: stage it?
	// parameter stage: want true or false, not "perhaps"
	// staged: true <nil>
}

// A flow that cannot go on yet says when to come back, and has not failed.
func ExampleReschedule() {
	f := engine.Flow[string, string]{Name: "train", Func: func(c *engine.Ctx, month string) (engine.Arg[string], error) {
		return nil, &engine.Reschedule{At: time.Date(2021, 4, 2, 9, 0, 0, 0, time.UTC), State: engine.NameAwaitingData, Reason: month + " is not published"}
	}}
	_, run, err := f.Start(context.Background(), quiet(), "2021-03", engine.Options{})
	fmt.Println(run.State.Type, run.State.Name, run.NextStart.Format(time.DateOnly))
	fmt.Println(err)
	// Output:
	// SCHEDULED AwaitingData 2021-04-02
	// rescheduled to 2021-04-02T09:00:00Z: 2021-03 is not published
}

// A limit holds for all tasks that have its name among their tags.
func ExampleLimit() {
	e := quiet()
	e.History = &engine.MemoryHistory{}
	if err := e.History.SetLimit(context.Background(), "database", 1); err != nil {
		log.Fatal(err)
	}
	var now, most atomic.Int64
	query := engine.Task[int, int]{Name: "Query", Tags: []string{"database"}, Func: func(_ context.Context, n int) (int, error) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		return n, nil
	}}
	f := engine.Flow[int, []int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
		return query.Map(c, engine.Values(1, 2, 3, 4)).List(), nil
	}}
	out, _, err := f.Start(context.Background(), e, 0, engine.Options{})
	fmt.Println(out, err, "with", most.Load(), "at once")
	// Output: [1 2 3 4] <nil> with 1 at once
}

// What a form, a command and a program may give a flow is the same.
func ExampleSchemaOf() {
	type params struct {
		Date   string `json:"date" required:"true" format:"date"`
		Trials int    `json:"trials" default:"3" min:"0" max:"1000"`
	}
	s, err := engine.SchemaOf[params]()
	if err != nil {
		log.Fatal(err)
	}
	for _, given := range []string{`{"date":"2021-03-05"}`, `{"date":"2021-03-05","trials":-1}`, `{}`} {
		if full, err := s.Resolve([]byte(given)); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(string(full))
		}
	}
	// Output:
	// {"date":"2021-03-05","trials":3}
	// parameter trials: want an integer from 0 to 1000, not -1
	// parameter date is missing: want a date such as 2021-03-05
}

// A value that is made once is the same when the run is carried out again.
func ExampleOnce() {
	e, made, broken := quiet(), 0, true
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		v, err := engine.Once(c, "dice", func(context.Context) (int, error) { made++; return 4, nil })
		if err == nil && broken {
			err = errors.New("broken")
		}
		return engine.Val(v), err
	}}
	_, run, _ := f.Start(context.Background(), e, 0, engine.Options{})
	broken = false
	out, _, err := f.Resume(context.Background(), e, run.ID)
	fmt.Println(out, err, "made", made, "time")
	// Output: 4 <nil> made 1 time
}
