package enginehttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/taximeter/taximeter/engine"
)

// inlineResult is the largest result that goes with the call it is of, in bytes.
const inlineResult = 64 << 10

// ask sends a call and returns what came of it.
func (h *History) ask(c call) (*asked, error) {
	a, err := newAsked(c)
	if err == nil {
		err = h.sender.ask(a)
	}
	return a, err
}

func newAsked(c call) (*asked, error) {
	text, err := asJSON(c)
	if err != nil {
		return nil, fmt.Errorf("write a call of the engine's API: %w", err)
	}
	return &asked{text: text}, nil
}

// run is the answer to a call that wants a run.
func (h *History) run(c call) (engine.FlowRun, error) { return runOf(h.ask(c)) }

func runOf(a *asked, err error) (engine.FlowRun, error) {
	if err == nil && a.answer.FlowRun == nil {
		err = errors.New("the server gave no flow run")
	}
	if err != nil {
		return engine.FlowRun{}, err
	}
	return a.answer.FlowRun.Record(), nil
}

// CreateFlowRun implements engine.History.
func (h *History) CreateFlowRun(ctx context.Context, run engine.FlowRun) (engine.FlowRun, error) {
	shown := NewFlowRun(run)
	a, err := h.ask(call{CreateFlowRun: &shown})
	if err != nil && a != nil && a.before > 0 { // it may be that the first was not in vain
		if made, ferr := h.FlowRun(ctx, run.ID); ferr == nil && same(made.State, run.State) {
			return made, nil
		}
	}
	if err != nil {
		return run, err
	}
	return a.answer.FlowRun.Record(), nil
}

// AdoptFlowRun implements engine.History.
func (h *History) AdoptFlowRun(ctx context.Context, id string) (engine.FlowRun, error) {
	a, err := h.ask(call{AdoptFlowRun: &runID{id}})
	var owned *engine.OwnedError
	if a != nil && a.before > 0 && errors.As(err, &owned) {
		// By this lease, as far as one can tell: the first answer was not heard. Were it
		// another's, the first write would be refused.
		return h.FlowRun(ctx, id)
	}
	return runOf(a, err)
}

// FlowRun implements engine.History.
func (h *History) FlowRun(_ context.Context, id string) (engine.FlowRun, error) {
	return h.run(call{GetFlowRun: &runID{id}})
}

// Subflow implements engine.History.
func (h *History) Subflow(_ context.Context, parentID, key string) (engine.FlowRun, error) {
	return h.run(call{GetSubflow: &runKey{parentID, key}})
}

// PutFlowRun implements engine.History.
func (h *History) PutFlowRun(_ context.Context, run engine.FlowRun, from engine.State) error {
	a, err := h.ask(call{PutFlowRun: &putFlowRun{NewFlowRun(run), orNoState(from)}})
	return done(a, err, run.State)
}

// done forgives a write that was refused because it had been done: the server's
// first answer was not heard.
func done(a *asked, err error, state engine.State) error {
	var refused *engine.TransitionError
	if a != nil && a.before > 0 && errors.As(err, &refused) && same(refused.From, state) {
		return nil
	}
	return err
}

func same(a, b engine.State) bool {
	return a.Type == b.Type && a.Name == b.Name && a.Message == b.Message && a.Time.Equal(b.Time)
}

