package engine

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
)

// Scope is where calls are made from: the *Ctx of a flow's body, or, for nested
// tasks, the *TaskCtx of a task's.
type Scope interface{ scope() *scope }

// scope makes the calls of one body and gives them their keys.
type scope struct {
	ctx    context.Context
	run    *flowRun
	prefix string      // of the keys made here; empty for a flow's body
	by     *call       // whose body this is; nil for a flow's
	fenced atomic.Bool // its attempt was abandoned: what it writes is refused

	mu     sync.Mutex
	counts map[string]int
	calls  []*call
	last   *call          // of a task or a subflow
	closed bool           // it makes no more calls
	draws  int            // of random numbers
	pauses int            // that have no key of their own
	placed map[string]int // artifacts, by what they are
}

func newScope(ctx context.Context, run *flowRun, prefix string, by *call) *scope {
	return &scope{ctx: ctx, run: run, prefix: prefix, by: by}
}

// stale reports whether this body's attempt was abandoned, or one that it is part of.
func (s *scope) stale() bool {
	return s.fenced.Load() || s.by != nil && s.by.scope.stale()
}

// abandon gives up on a body that has not returned within the grace. It makes no
// more calls; those that it made had the same grace, and are waited for until their
// end is recorded. What the body still does is discarded.
func (s *scope) abandon() {
	s.mu.Lock()
	s.closed = true
	calls := s.calls
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, c := range calls {
			<-c.done
		}
	}()
	s.run.engine.outlive(ended)
	s.fenced.Store(true)
}

// begin registers a call, in the order in which the body makes them. It depends
// on what its argument is made of and on the calls in after.
func (s *scope) begin(kind Kind, name, key string, in part, after []Dependency) *call {
	taken := in.calls()
	upstream := taken
	for _, d := range after {
		upstream = append(upstream, d.calls()...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	word := slug(name)
	c := &call{scope: s, key: s.key(word, key), name: name, upstream: upstream, done: make(chan struct{})}
	c.record = TaskRun{
		FlowRunID: s.run.born.ID, Key: c.key, Name: name, Kind: cmp.Or(kind, KindTask), Order: int(s.run.made.Add(1)),
		State: State{Type: TypePending, Name: NamePending, Time: s.run.engine.now()},
	}
	if s.closed {
		return c.refuse(errBodyEnded)
	}
	if word == "" {
		s.calls = append(s.calls, c.refuse(errNoName))
		return c
	}
	c.prior = s.run.latest(c.key)
	for i, u := range upstream {
		u.observed.Store(true)
		u.consumers.Add(1)
		switch {
		case u.scope.run != s.run:
			// A call of the parent flow is no row of this run: the subflow's own call
			// has recorded the dependency.
		case i < len(taken):
			c.record.DependsOn = append(c.record.DependsOn, u.key)
		default:
			c.record.After = append(c.record.After, u.key)
		}
	}
	if kind != KindCheckpoint { // what a flow asks its Ctx for is no work, and waits for none
		if s.run.concurrency == 1 {
			c.previous = s.last
		}
		s.last = c
	}
	s.calls = append(s.calls, c)
	return c
}

// key is the key of the next call of the task with that slug, with s.mu locked.
func (s *scope) key(word, key string) string {
	full := s.prefix + word
	if key != "" {
		full += "[" + key + "]"
	}
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	n := s.counts[full]
	s.counts[full]++
	if n > 0 {
		full += "#" + strconv.Itoa(n)
	}
	return full
}

// errNoName refuses what no key can be made of.
var errNoName = errors.New("a name wants a letter or a digit")

// errBodyEnded refuses a call that comes too late to be part of its run.
var errBodyEnded = errors.New("the body that makes the call has ended, or was abandoned")

// join waits for every call made here and returns the first failure that nobody has
// seen. From then on no call can be made here.
func (s *scope) join() error {
	for i := 0; ; i++ {
		s.mu.Lock()
		if i == len(s.calls) {
			s.closed = true
			s.mu.Unlock()
			break
		}
		c := s.calls[i]
		s.mu.Unlock()
		_ = c.wait(context.Background()) // calls end when their run is cancelled
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if c.err != nil && !c.observed.Load() {
			return c.err
		}
	}
	return nil
}
