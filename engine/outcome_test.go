package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// odd fails for odd numbers.
var odd = engine.Task[int, int]{Name: "Odd", Func: func(_ context.Context, n int) (int, error) {
	if n%2 == 1 {
		return 0, fmt.Errorf("%d is odd", n)
	}
	return n, nil
}}

// A call that takes an outcome runs whatever became of the other, is of its lineage, and
// is not run again for the same outcome.
func TestOutcomes(t *testing.T) {
	var notes atomic.Int64
	broken := true
	note := engine.Task[engine.Outcome[int], string]{Name: "Note", Func: func(_ context.Context, o engine.Outcome[int]) (string, error) {
		notes.Add(1)
		return fmt.Sprint(o.Value, " ", o.Err), nil
	}}
	last := engine.Task[[]string, []string]{Name: "Last", Func: func(_ context.Context, all []string) ([]string, error) {
		if broken {
			return nil, errors.New("broken")
		}
		return all, nil
	}}
	f := engine.Flow[int, []string]{Name: "flow", Func: func(c *engine.Ctx, _ int) (engine.Arg[[]string], error) {
		bad, good := odd.Keyed("bad").Submit(c, engine.Val(1)), odd.Keyed("good").Submit(c, engine.Val(2))
		after := odd.Keyed("after").Submit(c, bad) // is never made
		return last.Submit(c, engine.List[string](note.Submit(c, bad.Outcome()), note.Submit(c, good.Outcome()), note.Submit(c, after.Outcome()))), nil
	}}
	e := &engine.Engine{Version: "v1"}
	_, run, err := f.Start(t.Context(), e, 0, engine.Options{})
	if err == nil || err.Error() != "broken" {
		t.Fatal(err)
	}
	broken = false
	out, run, err := f.Resume(t.Context(), e, run.ID)
	if err != nil || !slices.Equal(out, []string{"0 1 is odd", "2 ", "0 1 is odd"}) || notes.Load() != 3 {
		t.Errorf("%q, %v after %d notes", out, err, notes.Load())
	}
	if got := tasks(t, e, run); !slices.Equal(got["note"].DependsOn, []string{"odd[bad]"}) || got["odd[after]"].State.Name != engine.NameUpstreamFailed {
		t.Errorf("%+v", got)
	}
}

// What waits for the end of calls is done whether they complete or not, but not once the
// run is cancelled or put off.
func TestEnded(t *testing.T) {
	var cleaned atomic.Int64
	clean := engine.Task[string, int]{Name: "Clean", Func: func(context.Context, string) (int, error) { return int(cleaned.Add(1)), nil }}
	run := func(calls func(*engine.Ctx) engine.Dependency) (engine.FlowRun, *engine.Engine) {
		e := &engine.Engine{Version: "v1"}
		_, run, _ := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
			return clean.Submit(c, engine.Val("all"), engine.Ended(calls(c))), nil
		}, 0)
		return run, e
	}
	r, e := run(func(c *engine.Ctx) engine.Dependency { return odd.Map(c, engine.Values(1, 2, 3)) })
	if got := tasks(t, e, r)["clean"]; r.State.Name != engine.NameCompleted || cleaned.Load() != 1 || len(got.After) != 3 {
		t.Errorf("%v, cleaned %d times, %+v", r.State, cleaned.Load(), got)
	}
	later := engine.Task[int, int]{Name: "Later", Func: func(context.Context, int) (int, error) {
		return 0, &engine.Reschedule{At: time.Now().Add(time.Hour), Reason: "not there"}
	}}
	if r, _ := run(func(c *engine.Ctx) engine.Dependency { return later.Submit(c, engine.Val(1)) }); r.State.Type != engine.TypeScheduled || cleaned.Load() != 1 {
		t.Errorf("put off: %v, cleaned %d times", r.State, cleaned.Load())
	}
}

// The items of a list that a call returns are of its lineage, and are cached by what
// they are.
func TestItems(t *testing.T) {
	var reads atomic.Int64
	months := engine.Task[int, []string]{Name: "Months", Func: func(_ context.Context, n int) ([]string, error) {
		return []string{"2021-01", "2021-02", "2021-03"}[:n], nil
	}}
	read := engine.Task[string, int]{Name: "Read", Cache: engine.Cache{On: true}, Func: func(_ context.Context, m string) (int, error) {
		reads.Add(1)
		return len(m), nil
	}}
	f := engine.Flow[int, []int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[[]int], error) {
		each, err := engine.Items(c, months.Submit(c, engine.Val(n)))
		if err != nil {
			return nil, err
		}
		return read.Map(c, each).List(), nil
	}}
	e := &engine.Engine{Version: "v1"}
	for _, n := range []int{2, 3} { // the second time only one is new
		out, run, err := f.Start(t.Context(), e, n, engine.Options{})
		if err != nil || len(out) != n || reads.Load() != int64(n) {
			t.Errorf("%v, %v after %d reads", out, err, reads.Load())
		}
		if got := tasks(t, e, run)["read[1]"]; !slices.Equal(got.DependsOn, []string{"months"}) {
			t.Errorf("%+v", got)
		}
	}
	if _, _, err := f.Start(t.Context(), e, 9, engine.Options{}); err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("no list: %v", err)
	}
}

func TestWhatBodiesKnowOfTheirRun(t *testing.T) {
	due := time.Date(2021, 3, 15, 9, 0, 0, 0, time.UTC)
	tell := engine.Task[int, string]{Name: "Tell", Retry: engine.Retry{Max: 2}, Func: func(ctx context.Context, _ int) (string, error) {
		if t := engine.From(ctx); t.Attempt() == 2 {
			return t.ExpectedStart().Format(time.DateOnly), nil
		}
		return "", errors.New("once more")
	}}
	f := engine.Flow[int, string]{Name: "flow", Tags: []string{"ml"}, Func: func(c *engine.Ctx, _ int) (engine.Arg[string], error) {
		day, err := tell.Run(c, engine.Val(1))
		return engine.Val(fmt.Sprint(c.RunName(), c.Deployment(), c.Tags(), day)), err
	}}
	out, _, err := f.Start(t.Context(), &engine.Engine{}, 1, engine.Options{Name: "x", Deployment: "monthly", ExpectedStart: due, Tags: []string{"a"}})
	if err != nil || out != "xmonthly[a ml]2021-03-15" {
		t.Errorf("%s, %v", out, err)
	}
}
