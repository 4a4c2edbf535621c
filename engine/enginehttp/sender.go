package enginehttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// sender sends calls in groups: while one request is under way, the next gathers.
// Each call returns when its own is answered, and a lazy one at once. The order of
// calls is kept. There is no goroutine of its own: whoever comes first sends for
// those who come meanwhile.
type sender struct {
	send func([]*asked) // and fills in what came of each

	mu     sync.Mutex
	queue  []*asked
	busy   bool
	timer  *time.Timer // until lazy calls are sent; nil: none waits
	failed error       // of a call that keeps lines of a log
}

// asked is a call on its way.
type asked struct {
	text   json.RawMessage
	lazy   bool
	logs   bool // lines of a log: should they be lost, the next who logs is told
	done   chan struct{}
	answer answer
	err    error
	before int  // times that it may have been answered, though nobody heard it
	over   bool // it has been answered, or never will be; of the one who sends
}

// lazyDelay is how long a lazy call waits for others, groupBytes how large a group
// of more than one call is at most.
const (
	lazyDelay  = 2 * time.Millisecond
	groupBytes = mostCallBytes / 2
)

// ask sends the call, or has it sent.
func (s *sender) ask(a *asked) error {
	s.mu.Lock()
	s.queue = append(s.queue, a)
	if a.lazy {
		defer s.mu.Unlock()
		if !s.busy && s.timer == nil {
			s.timer = time.AfterFunc(lazyDelay, s.flush)
		}
		if !a.logs {
			return nil // should it fail, so will the write that follows it
		}
		err := s.failed
		s.failed = nil
		return err
	}
	if s.busy {
		a.done = make(chan struct{})
		s.mu.Unlock()
		<-a.done
		return a.err
	}
	s.busy = true
	s.mu.Unlock()
	more := s.next()
	for !a.over { // what came before it is more than one group
		more = s.next()
	}
	if more {
		go s.lead()
	}
	return a.err
}

// flush sends what is queued.
func (s *sender) flush() {
	s.mu.Lock()
	s.timer = nil
	if s.busy || len(s.queue) == 0 {
		s.mu.Unlock()
		return
	}
	s.busy = true
	s.mu.Unlock()
	s.lead()
}

func (s *sender) lead() {
	for s.next() {
	}
}

// next sends one group and reports whether there is more. If not, the sender is free
// for the next who comes.
func (s *sender) next() bool {
	s.mu.Lock()
	n, size := 0, 0
	for n < len(s.queue) && n < mostCallsAtOnce && (n == 0 || size+len(s.queue[n].text) < groupBytes) {
		size += len(s.queue[n].text)
		n++
	}
	group := s.queue[:n:n]
	s.queue = s.queue[n:]
	s.mu.Unlock()
	s.send(group)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range group {
		a.over = true
		if a.done != nil {
			close(a.done)
		} else if a.logs && a.err != nil {
			s.failed = a.err
		}
	}
	if len(s.queue) == 0 {
		s.queue, s.busy = nil, false
		return false
	}
	return true
}

// close sends what is queued and waits for what is under way.
func (s *sender) close() error {
	s.mu.Lock()
	idle := !s.busy && len(s.queue) == 0
	s.mu.Unlock()
	if idle {
		return nil
	}
	text, err := asJSON(call{GetFlowRun: &runID{}}) // which is no run's
	if err == nil {
		err = s.ask(&asked{text: text})
	}
	if errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrSuperseded) {
		return nil
	}
	return err
}

// send is the send of a History.
func (h *History) send(group []*asked) {
	var body bytes.Buffer
	body.WriteString(`{"calls":[`)
	for i, a := range group {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(a.text)
	}
	body.WriteString(`]}`)
	var list answerList
	tries := 0
	err := h.again(context.Background(), func(ctx context.Context, before int) error {
		tries = before
		ctx, cancel := context.WithTimeout(ctx, tryFor)
		defer cancel()
		read, err := h.client.open(ctx, http.MethodPost, h.path+"/calls", "application/json", bytes.NewReader(body.Bytes()))
		if err != nil {
			return err
		}
		defer read.Close()
		list = answerList{}
		return json.NewDecoder(read).Decode(&list)
	})
	if err == nil && len(list.Answers) != len(group) {
		err = fmt.Errorf("the server gave %d answers to %d calls", len(list.Answers), len(group))
	}
	for i, a := range group {
		a.before, a.err = tries, err
		if err != nil {
			continue
		}
		a.answer = list.Answers[i]
		if e := a.answer.Error; e != nil {
			a.err = e.err()
		}
	}
}
