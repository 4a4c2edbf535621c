package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// TaskRuns implements History.
func (m *MemoryHistory) TaskRuns(_ context.Context, flowRunID string) ([]TaskRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedStableFunc(maps.Values(m.tasks[flowRunID]), func(a, b TaskRun) int { return a.Order - b.Order }), nil
}

// PutTaskRun implements History.
func (m *MemoryHistory) PutTaskRun(_ context.Context, put TaskPut) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	task := put.Task
	if _, err := m.find(task.FlowRunID); err != nil {
		return err
	}
	if now := m.tasks[task.FlowRunID][task.Key]; now.State != put.From {
		return &TransitionError{Run: task.FlowRunID + " " + task.Key, From: now.State, To: task.State}
	}
	states, err := put.States()
	if err != nil {
		return err
	}
	if task.Result != nil {
		task.Result = m.keep(*task.Result)
	}
	if put.Entry != nil {
		kept := *put.Entry
		kept.Result = *m.keep(put.Entry.Result)
		m.cache[put.Entry.Key] = kept
	}
	m.tasks[task.FlowRunID][task.Key] = task
	h := Holder{task.FlowRunID, task.Key}
	m.states[h] = append(m.states[h], states...)
	return nil
}

// keep stores the bytes of r and returns r without them.
func (m *MemoryHistory) keep(r Result) *Result {
	if r.Data != nil {
		m.results[r.Ref] = r.Data
		r.Data = nil
	}
	return &r
}

// Cached implements History.
func (m *MemoryHistory) Cached(_ context.Context, key string) (CacheEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entry, ok := m.cache[key]
	if !ok || !entry.Expires.IsZero() && !time.Now().Before(entry.Expires) {
		return CacheEntry{}, fmt.Errorf("cache entry: %w", ErrNotFound)
	}
	return entry, nil
}

// ReadResult implements History.
func (m *MemoryHistory) ReadResult(_ context.Context, r Result) ([]byte, error) {
	if data, ok := r.Inline(); ok {
		return data, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.results[r.Ref]
	if !ok {
		return nil, fmt.Errorf("result %s: %w", r.Ref, ErrNotFound)
	}
	return data, nil
}
