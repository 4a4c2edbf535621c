package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// MemoryHistory keeps records in memory, for programs that want a flow's
// retries and concurrency but no record of it. The zero value is empty.
type MemoryHistory struct {
	mu      sync.Mutex
	runs    map[string]FlowRun
	tasks   map[string][]TaskRun // by flow run
	cache   map[string]CacheEntry
	results map[string][]byte // by Ref
	logs    []LogLine
}

var _ History = (*MemoryHistory)(nil)

// CreateFlowRun implements History.
func (m *MemoryHistory) CreateFlowRun(_ context.Context, run FlowRun) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, exists := m.runs[run.ID]; exists {
		return fmt.Errorf("flow run %s exists", run.ID)
	}
	if m.runs == nil {
		m.runs = map[string]FlowRun{}
		m.tasks = map[string][]TaskRun{}
		m.cache = map[string]CacheEntry{}
		m.results = map[string][]byte{}
	}
	m.runs[run.ID] = run
	return nil
}

// AdoptFlowRun implements History. Memory has one owner, so a run may be
// adopted once nothing in this process is going to finish it.
func (m *MemoryHistory) AdoptFlowRun(ctx context.Context, id string) (FlowRun, error) {
	return m.FlowRun(ctx, id)
}

// FlowRun implements History.
func (m *MemoryHistory) FlowRun(_ context.Context, id string) (FlowRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	run, ok := m.runs[id]
	if !ok {
		return run, fmt.Errorf("flow run %s: %w", id, ErrNotFound)
	}
	return run, nil
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
func (m *MemoryHistory) PutFlowRun(_ context.Context, run FlowRun) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.runs[run.ID]; !ok {
		return fmt.Errorf("flow run %s: %w", run.ID, ErrNotFound)
	}
	m.runs[run.ID] = run
	return nil
}

// TaskRuns implements History.
func (m *MemoryHistory) TaskRuns(_ context.Context, flowRunID string) ([]TaskRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.Clone(m.tasks[flowRunID])
	slices.SortStableFunc(list, func(a, b TaskRun) int { return a.Order - b.Order })
	return list, nil
}

// PutTaskRun implements History.
func (m *MemoryHistory) PutTaskRun(_ context.Context, task TaskRun, entry *CacheEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.runs[task.FlowRunID]; !ok {
		return fmt.Errorf("flow run %s: %w", task.FlowRunID, ErrNotFound)
	}
	if task.Result != nil {
		task.Result = m.keep(*task.Result)
	}
	if entry != nil {
		kept := *entry
		kept.Result = *m.keep(entry.Result)
		m.cache[entry.Key] = kept
	}
	list := m.tasks[task.FlowRunID]
	i := slices.IndexFunc(list, func(t TaskRun) bool { return t.Key == task.Key })
	if i < 0 {
		m.tasks[task.FlowRunID] = append(list, task)
	} else {
		list[i] = task
	}
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
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.results[r.Ref]
	if !ok {
		return nil, fmt.Errorf("result %s: %w", r.Ref, ErrNotFound)
	}
	return data, nil
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
