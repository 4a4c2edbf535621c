package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// A call may wait for others without taking their results; the order is recorded, too.
func ExampleTask_Submit() {
	e := quiet()
	say := engine.Task[string, string]{Name: "Say", Func: func(ctx context.Context, s string) (string, error) { fmt.Println(s); return s, nil }}
	f := engine.Flow[string, string]{Name: "flow", Func: func(c *engine.Ctx, name string) (engine.Arg[string], error) {
		hello := say.Keyed("hello").Submit(c, engine.Val("hello "+name))
		return say.Keyed("bye").Submit(c, engine.Val("goodbye "+name), hello), nil
	}}
	_, run, _ := f.Start(context.Background(), e, "marvin", engine.Options{})
	calls, err := e.History.TaskRuns(context.Background(), run.ID)
	fmt.Println(calls[1].Key, "is after", calls[1].After, err)
	// Output:
	// hello marvin
	// goodbye marvin
	// say[bye] is after [say[hello]] <nil>
}

// A task's body finds the engine in its context: it may log, and make calls of its own.
func ExampleFrom() {
	e := quiet()
	words := engine.Task[string, int]{Name: "Words", Func: func(ctx context.Context, text string) (int, error) {
		t := engine.From(ctx)
		t.Log().Info("counting", "attempt", t.Attempt())
		shouted, err := upper.Run(t, engine.Val(text))
		return len(strings.Fields(shouted)), err
	}}
	f := engine.Flow[string, int]{Name: "flow", Func: func(c *engine.Ctx, s string) (engine.Arg[int], error) { return words.Submit(c, engine.Val(s)), nil }}
	out, run, err := f.Start(context.Background(), e, "so long and thanks", engine.Options{})
	fmt.Println(out, err)
	calls, _ := e.History.TaskRuns(context.Background(), run.ID)
	for _, call := range calls {
		fmt.Println(call.Key, call.State.Name)
	}
	// Output:
	// 4 <nil>
	// words Completed
	// words/upper Completed
}

// Items makes a call for each value of a list that is only known when it is there.
func ExampleItems() {
	months := engine.Task[int, []string]{Name: "Months", Func: func(_ context.Context, year int) ([]string, error) {
		return []string{fmt.Sprint(year, "-01"), fmt.Sprint(year, "-02")}, nil
	}}
	f := engine.Flow[int, []string]{Name: "flow", Func: func(c *engine.Ctx, year int) (engine.Arg[[]string], error) {
		each, err := engine.Items(c, months.Submit(c, engine.Val(year)))
		if err != nil {
			return nil, err
		}
		return upper.Map(c, each).List(), nil
	}}
	out, _, err := f.Start(context.Background(), quiet(), 2021, engine.Options{})
	fmt.Printf("%q %v\n", out, err)
	// Output: ["2021-01" "2021-02"] <nil>
}

// Join2 and List make one argument of several, and the call depends on all of them.
func ExampleList() {
	concat := engine.Task[[]string, string]{Name: "Concat", Func: func(_ context.Context, in []string) (string, error) { return strings.Join(in, " "), nil }}
	f := engine.Flow[string, string]{Name: "flow", Func: func(c *engine.Ctx, s string) (engine.Arg[string], error) {
		return concat.Submit(c, engine.List[string](upper.Submit(c, engine.Val(s)), engine.Val("and"), upper.Submit(c, engine.Val("dog")))), nil
	}}
	out, _, err := f.Start(context.Background(), quiet(), "cat", engine.Options{})
	fmt.Println(out, err)
	// Output: CAT and DOG <nil>
}

// A permanent error is not worth a retry.
func ExamplePermanent() {
	tries := 0
	read := engine.Task[string, string]{Name: "Read", Retry: engine.Retry{Max: 3}, Func: func(_ context.Context, path string) (string, error) {
		tries++
		return "", engine.Permanent(errors.New(path + ": not found"))
	}}
	f := engine.Flow[string, string]{Name: "flow", Func: func(c *engine.Ctx, path string) (engine.Arg[string], error) {
		return read.Submit(c, engine.Val(path)), nil
	}}
	_, _, err := f.Start(context.Background(), quiet(), "/nowhere", engine.Options{})
	fmt.Println(err, "after", tries, "attempt")
	// Output: /nowhere: not found after 1 attempt
}

// With a Concurrency of 1 a flow's calls are carried out one after the other, as they
// were made.
func ExampleFlow_concurrency() {
	say := engine.Task[int, int]{Name: "Say", Func: func(_ context.Context, n int) (int, error) { fmt.Println(n); return n, nil }}
	f := engine.Flow[int, int]{Name: "flow", Concurrency: 1, Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		say.Map(c, engine.Values(1, 2, 3)) // the flow waits for them before it ends
		return engine.Val(n), nil
	}}
	_, run, _ := f.Start(context.Background(), quiet(), 0, engine.Options{})
	fmt.Println(run.State.Name)
	// Output:
	// 1
	// 2
	// 3
	// Completed
}

// Runs and calls are named for people by what they work on.
func ExampleFlow_runName() {
	e := quiet()
	type params struct {
		Month string `json:"month"`
	}
	read := engine.Task[params, string]{Name: "Read", RunName: "Read {month}", Func: func(_ context.Context, p params) (string, error) { return p.Month, nil }}
	f := engine.Flow[params, string]{Name: "score", RunName: "{flow} {month}", Tags: []string{"ml"}, Func: func(c *engine.Ctx, p params) (engine.Arg[string], error) {
		return read.Submit(c, engine.Val(p)), nil
	}}
	_, run, _ := f.Start(context.Background(), e, params{"2021-01"}, engine.Options{Tags: []string{"by-hand"}})
	calls, err := e.History.TaskRuns(context.Background(), run.ID)
	fmt.Println(run.Name, run.Tags, calls[0].RunName, err)
	// Output: score 2021-01 [by-hand ml] Read 2021-01 <nil>
}

// A flow takes the time, randomness and IDs from its Ctx: they are the same when it is
// carried out again, and a sleep that is over is not slept again.
func ExampleCtx() {
	var seen []string
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		now, err := c.Now()
		if err != nil {
			return nil, err
		}
		if err := c.Sleep(time.Millisecond); err != nil {
			return nil, err
		}
		seen = append(seen, fmt.Sprint(now, c.UUID(), c.Rand().Int(), c.ExpectedStart()))
		if c.Attempt() == 1 {
			return nil, errors.New("once more")
		}
		return engine.Val(n), nil
	}, Retry: engine.Retry{Max: 1}}
	_, _, err := f.Start(context.Background(), quiet(), 0, engine.Options{})
	fmt.Println(len(seen), seen[0] == seen[1], err)
	// Output: 2 true <nil>
}
