package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
)

// Signal implements History.
func (m *MemoryHistory) Signal(_ context.Context, s Signal) (FlowRun, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	run, err := m.find(s.FlowRunID)
	if err != nil {
		return run, err
	}
	carried := m.owned[run.RootID]
	if s.Kind == SignalResume && !carried { // a subflow goes on with the whole
		run = m.runs[run.RootID]
	}
	run, states, s, err := Ask(run, s, carried, memoryNow())
	if err != nil {
		return run, err
	}
	m.put(run, states...)
	if run.State.Type == TypeCancelled {
		m.cancelBelow(run)
	}
	s.Seq = 1
	if n := len(m.signals); n > 0 {
		s.Seq = m.signals[n-1].Seq + 1
	}
	m.signals = append(m.signals, s)
	m.signal.all()
	return run, nil
}

// cancelBelow cancels what is not finished below a run that nobody carries out.
func (m *MemoryHistory) cancelBelow(top FlowRun) {
	now := memoryNow()
	for _, run := range m.runs {
		if run.ParentID == top.ID && !run.State.Type.Final() {
			if run, states, _, err := Ask(run, Signal{Kind: SignalCancel, Message: top.State.Message}, false, now); err == nil {
				m.put(run, states...)
				m.cancelBelow(run)
			}
		}
	}
	for key, t := range m.tasks[top.ID] {
		if !t.State.Type.Final() {
			t.State = After(t.State, now, TypeCancelled, NameCancelled, top.State.Message)
			m.tasks[top.ID][key] = t
			h := Holder{top.ID, key}
			m.states[h] = append(m.states[h], t.State)
		}
	}
}

// Signals implements History.
func (m *MemoryHistory) Signals(ctx context.Context, rootID string, after int64) ([]Signal, error) {
	for {
		changed := m.signal.next()
		m.mu.Lock()
		var list []Signal
		for _, s := range m.signals {
			if s.Seq > after && m.runs[s.FlowRunID].RootID == rootID {
				list = append(list, s)
			}
		}
		m.mu.Unlock()
		if len(list) > 0 || after < 0 {
			return list, nil
		}
		if err := until(ctx, changed); err != nil {
			return nil, err
		}
	}
}

// TryAcquire implements History.
func (m *MemoryHistory) TryAcquire(_ context.Context, h Holder, names []string) (Limit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var want []string
	for _, name := range names {
		slots, set := m.limits[name]
		if strings.HasPrefix(name, ExclusivePrefix) {
			slots, set = 1, true
		}
		held := m.holders[name]
		switch {
		case !set || slices.Contains(held, h):
		case len(held) >= slots:
			return Limit{Name: name, Slots: slots, Holders: slices.Clone(held)}, nil
		default:
			want = append(want, name)
		}
	}
	if m.holders == nil {
		m.holders = map[string][]Holder{}
	}
	for _, name := range want {
		m.holders[name] = append(m.holders[name], h)
	}
	return Limit{}, nil
}

// Release implements History.
func (m *MemoryHistory) Release(_ context.Context, h Holder) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, held := range m.holders {
		if held = slices.DeleteFunc(held, func(other Holder) bool { return other == h }); len(held) == 0 {
			delete(m.holders, name)
		} else {
			m.holders[name] = held
		}
	}
	return nil
}

// SetLimit implements History.
func (m *MemoryHistory) SetLimit(_ context.Context, name string, slots int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limits == nil {
		m.limits = map[string]int{}
	}
	if m.limits[name] = slots; slots < 0 {
		delete(m.limits, name)
	}
	return nil
}

// Limits implements History.
func (m *MemoryHistory) Limits(context.Context) ([]Limit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Limit
	for name, slots := range maps.All(m.limits) {
		list = append(list, Limit{Name: name, Slots: slots, Holders: slices.Clone(m.holders[name])})
	}
	slices.SortFunc(list, func(a, b Limit) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
