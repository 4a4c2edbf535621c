package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// flowRun is a flow run while it runs in this process.
type flowRun struct {
	settings
	engine *Engine
	parent *flowRun // nil: it is at the top
	tree   *tree
	made   atomic.Int64 // calls begun by this attempt
	slots  chan struct{}
	gate   gate
	// changed is told of each new state, after it is recorded; nil: nobody is.
	changed func(ctx context.Context) error

	born   FlowRun    // as this process found it, for what does not change
	state  sync.Mutex // held while a state is recorded and told
	record FlowRun

	mu     sync.Mutex
	prior  map[string]*TaskRun // the latest record of each call, by key
	worked bool                // a call did something, instead of being reused
	cached int                 // calls answered from the cache
	from   string              // the run that produced the first of those
	calls  int
}

// newRun loads what earlier processes did for this run.
func (e *Engine) newRun(ctx context.Context, s settings, record FlowRun, parent *flowRun) (*flowRun, error) {
	r := &flowRun{settings: s, engine: e, parent: parent, born: record, record: record, prior: map[string]*TaskRun{}}
	if s.concurrency > 1 {
		r.slots = make(chan struct{}, s.concurrency)
	}
	if parent != nil {
		r.tree = parent.tree
	} else {
		r.tree = &tree{history: e.History, log: e.log(), rootID: record.ID, runs: map[string]member{}, inputs: map[[2]string]json.RawMessage{}}
	}
	if record.Attempts == 0 && record.State.Type == TypePending {
		return r, nil // nothing was done yet
	}
	tasks, err := e.History.TaskRuns(ctx, record.ID)
	if err != nil {
		return nil, fmt.Errorf("read the calls of flow run %s: %w", record.ID, err)
	}
	for _, t := range tasks {
		r.prior[t.Key] = &t
	}
	return r, nil
}

func (r *flowRun) snapshot() FlowRun {
	r.state.Lock()
	defer r.state.Unlock()
	return r.record
}

func (r *flowRun) setResult(data []byte) {
	r.state.Lock()
	defer r.state.Unlock()
	r.record.Result = data
}

// latest returns what is recorded of a call, or nil.
func (r *flowRun) latest(key string) *TaskRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.prior[key]
}

// tell counts a call's new state and passes it on. reused says that an earlier
// process has recorded it.
func (r *flowRun) tell(t TaskRun, reused bool) {
	r.mu.Lock()
	r.prior[t.Key] = &t
	if t.State.Type.Final() && t.Kind != KindCheckpoint {
		r.calls++
		if t.State.Name == NameCached {
			r.cached++
			r.from = cmp.Or(r.from, t.CachedFrom)
		}
	}
	r.worked = r.worked || !reused
	r.mu.Unlock()
	if o := r.engine.Observer; o != nil {
		o.TaskRun(t)
	}
}

// enter records the flow run in a new state, written even when ctx is done.
// change, which may be nil, changes the record too.
func (r *flowRun) enter(ctx context.Context, t StateType, name, message string, change func(*FlowRun)) error {
	r.state.Lock()
	defer r.state.Unlock()
	from, next := r.record.State, r.record
	next.State = r.engine.next(from, t, name, message)
	next.Ran = ran(from, next.Ran, next.State.Time)
	switch {
	case t.Final():
		next.End, next.Waiting = next.State.Time, nil
	case t != TypeCancelling:
		next.End = time.Time{}
	}
	if change != nil {
		change(&next)
	}
	err := CheckFlow(from, next.State)
	if err == nil {
		err = r.engine.History.PutFlowRun(context.WithoutCancel(ctx), next, from)
	}
	var refused *TransitionError
	if errors.As(err, &refused) && refused.From.Type != "" {
		r.record.State = refused.From // somebody else has asked it to end
	}
	if err != nil {
		return err
	}
	r.record = next
	if o := r.engine.Observer; o != nil {
		o.FlowRun(next)
	}
	if r.changed != nil {
		err = r.changed(ctx)
	}
	r.hook(ctx, next)
	return err
}

// hook calls the flow's OnState.
func (r *flowRun) hook(ctx context.Context, run FlowRun) {
	if r.onState == nil {
		return
	}
	var err error
	func() {
		defer recovered(&err)
		r.onState(context.WithoutCancel(ctx), run)
	}()
	if err != nil {
		r.engine.log().Error("call a flow's OnState", "flow", run.Flow, "run", run.ID, "error", err)
	}
}
