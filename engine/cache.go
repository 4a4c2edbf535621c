package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Cache says whether results are taken over from earlier runs: from a call of
// the same task (by name), the same version and an equal input. Of calls that
// could share a result and are made at the same time, one is carried out and the
// others wait for it. A hit takes no slot of a limit.
type Cache struct {
	On      bool
	TTL     time.Duration // zero: results do not expire
	Version string        // zero: the engine's, which is the build's identity
	Refresh bool          // use no cached result, and replace it
}

// cacheKey identifies the call among those of all runs.
func (c *call) cacheKey(s spec) string {
	version := s.cache.Version
	if version == "" {
		version = c.scope.run.engine.Version
	}
	return combine("cache", c.name, version, s.codec, c.record.InputDigest)
}

// throughCache takes the result from the cache, or makes it for the cache while
// others wait for it.
func (c *call) throughCache(ctx context.Context, s spec) error {
	if c.scope.run.born.Refresh || s.cache.Refresh {
		return c.attempts(ctx, s)
	}
	key := c.cacheKey(s)
	for {
		if hit, err := c.fromCache(ctx, key); hit || err != nil {
			return err
		}
		landed, wait, err := c.scope.run.engine.takeOff(ctx, key, Holder{c.scope.run.born.ID, c.key})
		if err != nil {
			return err
		}
		if wait == nil {
			defer landed()
			// Another may have landed between the look and the start.
			if hit, err := c.fromCache(ctx, key); hit || err != nil {
				return err
			}
			return c.attempts(ctx, s)
		}
		if c.recorded.Type == "" {
			if err := c.show(ctx); err != nil {
				return err
			}
		}
		if err := wait(ctx); err != nil {
			return err
		}
	}
}

func (c *call) fromCache(ctx context.Context, key string) (bool, error) {
	entry, err := c.scope.run.engine.History.Cached(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the cache: %w", err)
	}
	c.record.Result = &entry.Result
	c.record.CachedFrom = entry.FlowRunID
	c.record.Start = c.scope.run.engine.now()
	return true, c.put(ctx, TypeCompleted, NameCached, "from flow run "+entry.FlowRunID, TaskPut{})
}

// flights are the results that are being made for the cache, by key.
type flights struct {
	mu   sync.Mutex
	made map[string]chan struct{}
}

// ExclusivePrefix begins the names of limits that have one slot without being set.
const ExclusivePrefix = "exclusive:"

// takeOff makes the caller the one that makes the result for key, in all processes
// that share the history; landed ends that. If there is one already, wait waits
// until it has landed, or may have.
func (e *Engine) takeOff(ctx context.Context, key string, h Holder) (landed func(), wait func(context.Context) error, err error) {
	f := &e.flights
	f.mu.Lock()
	if other, ok := f.made[key]; ok {
		f.mu.Unlock()
		return nil, func(ctx context.Context) error { return until(ctx, other) }, nil
	}
	own := make(chan struct{})
	if f.made == nil {
		f.made = map[string]chan struct{}{}
	}
	f.made[key] = own
	f.mu.Unlock()
	leave := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.made, key)
		close(own)
	}
	h.TaskKey += " cache" // its own slots are another matter
	full, err := e.History.TryAcquire(ctx, h, []string{ExclusivePrefix + key})
	if err != nil {
		leave()
		return nil, nil, fmt.Errorf("reserve the making of a cached result: %w", err)
	}
	if full.Name != "" {
		leave()
		return nil, func(ctx context.Context) error { return sleep(ctx, 50*time.Millisecond) }, nil
	}
	return func() {
		defer leave()
		if err := e.History.Release(context.WithoutCancel(ctx), h); err != nil {
			e.log().Error("end the making of a cached result", "run", h.FlowRunID, "task", h.TaskKey, "error", err)
		}
	}, nil, nil
}

// until waits for done to be closed, or for ctx.
func until(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
