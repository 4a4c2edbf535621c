package history

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// writer commits what many goroutines write in groups: while one transaction is
// being committed, the next gathers. Each write returns when its own is committed,
// and a lazy one at once. The order of writes is kept.
//
// There is no goroutine of its own: whoever comes first commits for those who
// come meanwhile.
type writer struct {
	db *sqlite.DB

	mu      sync.Mutex
	queue   []*op
	leading bool
	timer   *time.Timer // until lazy writes are committed; nil: none waits
	failed  error       // of a write of log lines

	fence fence // for the one who commits
}

// op is one write. do runs at least once, in a transaction that others share: it
// refuses before it has changed anything, or else fails the transaction.
type op struct {
	do   func(*batch) error
	put  *taskWrite // in place of do: such writes of one call are made one
	lazy bool
	logs bool // lines of a log: should they be lost, the next who logs is told
	done chan struct{}
	err  error
	over bool // it is committed, or never will be; of the one who leads
}

const (
	lazyDelay = 2 * time.Millisecond
	maxBatch  = 1000
)

// batch is a transaction of the writer.
type batch struct {
	tx    *sqlite.Tx
	fence *fence
	args  []any // of a statement, to be used again
}

// write runs do in a transaction and returns when it is committed.
func (w *writer) write(do func(*batch) error) error { return w.add(&op{do: do}) }

func (w *writer) add(o *op) error {
	w.mu.Lock()
	w.queue = append(w.queue, o)
	if o.lazy {
		if !w.leading && w.timer == nil {
			w.timer = time.AfterFunc(lazyDelay, w.flush)
		}
		defer w.mu.Unlock()
		if !o.logs {
			return nil // should it fail, so will the write that follows it
		}
		err := w.failed
		w.failed = nil
		return err
	}
	if w.leading {
		o.done = make(chan struct{})
		w.mu.Unlock()
		<-o.done
		return o.err
	}
	w.leading = true
	w.mu.Unlock()
	more := w.commitNext()
	for !o.over { // what came before it is more than one batch
		more = w.commitNext()
	}
	if more {
		go w.lead()
	}
	return o.err
}

// flush commits what is queued.
func (w *writer) flush() {
	w.mu.Lock()
	w.timer = nil
	if w.leading || len(w.queue) == 0 {
		w.mu.Unlock()
		return
	}
	w.leading = true
	w.mu.Unlock()
	w.lead()
}

func (w *writer) lead() {
	for w.commitNext() {
	}
}

// commitNext commits one batch and reports whether there is more. If not, the
// writer is free for the next who comes.
func (w *writer) commitNext() bool {
	w.mu.Lock()
	n := min(len(w.queue), maxBatch)
	ops := w.queue[:n:n]
	w.queue = w.queue[n:]
	w.mu.Unlock()
	w.commit(ops)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range ops {
		o.over = true
		if o.done != nil {
			close(o.done)
		} else if o.logs && o.err != nil {
			w.failed = o.err
		}
	}
	if len(w.queue) == 0 {
		w.queue, w.leading = nil, false
		return false
	}
	return true
}

// commit writes all ops, in one transaction if that goes.
func (w *writer) commit(ops []*op) {
	err := w.try(merged(ops))
	if err == nil {
		return
	}
	if len(ops) == 1 {
		ops[0].err = err
		return
	}
	for _, o := range ops { // one of them fails the transaction: find out which
		if err := w.try([]*op{o}); err != nil { // else what came of it stands in o.err
			o.err = err
		}
	}
}

func (w *writer) try(ops []*op) error {
	err := w.db.Transact(context.Background(), func(tx *sqlite.Tx) error {
		b := &batch{tx: tx, fence: &w.fence}
		if err := w.fence.begin(tx); err != nil {
			return err
		}
		for _, o := range ops {
			if b.carryOut(o); o.err != nil && !refusal(o.err) {
				return o.err
			}
		}
		return nil
	})
	if err != nil {
		w.fence.forget()
	}
	return err
}

func (b *batch) carryOut(o *op) {
	if o.put == nil {
		o.err = o.do(b)
		if !o.logs {
			b.fence.forget()
		}
		return
	}
	o.err = b.putTask(o.put)
	if o.put.absorbed != nil && o.err != nil && refusal(o.err) {
		b.apart(o)
		return
	}
	for _, absorbed := range o.put.absorbed {
		absorbed.err = o.err
	}
}

// apart carries out each of the writes that o stands for, which was refused: those
// that were made before already, as when somebody elsewhere has not heard the
// answer and asks again, are refused, and those after them need not be.
func (b *batch) apart(o *op) {
	for _, absorbed := range o.put.absorbed {
		if absorbed.put.absorbed != nil {
			continue // it stood for others itself, which are here too
		}
		if b.carryOut(absorbed); absorbed.err != nil && !refusal(absorbed.err) {
			o.err = absorbed.err
		}
	}
}

// refusal reports whether err is an answer, given before anything was changed.
func refusal(err error) bool {
	var transition *engine.TransitionError
	var owned *engine.OwnedError
	var parameter *engine.ParameterError
	return errors.As(err, &transition) || errors.As(err, &owned) || errors.As(err, &parameter) ||
		errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrSuperseded) || errors.Is(err, errRefused)
}

// errRefused is wrapped by refusals of no other kind.
var errRefused = engine.ErrRefused

func (b *batch) exec(query string, args ...any) (sql.Result, error) {
	return b.tx.ExecContext(context.Background(), query, args...)
}

// settle commits what is queued.
func (w *writer) settle() error {
	w.mu.Lock()
	idle := !w.leading && len(w.queue) == 0
	w.mu.Unlock()
	if idle {
		return nil
	}
	return w.write(func(*batch) error { return nil })
}
