package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ErrCancelled is wrapped by the error of a run that somebody has cancelled.
var ErrCancelled = errors.New("cancelled")

// tree is a flow run at the top and its subflows, while they run in this process:
// it brings them what others ask of them.
type tree struct {
	history History
	log     *slog.Logger
	rootID  string
	turns   turns

	mu     sync.Mutex
	runs   map[string]member
	inputs map[[2]string]json.RawMessage // by flow run and key of the pause
	input  wakeup
}

type member struct {
	*flowRun
	cancel context.CancelCauseFunc
}

// join adds a run for as long as it is carried out, and returns what ends that.
// The run at the top listens for the whole tree.
func (t *tree) join(ctx context.Context, r *flowRun, cancel context.CancelCauseFunc) (leave func()) {
	t.mu.Lock()
	t.runs[r.born.ID] = member{r, cancel}
	t.mu.Unlock()
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	var listener sync.WaitGroup
	if r.born.ID == t.rootID {
		listener.Go(func() { t.listen(listening) })
	}
	// However it is cancelled, the run says so at once and not when it has ended.
	said := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(said)
		_ = r.enter(ctx, TypeCancelling, NameCancelling, context.Cause(ctx).Error(), nil) // end tries again
	})
	return func() {
		if !unwatch() {
			<-said
		}
		stop()
		listener.Wait()
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.runs, r.born.ID)
	}
}

// listen delivers signals until ctx is done. A history that cannot be read for a
// while is asked again.
func (t *tree) listen(ctx context.Context) {
	for after := int64(0); ; {
		signals, err := t.history.Signals(ctx, t.rootID, after)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			t.log.Error("listen for signals", "run", t.rootID, "error", err)
			_ = sleep(ctx, time.Second) // cut short by ctx only
			continue
		}
		for _, s := range signals {
			after = s.Seq
			t.deliver(ctx, s)
		}
	}
}

func (t *tree) deliver(ctx context.Context, s Signal) {
	t.mu.Lock()
	m, here := t.runs[s.FlowRunID]
	if s.Kind == SignalResume && s.Key != "" {
		t.inputs[[2]string{s.FlowRunID, s.Key}] = s.Input
		t.input.all()
	}
	t.mu.Unlock()
	if !here {
		return
	}
	switch s.Kind {
	case SignalCancel:
		cause := ErrCancelled
		if s.Message != "" {
			cause = fmt.Errorf("%w: %s", ErrCancelled, s.Message)
		}
		m.cancel(cause)
	case SignalPause:
		m.pause(ctx, s.Message)
	case SignalResume:
		if s.Key == "" {
			m.unpause(ctx)
		}
	}
}

// given returns the input for a pause, once somebody has given it.
func (t *tree) given(runID, key string) (json.RawMessage, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.inputs[[2]string{runID, key}]
	return v, ok
}

// gate stops calls from beginning while a run is paused from outside.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // nil: it is open
}

// pass waits until the gate is open, or ctx is done, and reports whether it was shut.
func (g *gate) pass(ctx context.Context) (shut bool, err error) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	if open == nil {
		return false, nil
	}
	select {
	case <-open:
		return true, nil
	case <-ctx.Done():
		return true, context.Cause(ctx)
	}
}

// passGates waits until neither the run nor one that it is part of is paused.
func (r *flowRun) passGates(ctx context.Context) error {
	for waited := true; waited; { // a gate may shut while another is waited for
		waited = false
		for at := r; at != nil; at = at.parent {
			shut, err := at.gate.pass(ctx)
			if err != nil {
				return err
			}
			waited = waited || shut
		}
	}
	return nil
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = make(chan struct{})
	}
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open != nil {
		close(g.open)
		g.open = nil
	}
}

// pause lets no further call of the run begin, nor of those below it.
func (r *flowRun) pause(ctx context.Context, message string) {
	r.gate.shut()
	if err := r.enter(ctx, TypePaused, NamePaused, message, nil); err != nil {
		r.gate.reopen() // it does not run: there is nothing to pause
	}
}

func (r *flowRun) unpause(ctx context.Context) {
	if err := r.enter(ctx, TypeRunning, NameRunning, "", nil); err != nil {
		r.engine.log().Error("go on after a pause", "run", r.born.ID, "error", err)
	}
	r.gate.reopen()
}
