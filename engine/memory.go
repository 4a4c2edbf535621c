package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// MemoryHistory keeps records in memory, for programs that want a flow's
// retries and concurrency but no record of it. The zero value is empty.
type MemoryHistory struct {
	mu        sync.Mutex
	runs      map[string]FlowRun
	owned     map[string]bool // runs at the top that something in this process will finish
	keys      map[string]string
	tasks     map[string]map[string]TaskRun // by flow run and key
	states    map[Holder][]State            // by flow run and task key
	cache     map[string]CacheEntry
	results   map[string][]byte // by Ref
	logs      []LogLine
	artifacts []Artifact
	signals   []Signal
	signal    wakeup
	limits    map[string]int
	holders   map[string][]Holder // by limit
}

var _ History = (*MemoryHistory)(nil)

// CreateFlowRun implements History.
func (m *MemoryHistory) CreateFlowRun(_ context.Context, run FlowRun) (FlowRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs == nil {
		m.runs = map[string]FlowRun{}
		m.owned = map[string]bool{}
		m.keys = map[string]string{}
		m.tasks = map[string]map[string]TaskRun{}
		m.states = map[Holder][]State{}
		m.cache = map[string]CacheEntry{}
		m.results = map[string][]byte{}
	}
	if id, ok := m.keys[run.IdempotencyKey]; ok && run.IdempotencyKey != "" {
		return m.runs[id], nil
	}
	if _, exists := m.runs[run.ID]; exists {
		return run, fmt.Errorf("flow run %s exists", run.ID)
	}
	if err := CheckFlow(State{}, run.State); err != nil {
		return run, inRun(err, run.ID)
	}
	m.put(run, run.State)
	m.tasks[run.ID] = map[string]TaskRun{}
	if run.IdempotencyKey != "" {
		m.keys[run.IdempotencyKey] = run.ID
	}
	if run.RootID == run.ID {
		m.owned[run.ID] = !run.State.Released()
	}
	return run, nil
}

// put stores a run and the states it has entered, with m.mu locked.
func (m *MemoryHistory) put(run FlowRun, states ...State) {
	m.runs[run.ID] = run
	h := Holder{FlowRunID: run.ID}
	m.states[h] = append(m.states[h], states...)
}

// inRun names the run in a TransitionError.
func inRun(err error, run string) error {
	if refused, ok := err.(*TransitionError); ok {
		refused.Run = run
	}
	return err
}

// AdoptFlowRun implements History. Memory has one process, so a run may be
// adopted once nothing is going to finish it.
func (m *MemoryHistory) AdoptFlowRun(_ context.Context, id string) (FlowRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	run, err := m.find(id)
	if err != nil {
		return run, err
	}
	if m.owned[id] {
		return run, &OwnedError{FlowRunID: id, PID: os.Getpid()}
	}
	run, states, more := Adopt(run, false, memoryNow())
	if !more {
		return run, nil
	}
	m.put(run, states...)
	m.owned[id] = true
	m.signals = slices.DeleteFunc(m.signals, func(s Signal) bool {
		return s.Kind != SignalResume && m.runs[s.FlowRunID].RootID == id
	})
	return run, nil
}

func memoryNow() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (m *MemoryHistory) find(id string) (FlowRun, error) {
	run, ok := m.runs[id]
	if !ok {
		return run, fmt.Errorf("flow run %s: %w", id, ErrNotFound)
	}
	return run, nil
}

// FlowRun implements History.
func (m *MemoryHistory) FlowRun(_ context.Context, id string) (FlowRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(id)
}

// Subflow implements History.
func (m *MemoryHistory) Subflow(_ context.Context, parentID, key string) (FlowRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, run := range m.runs {
		if run.ParentID == parentID && run.ParentKey == key {
			return run, nil
		}
	}
	return FlowRun{}, fmt.Errorf("subflow %s of %s: %w", key, parentID, ErrNotFound)
}

// PutFlowRun implements History.
func (m *MemoryHistory) PutFlowRun(_ context.Context, run FlowRun, from State) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.find(run.ID)
	if err != nil {
		return err
	}
	if now.State != from {
		return &TransitionError{Run: run.ID, From: now.State, To: run.State}
	}
	if run.State == from {
		m.put(run)
		return nil
	}
	if err := CheckFlow(from, run.State); err != nil {
		return inRun(err, run.ID)
	}
	m.put(run, run.State)
	if run.RootID == run.ID && run.State.Released() {
		m.owned[run.ID] = false
	}
	return nil
}

// DeleteFlowRun implements History.
func (m *MemoryHistory) DeleteFlowRun(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	run, err := m.find(id)
	switch {
	case err != nil:
		return err
	case run.RootID != id:
		return fmt.Errorf("flow run %s is part of run %s: delete that one", id, run.RootID)
	case m.owned[id]:
		return &OwnedError{FlowRunID: id, PID: os.Getpid()}
	}
	gone := func(id string) bool { return m.runs[id].RootID == run.ID }
	maps.DeleteFunc(m.states, func(h Holder, _ []State) bool { return gone(h.FlowRunID) })
	maps.DeleteFunc(m.tasks, func(id string, _ map[string]TaskRun) bool { return gone(id) })
	m.logs = slices.DeleteFunc(m.logs, func(l LogLine) bool { return gone(l.FlowRunID) })
	m.artifacts = slices.DeleteFunc(m.artifacts, func(a Artifact) bool { return gone(a.FlowRunID) })
	m.signals = slices.DeleteFunc(m.signals, func(s Signal) bool { return gone(s.FlowRunID) })
	delete(m.keys, run.IdempotencyKey)
	maps.DeleteFunc(m.runs, func(_ string, r FlowRun) bool { return r.RootID == run.ID })
	return nil
}

// List returns the newest flow runs that have no parent, newest first. A flow ""
// means every flow.
func (m *MemoryHistory) List(_ context.Context, flow string, limit int) ([]FlowRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []FlowRun
	for _, run := range m.runs {
		if run.ParentID == "" && (flow == "" || run.Flow == flow) {
			list = append(list, run)
		}
	}
	slices.SortFunc(list, func(a, b FlowRun) int { return cmp.Or(b.Listed().Compare(a.Listed()), cmp.Compare(a.ID, b.ID)) })
	return list[:min(limit, len(list))], nil
}

// States returns every state of a flow run (taskKey "") or of one of its calls,
// oldest first.
func (m *MemoryHistory) States(_ context.Context, flowRunID, taskKey string) ([]State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.states[Holder{flowRunID, taskKey}]), nil
}

// AppendLogs implements History.
func (m *MemoryHistory) AppendLogs(_ context.Context, lines []LogLine) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logs = append(m.logs, lines...)
	return nil
}

// Logs returns the lines of one flow run, oldest first.
func (m *MemoryHistory) Logs(_ context.Context, flowRunID string) ([]LogLine, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []LogLine
	for _, l := range m.logs {
		if l.FlowRunID == flowRunID {
			lines = append(lines, l)
		}
	}
	return lines, nil
}
