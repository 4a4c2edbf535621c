package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Scope is where calls are made from: the *Ctx of a flow's body, or, for nested
// tasks, the *TaskCtx of a task's.
type Scope interface{ scope() *scope }

// scope makes the calls of one body and gives them their keys.
type scope struct {
	ctx    context.Context
	run    *flowRun
	prefix string // of the keys made here; empty for a flow's body

	mu     sync.Mutex
	counts map[string]int
	calls  []*call
}

func newScope(ctx context.Context, run *flowRun, prefix string) *scope {
	return &scope{ctx: ctx, run: run, prefix: prefix, counts: map[string]int{}}
}

// begin registers a call, in the order in which the body makes them. It depends
// on what its argument is made of and on the calls in after.
func (s *scope) begin(name, key string, in part, after []Dependency) *call {
	upstream := in.calls()
	for _, d := range after {
		upstream = append(upstream, d.calls()...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.prefix + slug(name)
	if key != "" {
		full += "[" + key + "]"
	}
	n := s.counts[full]
	s.counts[full]++
	if n > 0 {
		full += fmt.Sprintf("#%d", n)
	}
	c := &call{scope: s, key: full, name: name, upstream: upstream, done: make(chan struct{})}
	c.record = TaskRun{FlowRunID: s.run.record.ID, Key: full, Name: name, Order: int(s.run.made.Add(1))}
	c.prior, c.again = s.run.prior[full]
	for _, u := range upstream {
		u.observed.Store(true)
		u.consumers.Add(1)
		// A call of the parent flow is no row of this run: the subflow's own call
		// has recorded the dependency.
		if u.scope.run == s.run {
			c.record.DependsOn = append(c.record.DependsOn, u.key)
		}
	}
	s.calls = append(s.calls, c)
	return c
}

// join waits for every call made here and returns the first failure that
// nobody has seen.
func (s *scope) join() error {
	for i := 0; ; i++ {
		s.mu.Lock()
		if i == len(s.calls) {
			s.mu.Unlock()
			break
		}
		c := s.calls[i]
		s.mu.Unlock()
		<-c.done
	}
	for _, c := range s.calls {
		if c.err != nil && !c.observed.Load() {
			return c.err
		}
	}
	return nil
}

// Ctx is what a flow's body is given. Its methods may be called from several
// goroutines, but calls must be made in the same order each time the body runs.
type Ctx struct{ s *scope }

func (c *Ctx) scope() *scope { return c.s }

// Context is done when the run is cancelled.
func (c *Ctx) Context() context.Context { return c.s.ctx }

// RunID is the ID of this flow run.
func (c *Ctx) RunID() string { return c.s.run.record.ID }

// RunName is the name of this flow run, for people.
func (c *Ctx) RunName() string { return c.s.run.record.Name }

// ExpectedStart is when this run was due, by the orchestrator's clock, in UTC. It
// stays the same however late the run begins and however often it is resumed.
func (c *Ctx) ExpectedStart() time.Time { return c.s.run.record.ExpectedStart }

// Log writes to the log of this flow run.
func (c *Ctx) Log() *slog.Logger { return c.s.run.logger("") }

// TaskCtx is what a task's body finds in its context with From.
type TaskCtx struct {
	s    *scope
	call *call
}

func (t *TaskCtx) scope() *scope { return t.s }

// RunID is the ID of the flow run that this call belongs to.
func (t *TaskCtx) RunID() string { return t.s.run.record.ID }

// Key is the key of this call within its flow run.
func (t *TaskCtx) Key() string { return t.call.key }

// Log writes to the log of this call.
func (t *TaskCtx) Log() *slog.Logger { return t.s.run.logger(t.call.key) }

// Progress says that done of total units are done; label names what is counted.
func (t *TaskCtx) Progress(label string, done, total int64) {
	if o := t.s.run.engine.Observer; o != nil {
		o.Progress(Progress{
			FlowRunID: t.s.run.record.ID, TaskKey: t.call.key, TaskName: t.call.name,
			Label: label, Done: done, Total: total,
		})
	}
}

type taskKey struct{}

// From returns what the engine offers to a task's body. Outside of one it
// panics: a body that must also run without the engine does not call it.
func From(ctx context.Context) *TaskCtx {
	t, ok := ctx.Value(taskKey{}).(*TaskCtx)
	if !ok {
		panic("engine.From: this context is not a task's")
	}
	return t
}
