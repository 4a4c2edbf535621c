package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// checkpoint makes a value once in the life of a run: when the run is carried out
// again, the value is there. since is when the call was first made.
func checkpoint[T any](s Scope, name, key string, do func(ctx context.Context, since time.Time) (T, error)) (T, error) {
	t := Task[struct{}, T]{Name: name, kind: KindCheckpoint, key: key, Func: func(ctx context.Context, _ struct{}) (T, error) {
		return do(ctx, From(ctx).call.begun)
	}}
	return t.Run(s, Val(struct{}{}))
}

// Once returns what do returned the first time that the run came here, however
// often it is carried out. key names the value within the run; a second call with
// the same key is another one.
func Once[T any](s Scope, key string, do func(ctx context.Context) (T, error)) (T, error) {
	return checkpoint(s, "Once", key, func(ctx context.Context, _ time.Time) (T, error) { return do(ctx) })
}

// Now is the time by the orchestrator's clock when the run first came here.
func (c *Ctx) Now() (time.Time, error) {
	return checkpoint(c, "Now", "", func(context.Context, time.Time) (time.Time, error) { return c.s.run.engine.now(), nil })
}

// Sleep waits for d from when the run first came here, across restarts. It ends
// early when the run is cancelled.
func (c *Ctx) Sleep(d time.Duration) error {
	_, err := checkpoint(c, "Sleep", "", func(ctx context.Context, since time.Time) (time.Duration, error) {
		return d, c.s.run.engine.wait(ctx, since.Add(d))
	})
	return err
}

// UUID returns an ID that is the same each time the run comes here, and no other's.
func (c *Ctx) UUID() string {
	sum := c.random("uuid")
	return uuid([16]byte(sum[:16]))
}

// Rand returns a source of random numbers that are the same each time the run comes
// here. It is the caller's, for one goroutine.
func (c *Ctx) Rand() *rand.Rand {
	sum := c.random("rand")
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}

// random is drawn from the run's ID and how many draws went before.
func (c *Ctx) random(kind string) [32]byte {
	c.s.mu.Lock()
	c.s.draws++
	n := c.s.draws
	c.s.mu.Unlock()
	return sha256.Sum256(fmt.Appendf(nil, "%s %s %d", kind, c.RunID(), n))
}
