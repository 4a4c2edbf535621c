package engine

import (
	"context"
	"fmt"
	"time"
)

// Names of limits that a task asks for are its tags; Occupy takes slots of any
// other. A limit is set in the history, for all processes that share it, and a
// name that has none does not limit. A task that waits for a retry, or for calls
// of its own, holds no slot.

// acquire waits for the slots that the call needs.
func (c *call) acquire(ctx context.Context) error {
	if err := c.scope.run.passGates(ctx); err != nil {
		return err
	}
	h := &c.slots
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wanted = true
	return c.take(ctx, c.awaitSlot)
}

// take is acquire with c.slots locked. waiting is called when there is none free.
func (c *call) take(ctx context.Context, waiting func(context.Context, Limit) error) error {
	h := &c.slots
	if h.held {
		return nil
	}
	if slots := c.scope.run.slots; slots != nil && c.record.Kind == KindTask {
		select {
		case slots <- struct{}{}:
			h.flow = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if len(c.record.Tags) > 0 {
		if err := c.scope.run.engine.acquire(ctx, c.holder(), c.record.Tags, waiting); err != nil {
			c.giveBack(ctx)
			return err
		}
		h.limits = c.record.Tags
	}
	h.held = true
	return nil
}

func (c *call) holder() Holder { return Holder{c.scope.run.born.ID, c.key} }

// awaitSlot shows that the call waits for a slot of a limit.
func (c *call) awaitSlot(ctx context.Context, full Limit) error {
	if c.record.State.Name == NameAwaitingSlot {
		return nil
	}
	return c.put(ctx, TypeScheduled, NameAwaitingSlot, fmt.Sprintf("all %d slots of %s are taken", full.Slots, full.Name), TaskPut{Lazy: true})
}

// acquire waits for a slot of each limit. waiting is called when it has to.
func (e *Engine) acquire(ctx context.Context, h Holder, names []string, waiting func(context.Context, Limit) error) error {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		freed := e.slots.next()
		full, err := e.History.TryAcquire(ctx, h, names)
		switch {
		case err != nil:
			return fmt.Errorf("take a slot of %v: %w", names, err)
		case full.Name == "":
			return nil
		case full.Slots == 0:
			return Permanent(fmt.Errorf("the concurrency limit of %s is 0: nothing may run", full.Name))
		}
		if err := waiting(ctx, full); err != nil {
			return err
		}
		timer := time.NewTimer(pause) // another process tells nobody here
		select {
		case <-freed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// release gives back all that the call holds.
func (c *call) release() {
	c.slots.mu.Lock()
	defer c.slots.mu.Unlock()
	c.slots.wanted = false
	c.giveBack(c.scope.ctx)
}

func (c *call) giveBack(ctx context.Context) {
	h := &c.slots
	if h.flow {
		<-c.scope.run.slots
		h.flow = false
	}
	if h.limits != nil {
		c.scope.run.engine.release(ctx, c.holder())
		h.limits = nil
	}
	h.held = false
}

func (e *Engine) release(ctx context.Context, h Holder) {
	if err := e.History.Release(context.WithoutCancel(ctx), h); err != nil {
		e.log().Error("give back slots", "run", h.FlowRunID, "task", h.TaskKey, "error", err)
	}
	e.slots.all()
}

// lend gives the slots to others while the body waits for a call of its own.
func (c *call) lend() {
	h := &c.slots
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lent++
	if h.lent == 1 && h.held {
		c.giveBack(c.scope.ctx)
	}
}

// reclaim ends lend. An attempt whose ctx is done goes on without slots, to its
// end.
func (c *call) reclaim(ctx context.Context) {
	h := &c.slots
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lent--
	if h.lent == 0 && h.wanted {
		_ = c.take(ctx, func(context.Context, Limit) error { return nil })
	}
}

// Occupy takes a slot of each of the limits that are set, and waits for them. The
// caller calls release once.
func (t *TaskCtx) Occupy(ctx context.Context, names ...string) (release func(), err error) {
	t.call.slots.mu.Lock()
	t.call.slots.occupied++
	h := Holder{t.RunID(), fmt.Sprintf("%s %d", t.call.key, t.call.slots.occupied)}
	t.call.slots.mu.Unlock()
	e := t.s.run.engine
	if err := e.acquire(ctx, h, names, func(context.Context, Limit) error { return nil }); err != nil {
		return nil, err
	}
	return func() { e.release(ctx, h) }, nil
}
