package engine

import (
	"context"
	"errors"
	"fmt"
)

// Submit calls the flow as a subflow and returns at once. Its body runs in a run
// of its own when the argument's calls, and those in after, have completed. Its
// result is not stored: when the parent is resumed the body runs again, and
// reuses the calls that completed.
func (f Flow[I, O]) Submit(s Scope, in Arg[I], after ...Dependency) *Future[O] {
	if in == nil {
		panic(fmt.Sprintf("flow %s is called without an argument: want engine.Val or a future", f.Name))
	}
	c := s.scope().begin(KindSubflow, f.Name, "", in, after)
	c.record.Tags = f.Tags
	var result Arg[O]
	future := &Future[O]{call: c}
	future.load = func(ctx context.Context) (O, error) { return result.value(ctx) }
	future.id = func() (string, error) {
		<-c.done
		if c.err != nil {
			return "", c.err
		}
		return result.digest()
	}
	c.drop = func() {
		future.release()
		if result != nil {
			for _, u := range result.calls() {
				u.drop()
			}
		}
	}
	if c.refused {
		return future
	}
	go c.asSubflow(func(ctx context.Context) (err error) {
		defer recovered(&err)
		v, err := in.value(ctx)
		if err != nil {
			return err
		}
		r, v, err := f.child(ctx, c, v)
		if err != nil {
			return err
		}
		c.record.SubflowID = r.born.ID
		r.changed = func(ctx context.Context) error { return c.mirror(ctx, r) }
		err = r.carryOut(ctx, func(sub *Ctx) (func() error, error) {
			made, err := f.call(sub, v)
			if err != nil {
				return nil, err
			}
			return func() error { result = made; return nil }, nil
		})
		r.state.Lock()
		defer r.state.Unlock()
		return errors.Join(err, c.mirror(ctx, r))
	})
	return future
}

// Run calls the flow as a subflow and waits for its value.
func (f Flow[I, O]) Run(s Scope, in Arg[I], after ...Dependency) (O, error) {
	return f.Submit(s, in, after...).Get(s.scope().ctx)
}

// child finds or creates the run of this call, and returns its parameters with the
// defaults filled in.
func (f Flow[I, O]) child(ctx context.Context, c *call, in I) (*flowRun, I, error) {
	e, parent := c.scope.run.engine, c.scope.run
	params, err := marshal(in)
	if err != nil {
		return nil, in, fmt.Errorf("encode the parameters of %s: %w", f.Name, err)
	}
	made, err := f.NewRun(e, params, Options{Refresh: parent.born.Refresh, ExpectedStart: parent.born.ExpectedStart})
	if err != nil {
		return nil, in, err
	}
	if string(made.Parameters) != string(params) {
		if in, err = f.parameters(made); err != nil {
			return nil, in, err
		}
	}
	record, err := e.History.Subflow(ctx, parent.born.ID, c.key)
	if errors.Is(err, ErrNotFound) {
		made.ParentID, made.ParentKey, made.RootID = parent.born.ID, c.key, parent.born.RootID
		if record, err = e.History.CreateFlowRun(ctx, made); err != nil {
			return nil, in, fmt.Errorf("record a run of %s: %w", f.Name, err)
		}
	} else if err != nil {
		return nil, in, err
	}
	r, err := e.newRun(ctx, f.settings(), record, parent)
	return r, in, err
}

// asSubflow takes the call to a final state by running do.
func (c *call) asSubflow(do func(ctx context.Context) error) {
	defer c.ended()
	ctx := c.scope.ctx
	c.takeUp()
	if c.prior != nil {
		c.record.SubflowID = c.prior.SubflowID
	}
	if c.err = c.awaitUpstream(ctx); c.err != nil {
		return
	}
	if ctx.Err() != nil {
		c.skip(ctx, NameCancelled, "before it began")
		c.err = context.Cause(ctx)
		return
	}
	err := c.scope.run.passGates(ctx)
	if err == nil {
		err = do(ctx)
	}
	if err != nil {
		// The subflow's own error names the task that failed; saying "preprocess:"
		// before it would only hide that.
		c.err = err
		var reschedule *Reschedule
		var suspended *suspension
		if !errors.As(err, &reschedule) && !errors.As(err, &suspended) {
			c.settle(ctx, err)
		}
	}
}

// mirror gives the call the state, attempts and times of the subflow's run. The
// subflow's state is locked: it is called from where that changes.
func (c *call) mirror(ctx context.Context, sub *flowRun) error {
	r := sub.record
	if c.recorded.Type == r.State.Type && c.recorded.Name == r.State.Name && c.record.Attempts == r.Attempts {
		if c.prior != nil && c.recorded == c.prior.State && !c.settled {
			c.record, c.settled = *c.prior, r.State.Type.Final()
			c.scope.run.tell(c.record, true)
		}
		return nil
	}
	if r.State.Name == NameCached {
		c.record.CachedFrom = sub.from
	}
	c.record.Attempts, c.record.Start, c.record.Ran = r.Attempts, r.Start, r.Ran
	if CheckTask(c.record.State, After(c.record.State, r.State.Time, r.State.Type, r.State.Name, "")) != nil {
		// The process ended between the subflow's last states and these.
		if err := c.put(ctx, TypeRunning, NameRetrying, "", TaskPut{Lazy: true}); err != nil {
			return err
		}
	}
	err := c.put(ctx, r.State.Type, r.State.Name, r.State.Message, TaskPut{Lazy: !r.State.Type.Final()})
	c.record.Ran = r.Ran
	return err
}
