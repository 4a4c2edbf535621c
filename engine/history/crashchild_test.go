package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// The test binary is also the child that is killed: with crashHome set it carries
// the flow out and tells on its standard output what it was told is recorded.
// With crashAfter it kills itself after that many of these.
const (
	crashHome  = "HISTORY_CRASH_HOME"
	crashAfter = "HISTORY_CRASH_AFTER"
)

// ack is one thing that a child says: a state that is recorded, with the result
// and the log lines that are there by then; or that a task's body begins.
type ack struct {
	Run, Key   string
	State      engine.State
	Digest     string   `json:",omitempty"`
	Logs       []string `json:",omitempty"`
	BodyBegins bool     `json:",omitempty"`
	Result     string   `json:",omitempty"` // of the whole
}

// teller writes acknowledgements as the engine gives them.
type teller struct {
	mu    sync.Mutex
	out   *json.Encoder
	logs  map[engine.Holder][]string
	left  int // until the child kills itself; 0: never
	count int
}

func (w *teller) say(a ack) {
	_ = w.out.Encode(a) // one write: it is there even if the next thing is the end
	if w.count++; w.count == w.left {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (w *teller) FlowRun(r engine.FlowRun) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := ack{Run: r.ID, State: r.State}
	if r.State.Type.Final() {
		a.Logs = w.logs[engine.Holder{FlowRunID: r.ID}]
	}
	w.say(a)
}

// TaskRun tells of ends only: a start may be on the disk a little later.
func (w *teller) TaskRun(t engine.TaskRun) {
	if !t.State.Type.Final() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a := ack{Run: t.FlowRunID, Key: t.Key, State: t.State, Logs: w.logs[engine.Holder{FlowRunID: t.FlowRunID, TaskKey: t.Key}]}
	if t.Result != nil {
		a.Digest = t.Result.Digest
	}
	w.say(a)
}

func (w *teller) Progress(engine.Progress) {}

func (w *teller) Log(l engine.LogLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := engine.Holder{FlowRunID: l.FlowRunID, TaskKey: l.TaskKey}
	w.logs[h] = append(w.logs[h], l.Message)
}

func (w *teller) begins(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := engine.From(ctx)
	w.say(ack{Run: t.RunID(), Key: t.Key(), BodyBegins: true})
}

// crashChild carries the flow out to its end, from wherever it was left.
func crashChild(dir string) {
	w := &teller{out: json.NewEncoder(os.Stdout), logs: map[engine.Holder][]string{}}
	w.left, _ = strconv.Atoi(os.Getenv(crashAfter)) // unset: 0
	ctx := context.Background()
	s, err := Open(ctx, dir)
	if err == nil {
		var out string
		out, _, err = crashFlow(w).Start(ctx, &engine.Engine{History: s, Observer: w, Version: "v1"}, 6, engine.Options{IdempotencyKey: "the run"})
		if err == nil {
			err = errors.Join(w.out.Encode(ack{Result: out}), s.Close())
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// crashFlow has one of everything: calls one after the other, a Map, a subflow
// with calls within calls, a result that is a file, one from the cache, retries, a
// value made once, logs.
func crashFlow(w *teller) engine.Flow[int, string] {
	step := func(name string, pause time.Duration) engine.Task[int, int] {
		return engine.Task[int, int]{Name: name, Func: func(ctx context.Context, n int) (int, error) {
			w.begins(ctx)
			engine.From(ctx).Log().Info("at work", "n", n)
			time.Sleep(pause)
			return n*3 + 1, nil
		}}
	}
	large := engine.Task[int, []byte]{Name: "Large", Func: func(ctx context.Context, n int) ([]byte, error) {
		w.begins(ctx)
		return bytes.Repeat([]byte{byte(n)}, 3*inlineSize), nil
	}}
	size := engine.Task[[]byte, int]{Name: "Size", Func: func(ctx context.Context, b []byte) (int, error) {
		w.begins(ctx)
		return len(b), nil
	}}
	flaky := step("Flaky", 0)
	flaky.Retry = engine.Retry{Max: 2, Delay: time.Millisecond}
	steady := flaky.Func
	flaky.Func = func(ctx context.Context, n int) (int, error) {
		v, err := steady(ctx, n)
		if tries.add() == 1 {
			return 0, errors.New("the first time in a process it fails")
		}
		return v, err
	}
	kept := step("Kept", 0)
	kept.Cache.On = true
	nests := engine.Task[int, int]{Name: "Nests", Func: func(ctx context.Context, n int) (int, error) {
		w.begins(ctx)
		a := step("Inner", time.Millisecond).Submit(engine.From(ctx), engine.Val(n))
		return step("Inner", 0).Run(engine.From(ctx), a)
	}}
	inner := engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		c.Log().Info("in the subflow")
		return nests.Submit(c, step("First", 0).Submit(c, engine.Val(n))), nil
	}}
	return engine.Flow[int, string]{Name: "crash", Func: func(c *engine.Ctx, n int) (engine.Arg[string], error) {
		a, err := step("One", 2*time.Millisecond).Run(c, engine.Val(n))
		if err != nil {
			return nil, err
		}
		seed, err := engine.Once(c, "seed", func(context.Context) (int, error) { return 17, nil })
		if err != nil {
			return nil, err
		}
		parts := step("Part", time.Millisecond).Map(c, engine.Values(1, 2, 3, 4, 5, 6))
		sub := inner.Submit(c, engine.Val(a), parts)
		bytes := size.Submit(c, large.Submit(c, flaky.Submit(c, engine.Val(seed))))
		total := engine.Task[[]int, string]{Name: "Total", Func: func(ctx context.Context, list []int) (string, error) {
			w.begins(ctx)
			return fmt.Sprint(list), nil
		}}
		k := kept.Submit(c, kept.Keyed("again").Submit(c, engine.Val(1)))
		sum := engine.Join2(parts.List(), engine.List[int](sub, bytes, k), func(a, b []int) []int { return append(append([]int{}, a...), b...) })
		return total.Submit(c, sum), nil
	}}
}

// tries counts within one process.
var tries counter

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}
