package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
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
	// Grace is how long a body may take to return after its context is done; zero:
	// 5 s. Later its goroutine is abandoned and its result discarded.
	Grace time.Duration

	once    sync.Once
	err     error
	flights flights
	slots   wakeup // told when a slot of a limit is given back
}

// Observer is told what happens, in the order in which it is recorded. Its
// methods are called from many goroutines and hold up the work while they run.
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

func (e *Engine) grace() time.Duration {
	if e.Grace > 0 {
		return e.Grace
	}
	return 5 * time.Second
}

func (e *Engine) log() *slog.Logger {
	if e.Logger != nil {
		return e.Logger
	}
	return slog.Default()
}

// next is the state that follows before, later than that in any case.
func (e *Engine) next(before State, t StateType, name, message string) State {
	return After(before, e.now(), t, name, message)
}

// After is a state that is entered from before at the time now, or just after
// before where the clock has not moved on.
func After(before State, now time.Time, t StateType, name, message string) State {
	if !now.After(before.Time) {
		now = before.Time.Add(time.Microsecond)
	}
	return State{Type: t, Name: name, Message: message, Time: now}
}

// outlive waits for done after its context has ended, but no longer than the
// grace. It reports whether done was closed.
func (e *Engine) outlive(done <-chan struct{}) bool {
	timer := time.NewTimer(e.grace())
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// wait waits until t by the engine's clock, or until ctx is done.
func (e *Engine) wait(ctx context.Context, t time.Time) error {
	return sleep(ctx, t.Sub(e.now()))
}

// NewID returns a random ID in the form of a version 4 UUID.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return uuid(b)
}

// uuid writes b in the form of a version 4 UUID.
func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// wakeup tells all who wait that something has changed.
type wakeup struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed by the next call of all.
func (w *wakeup) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ch == nil {
		w.ch = make(chan struct{})
	}
	return w.ch
}

func (w *wakeup) all() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ch != nil {
		close(w.ch)
		w.ch = nil
	}
}
