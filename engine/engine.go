package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Engine is what flows run on. Its fields are set before the first run and not
// changed after; an Engine is then safe for concurrent use.
type Engine struct {
	History  History      // nil: a MemoryHistory, made by the first run
	Observer Observer     // nil: nobody watches
	Logger   *slog.Logger // for what goes wrong in the engine itself; nil: slog's default
	Version  string       // of the code, for cached results; zero: BuildVersion
	Clock    func() time.Time

	once sync.Once
	err  error
}

// Observer is told what happens, after it has been recorded. Its methods are
// called from many goroutines and hold up the work while they run.
type Observer interface {
	FlowRun(FlowRun)
	TaskRun(TaskRun)
	Progress(Progress)
	Log(LogLine)
}

// Progress is how far a call has come.
type Progress struct {
	FlowRunID, TaskKey, TaskName string
	Label                        string // what is counted
	Done, Total                  int64  // Total is 0 where it is not known
}

// ready fills in the defaults.
func (e *Engine) ready() error {
	e.once.Do(func() {
		if e.History == nil {
			e.History = &MemoryHistory{}
		}
		if e.Version == "" {
			e.Version, e.err = BuildVersion()
		}
	})
	return e.err
}

func (e *Engine) now() time.Time {
	clock := time.Now
	if e.Clock != nil {
		clock = e.Clock
	}
	return clock().UTC().Truncate(time.Microsecond)
}

func (e *Engine) log() *slog.Logger {
	if e.Logger != nil {
		return e.Logger
	}
	return slog.Default()
}

// newID returns a random ID in the form of a version 4 UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// flowRun is a flow run while it runs in this process.
type flowRun struct {
	engine *Engine
	prior  map[string]TaskRun // calls recorded by earlier processes, by key
	made   atomic.Int64       // calls begun
	// changed is told of each new state, after it is recorded; nil: nobody is.
	changed func(ctx context.Context) error

	mu     sync.Mutex
	record FlowRun
	worked bool   // a call did something, instead of being reused
	cached int    // calls answered from the cache
	from   string // the run that produced the first of those
	calls  int
}

// next is the state that follows, later than the one before in any case.
func (r *flowRun) next(before State, t StateType, name, message string) State {
	now := r.engine.now()
	if !now.After(before.Time) {
		now = before.Time.Add(time.Microsecond)
	}
	return State{Type: t, Name: name, Message: message, Time: now}
}

// tell counts a call's new state and passes it on.
func (r *flowRun) tell(t TaskRun) {
	if t.State.Type.Final() {
		r.mu.Lock()
		r.calls++
		if t.State.Name == NameCached {
			r.cached++
			r.from = cmp.Or(r.from, t.CachedFrom)
		}
		if p, again := r.prior[t.Key]; !again || !p.State.Time.Equal(t.State.Time) {
			r.worked = true
		}
		r.mu.Unlock()
	}
	if o := r.engine.Observer; o != nil {
		o.TaskRun(t)
	}
}

// put records the flow run in a new state. It is written even when ctx is done.
func (r *flowRun) put(ctx context.Context, t StateType, name, message string) error {
	r.record.State = r.next(r.record.State, t, name, message)
	if err := r.engine.History.PutFlowRun(context.WithoutCancel(ctx), r.record); err != nil {
		return err
	}
	if o := r.engine.Observer; o != nil {
		o.FlowRun(r.record)
	}
	if r.changed != nil {
		return r.changed(ctx)
	}
	return nil
}
