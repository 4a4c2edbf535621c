package gbt

import (
	"slices"
	"sync"
	"sync/atomic"
)

// inParallel calls do once for each i in [0, n), on so many goroutines.
func inParallel(goroutines, n int, do func(i int)) {
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			do(i)
		}
	}
	var wait sync.WaitGroup
	for range min(goroutines, n) - 1 {
		wait.Go(work)
	}
	work()
	wait.Wait()
}

// grow shares a tree out among the crew. A hand that has nothing to do gets the
// oldest patch of one that has several; what a patch grows into depends on
// nothing but the patch.
func (g *grid) grow() Tree {
	root := patch{area: area{level: g.others(), hi: g.number.count(), last: g.number.count()}, parent: -1, total: g.total}
	root.missing = true
	root.large = g.splittable(root.total)
	for i, h := range g.crew {
		h.self, h.plots, h.todo = i, h.plots[:0], h.todo[:0]
		h.cells.reset()
	}
	root.cells = append(g.crew[0].cells.take(len(g.levels)), g.levels...)
	g.crew[0].cells.keep(root.cells)
	ex := &exchange{hands: len(g.crew), offered: []patch{root}}
	ex.wake.L = &ex.lock
	ex.idle.Store(-1)
	inParallel(len(g.crew), len(g.crew), func(i int) { g.crew[i].work(ex) })
	return g.assemble()
}

// work visits patches until there are none.
func (h *hand) work(ex *exchange) {
	for {
		if len(h.todo) == 0 {
			p, ok := ex.take()
			if !ok {
				return
			}
			h.todo = append(h.todo, p)
		}
		last := len(h.todo) - 1
		p := h.todo[last]
		h.todo = h.todo[:last]
		h.visit(p)
		if ex.idle.Load() > 0 && len(h.todo) > 1 && h.todo[0].work() >= worthHanding {
			ex.offer(h.todo[0])
			h.todo = slices.Delete(h.todo, 0, 1)
		}
	}
}

// worthHanding is the work that takes longer than to wake another goroutine.
const worthHanding = 500

// exchange is where hands get patches from one another.
type exchange struct {
	lock    sync.Mutex
	wake    sync.Cond
	offered []patch
	hands   int
	idle    atomic.Int32 // hands that wait, less what is offered to them
}

func (e *exchange) offer(p patch) {
	e.lock.Lock()
	e.offered = append(e.offered, p)
	e.idle.Add(-1)
	e.lock.Unlock()
	e.wake.Signal()
}

// take returns an offered patch, or false when all hands are done.
func (e *exchange) take() (p patch, ok bool) {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.hands-- // of those at work
	e.idle.Add(1)
	for len(e.offered) == 0 {
		if e.hands == 0 {
			e.wake.Broadcast()
			return p, false
		}
		e.wake.Wait()
	}
	e.hands++
	last := len(e.offered) - 1
	p, e.offered = e.offered[last], e.offered[:last]
	return p, true
}

// assemble puts the nodes that the crew made into XGBoost's order, breadth first.
func (g *grid) assemble() Tree {
	at := func(number int32) *plot {
		return &g.crew[int(number)%len(g.crew)].plots[int(number)/len(g.crew)]
	}
	count, root := 0, int32(0)
	for _, h := range g.crew {
		count += len(h.plots)
		for i := range h.plots {
			number := int32(i*len(g.crew) + h.self)
			switch p := &h.plots[i]; {
			case p.Parent < 0:
				root = number
			case p.right:
				at(p.Parent).Right = number
			default:
				at(p.Parent).Left = number
			}
		}
	}
	t := Tree{Nodes: make([]Node, 0, count)}
	g.areas = g.areas[:0]
	order := append(make([]int32, 0, count), root)
	for i := 0; i < len(order); i++ {
		p := at(order[i])
		n := p.Node
		if n.Left >= 0 {
			order = append(order, n.Left, n.Right)
			n.Left, n.Right = int32(len(order))-2, int32(len(order))-1
			at(order[n.Left]).Parent, at(order[n.Right]).Parent = int32(i), int32(i)
		}
		t.Nodes = append(t.Nodes, n)
		g.areas = append(g.areas, p.area)
	}
	return t
}
