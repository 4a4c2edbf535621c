package gbt

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// crew is a few goroutines that do one job after another together. The pauses
// between jobs are mostly shorter than it takes to wake a goroutine, which can
// be half a millisecond, so that whoever waits looks around for a while before
// going to sleep.
type crew struct {
	size  int
	job   func(worker int)
	turn  atomic.Uint32 // counts jobs
	busy  atomic.Int32  // workers, but the caller of do, that are at the job
	looks atomic.Int32  // how long to look around
	lock  sync.Mutex
	wake  sync.Cond
}

func newCrew(size int) *crew {
	c := &crew{size: size}
	c.wake.L = &c.lock
	c.looks.Store(mostLooks)
	for worker := 1; worker < size; worker++ {
		go func() {
			for turn := uint32(0); ; {
				c.wait(func() bool { return c.turn.Load() != turn })
				turn = c.turn.Load()
				if c.job == nil {
					return
				}
				c.job(worker)
				if c.busy.Add(-1) == 0 {
					c.notify()
				}
			}
		}()
	}
	return c
}

// do calls job once for each worker, and returns when all are done.
func (c *crew) do(job func(worker int)) {
	if c.size > 1 {
		c.job = job
		c.busy.Store(int32(c.size) - 1)
		c.turn.Add(1)
		c.notify()
	}
	job(0)
	c.wait(func() bool { return c.busy.Load() == 0 })
}

// each calls do for each i in [0, n).
func (c *crew) each(n int, do func(i int)) {
	if n == 1 {
		do(0)
		return
	}
	var next atomic.Int64
	c.do(func(int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	})
}

// pieces calls do for each piece of [0, n), which all but the last are of one size.
func (c *crew) pieces(n, size int, do func(from, to int)) {
	c.each((n+size-1)/size, func(i int) { do(i*size, min((i+1)*size, n)) })
}

// dismiss ends the goroutines.
func (c *crew) dismiss() {
	c.job = nil
	c.turn.Add(1)
	c.notify()
}

// A look takes about a nanosecond. To look around in vain is likely to mean that
// there are fewer processors to be had than workers, and the one looking keeps
// the others from theirs: so it is done half as long next time.
const fewestLooks, mostLooks = 1 << 14, 1 << 20

// wait returns when until says so. Whoever makes it say so must notify.
func (c *crew) wait(until func() bool) {
	looks := c.looks.Load()
	for i := range looks {
		if until() {
			if i > 0 {
				c.looks.Store(min(2*looks, mostLooks))
			}
			return
		}
		if i%4096 == 4095 {
			runtime.Gosched()
		}
	}
	c.looks.Store(max(looks/2, fewestLooks))
	c.lock.Lock()
	for !until() {
		c.wake.Wait()
	}
	c.lock.Unlock()
}

func (c *crew) notify() {
	c.lock.Lock() // whoever is about to wait has either seen the change or sleeps
	c.lock.Unlock()
	c.wake.Broadcast()
}

// errands are jobs that are done by whoever has nothing better to do.
type errands struct {
	do    func(i int)
	count int32
	begun atomic.Int32
}

// renew makes it errands 0 to n.
func (e *errands) renew(n int) {
	e.count = int32(n)
	e.begun.Store(0)
}

// one does one errand, and returns whether there was one left.
func (e *errands) one() bool {
	if e.begun.Load() >= e.count {
		return false
	}
	i := e.begun.Add(1) - 1
	if i >= e.count {
		return false
	}
	e.do(int(i))
	return true
}

// all does all errands, with others that do the same.
func (e *errands) all() {
	for e.one() {
	}
}

// exchange is where workers get nodes of a tree from one another.
type exchange[T any] struct {
	crew    *crew
	errands *errands
	lock    sync.Mutex
	offered [][]T
	count   atomic.Int32 // of offered
	working atomic.Int32 // workers that have nodes
	hungry  atomic.Int32 // workers that have none, less what is offered
}

func newExchange[T any](c *crew, aside *errands) *exchange[T] {
	e := &exchange[T]{crew: c, errands: aside}
	e.working.Store(int32(c.size))
	return e
}

func (e *exchange[T]) offer(n []T) {
	e.lock.Lock()
	e.offered = append(e.offered, n)
	e.count.Add(1)
	e.lock.Unlock()
	e.hungry.Add(-1)
	e.crew.notify()
}

// take is called by a worker that has no nodes. It returns some that are
// offered, or false when no worker has any and all errands are begun.
func (e *exchange[T]) take() (n []T, ok bool) {
	e.hungry.Add(1)
	if e.working.Add(-1) == 0 {
		e.crew.notify()
	}
	for {
		if e.count.Load() == 0 && e.errands.one() {
			continue
		}
		e.crew.wait(func() bool { return e.count.Load() > 0 || e.working.Load() == 0 })
		e.lock.Lock()
		if last := len(e.offered) - 1; last >= 0 {
			n, e.offered = e.offered[last], e.offered[:last]
			e.count.Add(-1)
			e.working.Add(1)
			e.lock.Unlock()
			return n, true
		}
		over := e.working.Load() == 0
		e.lock.Unlock()
		if over {
			return n, false
		}
	}
}

// worthOffering is the work that takes longer than to hand it over.
const worthOffering = 500

// work visits nodes until no worker has any; visit adds those that come of one to
// the list of what is to do. A worker goes on with the greater child of what it
// has just split, which it knows best, and gives the older half of the others to
// those that have none: what a node grows into depends on nothing but the node.
func work[T any](e *exchange[T], todo *[]T, visit func(T), cost func(*T) int) {
	for {
		if len(*todo) == 0 {
			some, ok := e.take()
			if !ok {
				return
			}
			*todo = append(*todo, some...)
		}
		last := len(*todo) - 1
		n := (*todo)[last]
		*todo = (*todo)[:last]
		visit(n)
		if e.hungry.Load() > 0 && len(*todo) > 1 {
			share(e, todo, cost)
		}
	}
}

func share[T any](e *exchange[T], todo *[]T, cost func(*T) int) {
	half, work := len(*todo)/2, 0
	for i := range half {
		work += cost(&(*todo)[i])
	}
	if work >= worthOffering {
		e.offer(slices.Clone((*todo)[:half]))
		*todo = slices.Delete(*todo, 0, half)
	}
}
