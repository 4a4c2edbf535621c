package engine

import (
	"sync"
	"time"
)

// A flow may make ten thousand calls at once, and a call that has begun costs two
// goroutines and what waits to be written, while one that has not is a record. So a
// call begins when it has a turn, in the order in which calls were made, and as many
// have one as fill the next group of writes. That limits what is done at once, not
// what waits at once: a turn ends by itself when its call waits for anything but its
// own write, as for a slow body, another call, a slot or a retry.

const (
	atOnce     = 256                  // turns of a tree of runs
	turnLength = 1 * time.Millisecond // without the time that a write takes
)

// turns gives turns to the calls of a tree of runs.
type turns struct {
	mu      sync.Mutex
	taken   int
	waiting []func(*turn)
}

// run runs do in a goroutine of its own, once there is a turn for it.
func (t *turns) run(do func(*turn)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken == atOnce {
		t.waiting = append(t.waiting, do)
		return
	}
	t.taken++
	go t.begin(do)
}

func (t *turns) begin(do func(*turn)) {
	mine := &turn{turns: t}
	mine.mu.Lock()
	mine.timer = time.AfterFunc(turnLength, mine.end)
	mine.mu.Unlock()
	defer mine.end()
	do(mine)
}

// next passes a turn on.
func (t *turns) next() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.taken, t.waiting = t.taken-1, nil
		return
	}
	do := t.waiting[0]
	t.waiting[0] = nil
	t.waiting = t.waiting[1:]
	go t.begin(do)
}

// turn is one call's; a nil turn is that of a call that needs none.
type turn struct {
	turns *turns

	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

// end passes the turn on, once.
func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.over = true
		t.timer.Stop()
		t.turns.next()
	}
}

// during keeps the turn while do writes.
func (t *turn) during(do func() error) error {
	if t == nil {
		return do()
	}
	t.timer.Stop()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.over {
			t.timer.Reset(turnLength)
		}
	}()
	return do()
}