// DeleteFlowRun implements engine.History.
func (h *History) DeleteFlowRun(_ context.Context, id string) error {
	a, err := h.ask(call{DeleteFlowRun: &runID{id}})
	if a != nil && a.before > 0 && errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// TaskRuns implements engine.History.
func (h *History) TaskRuns(_ context.Context, flowRunID string) ([]engine.TaskRun, error) {
	a, err := h.ask(call{GetTaskRuns: &runID{flowRunID}})
	if err != nil {
		return nil, err
	}
	var tasks []engine.TaskRun
	for _, t := range a.answer.TaskRuns {
		tasks = append(tasks, t.Record(flowRunID))
	}
	return tasks, nil
}

// PutTaskRun implements engine.History. A large result is sent before the call that
// names it.
func (h *History) PutTaskRun(ctx context.Context, put engine.TaskPut) error {
	if _, err := put.States(); err != nil {
		return err
	}
	c := putTaskRun{FlowRunID: put.Task.FlowRunID, TaskRun: newTaskRun(put.Task), From: orNoState(put.From), Lazy: put.Lazy}
	for _, s := range put.Via {
		c.Via = append(c.Via, newState(s))
	}
	if r := put.Task.Result; r != nil && len(r.Data) > inlineResult {
		if err := h.keepResult(ctx, *r); err != nil {
			return err
		}
	} else if r != nil && r.Data != nil {
		c.Data, c.HasData = r.Data, true
	}
	if e := put.Entry; e != nil {
		c.Entry = &cacheEntry{e.Key, e.FlowRunID, *newResult(&e.Result), orNil(e.Expires)}
	}
	a, err := newAsked(call{PutTaskRun: &c})
	if err != nil {
		return err
	}
	a.lazy = put.Lazy
	err = h.sender.ask(a)
	if put.Lazy {
		return err // it is on its way
	}
	return done(a, err, put.Task.State)
}

// Cached implements engine.History.
func (h *History) Cached(_ context.Context, key string) (engine.CacheEntry, error) {
	a, err := h.ask(call{GetCached: &cacheKey{key}})
	if err != nil {
		return engine.CacheEntry{Key: key}, err
	}
	e := a.answer.Entry
	if e == nil {
		return engine.CacheEntry{Key: key}, fmt.Errorf("cache entry: %w", engine.ErrNotFound)
	}
	return engine.CacheEntry{Key: e.Key, FlowRunID: e.FlowRunID, Result: *e.Result.record(), Expires: orZero(e.Expires)}, nil
}

// AppendLogs implements engine.History.
func (h *History) AppendLogs(_ context.Context, lines []engine.LogLine) error {
	if len(lines) == 0 {
		return nil
	}
	list := make([]line, len(lines))
	for i, l := range lines {
		list[i] = line(l)
	}
	a, err := newAsked(call{AppendLogs: list})
	if err != nil {
		return err
	}
	a.lazy, a.logs = true, true
	return h.sender.ask(a)
}

// PutArtifact implements engine.History.
func (h *History) PutArtifact(_ context.Context, artifact engine.Artifact) (engine.Artifact, error) {
	a, err := h.ask(call{PutArtifact: &artifact})
	if err != nil {
		return artifact, err
	}
	if a.answer.Artifact == nil {
		return artifact, errors.New("the server gave no artifact")
	}
	return *a.answer.Artifact, nil
}

// Artifacts implements engine.History.
func (h *History) Artifacts(_ context.Context, q engine.ArtifactQuery) ([]engine.Artifact, error) {
	c := artifactsOf(q)
	a, err := h.ask(call{GetArtifacts: &c})
	if err != nil {
		return nil, err
	}
	return a.answer.Artifacts, nil
}

// Signal implements engine.History.
func (h *History) Signal(_ context.Context, s engine.Signal) (engine.FlowRun, error) {
	c := signal(s)
	return h.run(call{Signal: &c})
}

// Signals implements engine.History.
func (h *History) Signals(ctx context.Context, rootID string, after int64) (list []engine.Signal, err error) {
	path := fmt.Sprintf("%s/signals?run=%s&after=%d", h.path, url.QueryEscape(rootID), after)
	for len(list) == 0 && err == nil {
		var answer signalList
		err = h.again(ctx, func(ctx context.Context, _ int) error { return h.client.call(ctx, http.MethodGet, path, nil, &answer) })
		for _, s := range answer.Signals {
			list = append(list, engine.Signal(s))
		}
		if after < 0 {
			break
		}
	}
	if errors.Is(err, engine.ErrSuperseded) { // nothing will be asked of this process any more
		<-ctx.Done()
		err = context.Cause(ctx)
	}
	return list, err
}

// TryAcquire implements engine.History.
func (h *History) TryAcquire(_ context.Context, holder engine.Holder, names []string) (engine.Limit, error) {
	if len(names) == 0 {
		return engine.Limit{}, nil
	}
	a, err := h.ask(call{Acquire: &acquire{Holder(holder), names}})
	if err != nil || a.answer.Full == nil {
		return engine.Limit{}, err
	}
	return a.answer.Full.record(), nil
}

func (l Limit) record() engine.Limit {
	limit := engine.Limit{Name: l.Name, Slots: l.Slots}
	for _, h := range l.Holders {
		limit.Holders = append(limit.Holders, engine.Holder(h))
	}
	return limit
}

// Release implements engine.History.
func (h *History) Release(_ context.Context, holder engine.Holder) error {
	c := Holder(holder)
	_, err := h.ask(call{Release: &c})
	return err
}

// SetLimit implements engine.History.
func (h *History) SetLimit(_ context.Context, name string, slots int) error {
	_, err := h.ask(call{SetLimit: &limitSlots{name, slots}})
	return err
}

// Limits implements engine.History.
func (h *History) Limits(context.Context) ([]engine.Limit, error) {
	a, err := h.ask(call{GetLimits: &struct{}{}})
	if err != nil {
		return nil, err
	}
	var limits []engine.Limit
	for _, l := range a.answer.Limits {
		limits = append(limits, l.record())
	}
	return limits, nil
}
