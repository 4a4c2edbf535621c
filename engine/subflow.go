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
	sc := s.scope()
	c := sc.begin(f.Name, "", in, after)
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
	go c.asSubflow(func(ctx context.Context) (err error) {
		defer recovered(&err)
		v, err := in.value(ctx)
		if err != nil {
			return err
		}
		r, err := f.child(ctx, c, v)
		if err != nil {
			return err
		}
		c.record.SubflowID = r.record.ID
		r.changed = func(ctx context.Context) error { return c.mirror(ctx, r) }
		err = r.carryOut(ctx, func(sub *Ctx) (err error) {
			result, err = f.call(sub, v)
			return err
		})
		return errors.Join(err, c.mirror(ctx, r))
	})
	return future
}

// Run calls the flow as a subflow and waits for its value.
func (f Flow[I, O]) Run(s Scope, in Arg[I], after ...Dependency) (O, error) {
	return f.Submit(s, in, after...).Get(s.scope().ctx)
}

// child finds or creates the run of this call.
func (f Flow[I, O]) child(ctx context.Context, c *call, in I) (*flowRun, error) {
	e, parent := c.scope.run.engine, c.scope.run.record
	record, err := e.History.Subflow(ctx, parent.ID, c.key)
	if errors.Is(err, ErrNotFound) {
		params, err := marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode the parameters of %s: %w", f.Name, err)
		}
		record = f.newRecord(e, params)
		record.ParentID, record.ParentKey, record.RootID = parent.ID, c.key, parent.RootID
		record.ExpectedStart, record.Refresh = parent.ExpectedStart, parent.Refresh
		if err := e.History.CreateFlowRun(ctx, record); err != nil {
			return nil, fmt.Errorf("record a run of %s: %w", f.Name, err)
		}
	} else if err != nil {
		return nil, err
	}
	return e.newRun(ctx, record)
}

// asSubflow takes the call to a final state by running do.
func (c *call) asSubflow(do func(ctx context.Context) error) {
	defer c.ended()
	ctx := c.scope.ctx
	if c.again {
		c.record = c.prior
	}
	if c.err = c.awaitUpstream(ctx); c.err != nil {
		return
	}
	if err := do(ctx); err != nil {
		// The subflow's own error names the task that failed; saying "preprocess:"
		// before it would only hide that.
		c.err = err
		c.settle(ctx, err)
	}
}

// mirror gives the call the state, attempts and times of the subflow's run.
func (c *call) mirror(ctx context.Context, sub *flowRun) error {
	r := sub.record
	c.settled = r.State.Type.Final()
	if c.record.State == r.State {
		return nil
	}
	if r.State.Name == NameCached {
		c.record.CachedFrom = sub.from
	}
	c.record.State, c.record.Attempts, c.record.Start, c.record.End = r.State, r.Attempts, r.Start, r.End
	if err := c.scope.run.engine.History.PutTaskRun(context.WithoutCancel(ctx), c.record, nil); err != nil {
		return fmt.Errorf("record that %s is %s: %w", c.key, r.State.Name, err)
	}
	c.scope.run.tell(c.record)
	return nil
}
