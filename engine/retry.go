package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// Retry says when a failed attempt is followed by another. Cancelled calls are
// never retried; timed-out ones are.
type Retry struct {
	Max   int           // retries after the first attempt
	Delay time.Duration // before the first retry
	// Delays, if set, are used in Delay's place, one after the other; the last one
	// stays.
	Delays []time.Duration
	// Backoff multiplies the delay with each further retry: 2 doubles it, up to
	// MaxDelay. Zero: it stays the same.
	Backoff  float64
	MaxDelay time.Duration // zero: a day, or the delay itself where that is longer
	// Jitter spreads each delay evenly over [1-Jitter, 1+Jitter] times itself.
	Jitter float64
	// If decides which errors are worth a retry; nil: all but Permanent ones. A
	// panic in it means no.
	If func(error) bool
}

// delay returns how long to wait before retry n, the first being 0.
func (r Retry) delay(n int) time.Duration {
	first := r.Delay
	if len(r.Delays) > 0 {
		first = r.Delays[min(n, len(r.Delays)-1)]
	}
	if first <= 0 {
		return 0
	}
	d := float64(first)
	if r.Backoff > 0 {
		most := r.MaxDelay
		if most == 0 {
			most = max(24*time.Hour, first)
		}
		d = min(d*math.Pow(r.Backoff, float64(n)), float64(most))
	}
	if r.Jitter > 0 {
		d *= max(0, 1+r.Jitter*(2*rand.Float64()-1))
	}
	return time.Duration(min(d, math.MaxInt64/2))
}

func (r Retry) wants(err error, n int) (yes bool) {
	var p permanent
	var reschedule *Reschedule
	var suspended *suspension
	switch {
	case n >= r.Max, errors.As(err, &p), errors.As(err, &reschedule), errors.As(err, &suspended), errors.Is(err, ErrSuperseded):
		return false
	case r.If == nil:
		return true
	}
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return r.If(err)
}

// Permanent marks err as one that no retry will cure.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
