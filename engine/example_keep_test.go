package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/taximeter/taximeter/engine"
)

// A result is stored as JSON, unless the task has a codec of its own.
func ExampleBytes() {
	e := quiet()
	count := engine.Task[string, int]{Name: "Count",
		Codec: engine.Bytes("decimal/1", func(n int) ([]byte, error) { return []byte(strconv.Itoa(n)), nil }, func(b []byte) (int, error) { return strconv.Atoi(string(b)) }),
		Func:  func(_ context.Context, s string) (int, error) { return len(s), nil }}
	f := engine.Flow[string, int]{Name: "flow", Func: func(c *engine.Ctx, s string) (engine.Arg[int], error) { return count.Submit(c, engine.Val(s)), nil }}
	_, run, _ := f.Start(context.Background(), e, "marvin", engine.Options{})
	calls, _ := e.History.TaskRuns(context.Background(), run.ID)
	data, err := e.History.ReadResult(context.Background(), *calls[0].Result)
	fmt.Println(calls[0].Result.Codec, string(data), err)
	// Output: decimal/1 6 <nil>
}

// What can be made again from its source need not be stored: a recipe is. The value is
// as good as the source, so whoever cooks it checks that it is the same.
func ExampleRecipe() {
	source := map[string]string{"months/2021-01": "rides"}
	type recipe struct{ Path, Digest string }
	read := engine.Task[string, string]{Name: "Read", Cache: engine.Cache{On: true},
		Codec: engine.Recipe("file/1",
			func(text string) recipe { d, _ := engine.Digest(text); return recipe{"months/2021-01", d} },
			func(_ context.Context, r recipe) (string, error) {
				fmt.Println("read again:", r.Path)
				if d, _ := engine.Digest(source[r.Path]); d != r.Digest {
					return "", errors.New(r.Path + " has changed") // the task then runs once more
				}
				return source[r.Path], nil
			}),
		Func: func(_ context.Context, path string) (string, error) { return source[path], nil }}
	f := engine.Flow[string, string]{Name: "flow", Func: func(c *engine.Ctx, path string) (engine.Arg[string], error) {
		return read.Submit(c, engine.Val(path)), nil
	}}
	e := quiet()
	for range 2 {
		out, run, err := f.Start(context.Background(), e, "months/2021-01", engine.Options{})
		fmt.Println(out, run.State.Name, err)
	}
	// Output:
	// rides Completed <nil>
	// read again: months/2021-01
	// rides Cached <nil>
}

// Equal contents have equal digests, in every process. What does not matter is left out
// by a tag; what cannot be seen is an error, and its call is not cached.
func ExampleDigest() {
	type file struct {
		SHA256 string
		Path   string `cache:"-"`
	}
	a, _ := engine.Digest(file{"f1d0", "/here"})
	b, _ := engine.Digest(file{"f1d0", "/there"})
	fmt.Println(a == b)
	_, err := engine.Digest(func() {})
	fmt.Println(err)
	// Output:
	// true
	// digest a func(): its content cannot be seen
}

// The same run is asked for twice and made once.
func ExampleOptions() {
	e, bodies := quiet(), 0
	f := engine.Flow[int, int]{Name: "flow", Func: func(_ *engine.Ctx, n int) (engine.Arg[int], error) { bodies++; return engine.Val(n), nil }}
	for range 2 {
		out, _, err := f.Start(context.Background(), e, 7, engine.Options{IdempotencyKey: "order 66"})
		fmt.Println(out, err, "after", bodies, "body")
	}
	// Output:
	// 7 <nil> after 1 body
	// 7 <nil> after 1 body
}

// Whoever knows a flow by its name only, as a worker does, runs it by its parameters.
func ExampleRunnable() {
	type params struct {
		Trials int `json:"trials" default:"3" max:"1000"`
	}
	var f engine.Runnable = engine.Flow[params, int]{Name: "train", Func: func(_ *engine.Ctx, p params) (engine.Arg[int], error) { return engine.Val(p.Trials), nil }}
	for _, given := range []string{`{}`, `{"trials":5000}`, `{"trails":5}`} {
		run, err := f.Launch(context.Background(), quiet(), json.RawMessage(given), engine.Options{})
		fmt.Println(string(run.Result), err)
	}
	// Output:
	// 3 <nil>
	//  parameter trials: want an integer of at most 1000, not 5000
	//  parameter trails is unknown, did you mean "trials"?
}

