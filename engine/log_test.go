package engine_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// A secret says itself how it is logged.
type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("***") }

func TestAttributesOfLines(t *testing.T) {
	h := &engine.MemoryHistory{}
	_, run, err := start(t, &engine.Engine{History: h}, func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		log := c.Log().With("n", n).WithGroup("train")
		log.Info("read", "month", "2021-01", "token", secret("hush"), slog.Group("rows", "kept", 7, slog.Group("", "all", 9)))
		return engine.Val(n), nil
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	const want = "read n=1 train.month=2021-01 train.token=*** train.rows.kept=7 train.rows.all=9"
	if lines, err := h.Logs(t.Context(), run.ID); err != nil || len(lines) != 1 || lines[0].Message != want {
		t.Errorf("%+v, %v\nwant %s", lines, err, want)
	}
}

func TestLogsAndProgressReachTheObserver(t *testing.T) {
	w := &watcher{}
	h := &engine.MemoryHistory{}
	e := &engine.Engine{History: h, Observer: w}
	_, run, err := start(t, e, func(c *engine.Ctx, _ int) (engine.Arg[int], error) {
		c.Log().Info("begin", "n", 1)
		return engine.Task[int, int]{Name: "Work", Func: func(ctx context.Context, _ int) (int, error) {
			engine.From(ctx).Progress("rows", 1, 2)
			engine.From(ctx).Log().With("month", "2021-01").Warn("few rows")
			return 0, nil
		}}.Submit(c, engine.Val(0)), nil
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := h.Logs(t.Context(), run.ID)
	if len(lines) != 2 || lines[0].Message != "begin n=1" || lines[1].Message != "few rows month=2021-01" || lines[1].TaskKey != "work" {
		t.Errorf("logs = %+v", lines)
	}
	if w.progress.Done != 1 || w.progress.TaskName != "Work" || w.lines != 2 {
		t.Errorf("observer saw %+v", w)
	}
}

type watcher struct {
	mu       sync.Mutex
	progress engine.Progress
	lines    int
}

func (w *watcher) FlowRun(engine.FlowRun) {}

func (w *watcher) TaskRun(engine.TaskRun) {}

func (w *watcher) Progress(p engine.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress = p
}

func (w *watcher) Log(engine.LogLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines++
}
