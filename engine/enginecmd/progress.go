package enginecmd

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// Watcher shows a flow run while it runs: bars on a terminal, a line for each
// state of a task anywhere. It is an engine.Observer.
type Watcher struct {
	out  io.Writer     // lines
	bars *mpb.Progress // nil where there is no terminal

	begun  time.Time
	mu     sync.Mutex
	open   map[string]*mpb.Bar // by flow run, task and label
	closed bool                // a body that was abandoned may still report progress
}

// Watch returns a Watcher on f. The caller closes it.
func Watch(f *os.File) *Watcher {
	w := &Watcher{out: f, begun: time.Now(), open: map[string]*mpb.Bar{}}
	if term.IsTerminal(int(f.Fd())) {
		w.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(60))
		w.out = w.bars
	}
	return w
}

// Close takes the bars away.
func (w *Watcher) Close() {
	w.endBars("")
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	if w.bars != nil {
		w.bars.Wait()
	}
}

func (w *Watcher) line(format string, args ...any) {
	fmt.Fprintf(w.out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// FlowRun shows a flow run's new state.
func (w *Watcher) FlowRun(r engine.FlowRun) {
	if r.ParentID != "" {
		return // its call in the parent is shown
	}
	switch {
	case r.State.Type == engine.TypeRunning:
		w.line("flow run %s (%s) %s", r.ID, r.Name, r.State.Name)
	case r.State.Type.Final() && r.State.Type != engine.TypeFailed:
		w.line("flow run %s (%s) %s in %s", r.ID, r.Name, r.State.Name, Seconds(r.Duration(time.Now()).Seconds()))
	case r.State.Type == engine.TypeFailed:
		w.line("flow run %s (%s) %s", r.ID, r.Name, r.State.Name)
	}
}

// TaskRun shows a task's new state.
func (w *Watcher) TaskRun(t engine.TaskRun) {
	if t.State.Type.Final() {
		w.endBars(t.FlowRunID + "/" + t.Key + "/")
	}
	name := t.Name
	if _, key, ok := strings.Cut(t.Key, "["); ok {
		name += " [" + key
	}
	switch s := t.State; {
	case s.Type == engine.TypePending:
	case s.Type == engine.TypeCompleted && t.End.Before(w.begun):
		w.line("%-28s %s before", name, s.Name)
	case s.Name == engine.NameCached && t.CachedFrom != "":
		w.line("%-28s Cached, from flow run %s", name, t.CachedFrom)
	case s.Type == engine.TypeCompleted:
		w.line("%-28s %s in %s", name, s.Name, Seconds(t.Duration(time.Now()).Seconds()))
	case s.Type == engine.TypeRunning && s.Name == engine.NameRunning && w.bars != nil:
		// a terminal has bars for what runs
	case s.Type == engine.TypeRunning || s.Message == "":
		w.line("%-28s %s", name, s.Name)
	default:
		message, _, _ := strings.Cut(s.Message, "\n")
		w.line("%-28s %s: %s", name, s.Name, message)
	}
}

// Log shows a line of a log.
func (w *Watcher) Log(l engine.LogLine) {
	if l.Level != "DEBUG" {
		w.line("%s %s", l.Level, l.Message)
	}
}

// Progress moves a task's bar.
func (w *Watcher) Progress(p engine.Progress) {
	if w.bars == nil || p.Total <= 0 {
		return
	}
	key := p.FlowRunID + "/" + p.TaskKey + "/" + p.Label
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	bar := w.open[key]
	if bar == nil {
		bar = w.newBar(p.TaskName, p.Label, p.Total)
		w.open[key] = bar
	}
	bar.SetCurrent(p.Done)
}

func (w *Watcher) newBar(name, label string, total int64) *mpb.Bar {
	counter := decor.CountersNoUnit("%d/%d " + label)
	if label == "bytes" {
		counter = decor.CountersKibiByte("% .1f / % .1f")
	}
	return w.bars.AddBar(total, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WC{C: decor.DindentRight | decor.DextraSpace, W: 18})),
		mpb.AppendDecorators(counter))
}

func (w *Watcher) endBars(prefix string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, bar := range w.open {
		if strings.HasPrefix(key, prefix) {
			bar.Abort(true)
			delete(w.open, key)
		}
	}
}

// Fetched moves the bar of a file that is being fetched; total is negative where it
// is not known.
func (w *Watcher) Fetched(name string, done, total int64) {
	w.Progress(engine.Progress{TaskKey: name, TaskName: name, Label: "bytes", Done: done, Total: total})
	if total > 0 && done >= total {
		w.endBars("/" + name + "/")
		w.line("%-28s fetched, %.1f MB", name, float64(total)/1e6)
	}
}