// Other things than tasks may be limited: whoever works with them occupies a slot.
func ExampleTaskCtx_Occupy() {
	e := quiet()
	e.History = &engine.MemoryHistory{}
	if err := e.History.SetLimit(context.Background(), "printer", 1); err != nil {
		fmt.Println(err)
	}
	print := engine.Task[string, string]{Name: "Print", Func: func(ctx context.Context, s string) (string, error) {
		release, err := engine.From(ctx).Occupy(ctx, "printer")
		if err != nil {
			return "", err
		}
		defer release()
		limits, err := e.History.Limits(ctx)
		return fmt.Sprint(s, " by ", len(limits[0].Holders)), err
	}}
	f := engine.Flow[int, []string]{Name: "flow", Func: func(c *engine.Ctx, _ int) (engine.Arg[[]string], error) {
		return print.Map(c, engine.Values("a", "b")).List(), nil
	}}
	out, _, err := f.Start(context.Background(), e, 0, engine.Options{})
	fmt.Println(out, err)
	// Output: [a by 1 b by 1] <nil>
}

// What may follow a state is a table that every history goes by.
func ExampleCheckFlow() {
	running := engine.State{Type: engine.TypeRunning, Name: engine.NameRunning}
	cancelling := engine.After(running, running.Time, engine.TypeCancelling, engine.NameCancelling, "")
	completed := engine.After(cancelling, cancelling.Time, engine.TypeCompleted, engine.NameCompleted, "")
	fmt.Println(engine.CheckFlow(running, cancelling))
	fmt.Println(errors.As(engine.CheckFlow(cancelling, completed), new(*engine.TransitionError)))
	// Output:
	// <nil>
	// true
}

// Runs whose process is gone go on from where they were.
func ExampleRecover() {
	e, h := quiet(), &engine.MemoryHistory{}
	e.History = h
	f := engine.Flow[int, int]{Name: "flow", Func: func(_ *engine.Ctx, n int) (engine.Arg[int], error) { return engine.Val(n + 1), nil }}
	run, _ := f.NewRun(e, []byte("41"), engine.Options{})
	run.State = engine.State{Type: engine.TypeScheduled, Name: engine.NameScheduled, Time: run.Created}
	run, _ = h.CreateFlowRun(context.Background(), run)
	crashed := run
	crashed.State = engine.After(run.State, run.Created, engine.TypeCrashed, engine.NameCrashed, "its process ended")
	if err := h.PutFlowRun(context.Background(), crashed, run.State); err != nil { // as a History that finds its owner dead
		fmt.Println(err)
	}
	err := engine.Recover(context.Background(), e, []engine.FlowRun{crashed}, f)
	done, _ := h.FlowRun(context.Background(), run.ID)
	fmt.Println(string(done.Result), done.State.Name, done.Recoveries, err)
	// Output: 42 Completed 1 <nil>
}

// An Observer sees what happens as it is recorded.
func ExampleObserver() {
	e := quiet()
	e.Observer = teller{}
	rows := engine.Task[int64, int64]{Name: "Rows", Func: func(ctx context.Context, n int64) (int64, error) {
		engine.From(ctx).Progress("rows", n/2, n)
		return n, nil
	}}
	f := engine.Flow[int64, int64]{Name: "flow", Func: func(c *engine.Ctx, n int64) (engine.Arg[int64], error) { return rows.Submit(c, engine.Val(n)), nil }}
	if _, _, err := f.Start(context.Background(), e, 200, engine.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// flow Running
	// Rows Running
	// 100 of 200 rows
	// Rows Completed
	// flow Completed
}

type teller struct{}

func (teller) FlowRun(r engine.FlowRun)   { fmt.Println(r.Flow, r.State.Name) }
func (teller) TaskRun(r engine.TaskRun)   { fmt.Println(r.Name, r.State.Name) }
func (teller) Progress(p engine.Progress) { fmt.Println(p.Done, "of", p.Total, p.Label) }
func (teller) Log(engine.LogLine)         {}
