package history

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
)

// watch tells those who wait that the file may have been changed: at once by this
// process, and by another one as soon as it notices. It looks only while somebody
// waits.
type watch struct {
	db *sqlite.DB

	mu      sync.Mutex
	changed chan struct{}
	waiting int
	looking bool
	looker  sync.WaitGroup
	closed  chan struct{}
	once    sync.Once
}

func newWatch(db *sqlite.DB) *watch { return &watch{db: db, closed: make(chan struct{})} }

// close ends the looking. Who still waits is told, and finds the file closed.
func (w *watch) close() {
	w.once.Do(func() { close(w.closed) })
	w.looker.Wait()
	w.wake()
}

// lookEvery is how often the file is asked whether another process wrote to it.
const lookEvery = 100 * time.Millisecond

// next is closed at the next change. Who does not wait on calls leave.
func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	w.waiting++
	if !w.looking {
		w.looking = true
		w.looker.Go(w.look)
	}
	return w.changed
}

func (w *watch) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting--
}

func (w *watch) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// look asks SQLite whether another connection has changed the file, on one of its
// own, for as long as somebody waits.
func (w *watch) look() {
	conn, err := w.db.Read().Conn(context.Background())
	if err == nil {
		defer conn.Close()
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for before := int64(-1); ; {
		open := true
		select {
		case <-tick.C:
		case <-w.closed:
			open = false
		}
		w.mu.Lock()
		if w.waiting == 0 || !open {
			w.looking = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		now, err := version(conn)
		if err != nil || now != before {
			before = now
			w.wake() // who waits looks for himself, and sees what is wrong
		}
	}
}

func version(conn *sql.Conn) (n int64, err error) {
	if conn == nil {
		return 0, sql.ErrConnDone
	}
	return n, conn.QueryRowContext(context.Background(), `PRAGMA data_version`).Scan(&n)
}
