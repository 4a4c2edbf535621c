package enginehttp

import (
	"context"
	"fmt"
	"regexp"

	"github.com/taximeter/taximeter/engine"
)

// refs are names of results.
var refs = regexp.MustCompile(`^([0-9a-f]{64}$|=)`)

// do asks the records what the call asks.
func (c call) do(ctx context.Context, h engine.History) (a answer, err error) {
	run := func(r engine.FlowRun, err error) (answer, error) {
		if err != nil {
			return a, err
		}
		shown := NewFlowRun(r)
		return answer{FlowRun: &shown}, nil
	}
	switch {
	case c.PutTaskRun != nil:
		if r := c.PutTaskRun.TaskRun.Result; r != nil && !refs.MatchString(r.Ref) {
			return a, invalid("put_task_run.task_run.result.ref", "put_task_run.task_run.result.ref: want a SHA-256, or = and the value")
		}
		return a, h.PutTaskRun(ctx, c.PutTaskRun.record())
	case c.AppendLogs != nil:
		return a, appendLogs(ctx, h, c.AppendLogs)
	case c.PutFlowRun != nil:
		return a, h.PutFlowRun(ctx, c.PutFlowRun.FlowRun.Record(), orZeroState(c.PutFlowRun.From))
	case c.CreateFlowRun != nil:
		r := c.CreateFlowRun.Record()
		if r.ID == "" || r.RootID == "" || r.Flow == "" {
			return a, invalid("create_flow_run", "create_flow_run: want an id, a root_id and a flow")
		}
		if r.ParentID != "" {
			if _, err := h.FlowRun(ctx, r.ParentID); err != nil {
				return a, err
			}
		}
		return run(h.CreateFlowRun(ctx, r))
	case c.AdoptFlowRun != nil:
		return run(h.AdoptFlowRun(ctx, c.AdoptFlowRun.FlowRunID))
	case c.GetFlowRun != nil:
		return run(h.FlowRun(ctx, c.GetFlowRun.FlowRunID))
	case c.GetSubflow != nil:
		return run(h.Subflow(ctx, c.GetSubflow.FlowRunID, c.GetSubflow.Key))
	case c.DeleteFlowRun != nil:
		return a, h.DeleteFlowRun(ctx, c.DeleteFlowRun.FlowRunID)
	case c.GetTaskRuns != nil:
		tasks, err := h.TaskRuns(ctx, c.GetTaskRuns.FlowRunID)
		a.TaskRuns = NewTaskRuns(tasks)
		return a, err
	case c.GetCached != nil:
		e, err := h.Cached(ctx, c.GetCached.Key)
		if err == nil {
			a.Entry = &cacheEntry{e.Key, e.FlowRunID, *newResult(&e.Result), orNil(e.Expires)}
		}
		return a, err
	case c.Signal != nil:
		return run(h.Signal(ctx, engine.Signal(*c.Signal)))
	}
	return c.doMore(ctx, h)
}

// doMore is do for calls about artifacts and limits.
func (c call) doMore(ctx context.Context, h engine.History) (a answer, err error) {
	switch {
	case c.PutArtifact != nil:
		if _, err := h.FlowRun(ctx, c.PutArtifact.FlowRunID); err != nil {
			return a, err
		}
		if err := c.PutArtifact.Check(); err != nil {
			return a, invalid("put_artifact", err.Error())
		}
		kept, err := h.PutArtifact(ctx, *c.PutArtifact)
		if err == nil {
			a.Artifact = &kept
		}
		return a, err
	case c.GetArtifacts != nil:
		a.Artifacts, err = h.Artifacts(ctx, engine.ArtifactQuery(*c.GetArtifacts))
	case c.Acquire != nil:
		full, err := h.TryAcquire(ctx, engine.Holder(c.Acquire.Holder), c.Acquire.Names)
		if full.Name != "" {
			shown := NewLimit(full)
			a.Full = &shown
		}
		return a, err
	case c.Release != nil:
		err = h.Release(ctx, engine.Holder(*c.Release))
	case c.SetLimit != nil:
		err = h.SetLimit(ctx, c.SetLimit.Name, c.SetLimit.Slots)
	case c.GetLimits != nil:
		limits, err := h.Limits(ctx)
		a.Limits = NewLimits(limits)
		return a, err
	default:
		err = invalid("calls", "calls: each wants one of the fields that say what is asked")
	}
	return a, err
}

func (p *putTaskRun) record() engine.TaskPut {
	put := engine.TaskPut{Task: p.TaskRun.Record(p.FlowRunID), From: orZeroState(p.From), Lazy: p.Lazy}
	for _, s := range p.Via {
		put.Via = append(put.Via, engine.State(s))
	}
	data := p.Data
	if p.HasData && data == nil {
		data = []byte{}
	}
	if put.Task.Result != nil {
		put.Task.Result.Data = data
	}
	if e := p.Entry; e != nil {
		put.Entry = &engine.CacheEntry{Key: e.Key, FlowRunID: e.FlowRunID, Result: *e.Result.record(), Expires: orZero(e.Expires)}
		put.Entry.Result.Data = data
	}
	return put
}

// appendLogs keeps lines of runs that are there: others would only be missed when
// they are written.
func appendLogs(ctx context.Context, h engine.History, lines []line) error {
	list := make([]engine.LogLine, len(lines))
	seen := map[string]bool{}
	for i, l := range lines {
		list[i] = engine.LogLine(l)
		if seen[l.FlowRunID] {
			continue
		}
		if _, err := h.FlowRun(ctx, l.FlowRunID); err != nil {
			return fmt.Errorf("keep lines of a log: %w", err)
		}
		seen[l.FlowRunID] = true
	}
	return h.AppendLogs(ctx, list)
}
