package engine

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// Ctx is what a flow's body is given. Its methods may be called from several
// goroutines, but calls must be made in the same order each time the body runs.
type Ctx struct{ s *scope }

func (c *Ctx) scope() *scope { return c.s }

// Context is done when the run is cancelled.
func (c *Ctx) Context() context.Context { return c.s.ctx }

// RunID is the ID of this flow run.
func (c *Ctx) RunID() string { return c.s.run.born.ID }

// RunName is the name of this flow run, for people.
func (c *Ctx) RunName() string { return c.s.run.born.Name }

// ExpectedStart is when this run was due, by the orchestrator's clock, in UTC. It
// stays the same however late the run begins and however often it is resumed.
func (c *Ctx) ExpectedStart() time.Time { return c.s.run.born.ExpectedStart }

// Deployment is the name of the deployment that the run is of; "" for none.
func (c *Ctx) Deployment() string { return c.s.run.born.Deployment }

// Tags are those of this run.
func (c *Ctx) Tags() []string { return slices.Clone(c.s.run.born.Tags) }

// Attempt is how often the body of this run has been begun, this time included.
func (c *Ctx) Attempt() int { return c.s.run.snapshot().Attempts }

// Log writes to the log of this flow run.
func (c *Ctx) Log() *slog.Logger { return c.s.run.logger("") }

// TaskCtx is what a task's body finds in its context with From.
type TaskCtx struct {
	s       *scope
	call    *call
	attempt int
}

func (t *TaskCtx) scope() *scope { return t.s }

// RunID is the ID of the flow run that this call belongs to.
func (t *TaskCtx) RunID() string { return t.s.run.born.ID }

// Key is the key of this call within its flow run.
func (t *TaskCtx) Key() string { return t.call.key }

// ExpectedStart is when the flow run was due, as Ctx.ExpectedStart.
func (t *TaskCtx) ExpectedStart() time.Time { return t.s.run.born.ExpectedStart }

// Attempt is how often the body of this call has been begun, this time included.
func (t *TaskCtx) Attempt() int { return t.attempt }

// Log writes to the log of this call.
func (t *TaskCtx) Log() *slog.Logger { return t.s.run.logger(t.call.key) }

// Progress says that done of total units are done; label names what is counted.
func (t *TaskCtx) Progress(label string, done, total int64) {
	if o := t.s.run.engine.Observer; o != nil {
		o.Progress(Progress{
			FlowRunID: t.s.run.born.ID, TaskKey: t.call.key, TaskName: t.call.name,
			Label: label, Done: done, Total: total,
		})
	}
}

type taskKey struct{}

// From returns what the engine offers to a task's body. Outside of one it
// panics: a body that must also run without the engine does not call it. A body makes
// calls with what it finds here, never with its flow's Ctx: that would be a call beside
// this one, which may wait for the slot that this one has.
func From(ctx context.Context) *TaskCtx {
	t, ok := ctx.Value(taskKey{}).(*TaskCtx)
	if !ok {
		panic("engine.From: this context is not a task's")
	}
	return t
}
