package gbt

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// crew is a few goroutines that do one job after another together. Whoever comes
// too late for a job is not waited for: the processor may be with another program
// for longer than the job takes. The pauses between jobs are mostly shorter than
// it takes to wake a goroutine, often 30 µs and at times half a millisecond, so
// that whoever waits looks around for a while before going to sleep.
type crew struct {
	size  int
	job   func(worker int)
	state atomic.Uint64 // the jobs so far, whether workers may join the last, and how many are at it
	at    []bool        // by worker: whether it is one of those
	looks atomic.Int32  // how long to look around
	lock  sync.Mutex
	wake  sync.Cond
}

// The parts of a crew's state.
const (
	atIt     = 1<<16 - 1
	joinable = 1 << 16
	nextJob  = 1 << 17
)

func newCrew(size int) *crew {
	c := &crew{size: size, at: make([]bool, size)}
	c.wake.L = &c.lock
	c.looks.Store(mostLooks)
	for worker := 1; worker < size; worker++ {
		go c.work(worker)
	}
	return c
}

// work does one job after another, as far as the worker comes in time.
func (c *crew) work(worker int) {
	for last := uint64(0); ; {
		var s uint64
		c.wait(func() bool { s = c.state.Load(); return s&joinable != 0 && s/nextJob != last })
		last = s / nextJob
		if !c.join(worker, last) {
			continue
		}
		job := c.job
		if job == nil {
			return
		}
		job(worker)
		if c.at[worker] {
			c.leave(worker)
		}
	}
}

// join returns false if the job is over.
func (c *crew) join(worker int, job uint64) bool {
	for c.open(job) {
		if s := c.state.Load(); s&joinable != 0 && s/nextJob == job && c.state.CompareAndSwap(s, s+1) {
			c.at[worker] = true
			return true
		}
	}
	return false
}

func (c *crew) leave(worker int) {
	c.at[worker] = false
	if c.state.Add(^uint64(0))&atIt == 0 {
		c.notify()
	}
}

// open tells whether a job can be joined.
func (c *crew) open(job uint64) bool {
	s := c.state.Load()
	return s&joinable != 0 && s/nextJob == job
}

// do calls job as worker 0, and once for each worker that comes before that is
// done. It returns when all are.
func (c *crew) do(job func(worker int)) {
	if c.size == 1 {
		job(0)
		return
	}
	c.begin(job)
	job(0)
	for s := c.state.Load(); !c.state.CompareAndSwap(s, s&^joinable); {
		s = c.state.Load()
	}
	c.wait(func() bool { return c.state.Load()&atIt == 0 })
}

// begin opens a job. Nobody is at one.
func (c *crew) begin(job func(worker int)) {
	c.job = job
	c.state.Store((c.state.Load()/nextJob+1)*nextJob | joinable)
	c.notify()
}

// each calls do for each i in [0, n).
func (c *crew) each(n int, do func(i int)) {
	if n == 1 {
		do(0) // without telling anybody
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
	if c.size > 1 {
		c.begin(nil)
	}
}

// A look takes about a nanosecond. To look around in vain is likely to mean that
// there are fewer processors to be had than workers, and the one looking keeps
// the others from theirs: so it is done half as long next time, and longer again
// only little by little. But it is done at least about as long as waking mostly takes,
// lest one who overslept come too late for the next job, too, and sleep again.
const fewestLooks, mostLooks = 1 << 15, 1 << 18

// wait returns when until says so. Whoever makes it say so must notify.
func (c *crew) wait(until func() bool) {
	looks := c.looks.Load()
	for i := range looks {
		if until() {
			if i > 0 {
				c.looks.Store(min(looks+looks/4, mostLooks))
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
