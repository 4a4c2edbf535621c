package gbt

import (
	"slices"
	"sync"
	"sync/atomic"
)

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

// newExchange returns the exchange of a tree whose root worker 0 has.
func newExchange[T any](c *crew, aside *errands) *exchange[T] {
	e := &exchange[T]{crew: c, errands: aside}
	e.working.Store(1)
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

// take returns nodes that are offered, to a worker that has none; or false, when
// there will be none. Meanwhile it does errands. While a worker waits, it is not at
// the job, so that nobody need wait for it.
func (e *exchange[T]) take(worker int) (n []T, ok bool) {
	job := e.crew.state.Load() / nextJob
	e.hungry.Add(1)
	for {
		if e.count.Load() == 0 && e.errands.one() {
			continue
		}
		if worker == 0 {
			e.crew.wait(func() bool { return e.count.Load() > 0 || e.working.Load() == 0 })
		} else {
			e.crew.leave(worker)
			e.crew.wait(func() bool { return e.count.Load() > 0 || !e.crew.open(job) })
			if !e.crew.join(worker, job) {
				return nil, false
			}
		}
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
		if over && worker == 0 {
			return nil, false
		}
	}
}

// worthOffering is the work that takes longer than to hand it over.
const worthOffering = 500

// work visits nodes until no worker has any; visit adds those that come of one to
// the list of what is to do. A worker goes on with the greater child of what it
// has just split, which it knows best, and gives the older half of the others to
// those that have none: what a node grows into depends on nothing but the node.
func work[T any](e *exchange[T], worker int, todo *[]T, visit func(T), cost func(*T) int) {
	for {
		if len(*todo) == 0 {
			some, ok := e.take(worker)
			if !ok {
				return
			}
			*todo = append(*todo, some...)
		}
		for last := len(*todo) - 1; last >= 0; last = len(*todo) - 1 {
			n := (*todo)[last]
			*todo = (*todo)[:last]
			visit(n)
			if e.hungry.Load() > 0 && len(*todo) > 1 {
				share(e, todo, cost)
			}
		}
		if e.working.Add(-1) == 0 {
			e.crew.notify()
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
