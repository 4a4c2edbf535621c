package enginehttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/worker"
)

// leaseRecords let an engine elsewhere keep its runs here.
type leaseRecords interface {
	Lease(pid int, ttl time.Duration) (id string, err error)
	RenewLease(id string, ttl time.Duration) error
	EndLease(id string) error
	Leased(id string) (engine.History, error)
	KeepResult(ctx context.Context, ref string, data []byte) error
	Flush() error
}

const aboutLeases = "Engines elsewhere"

type takeLease struct {
	PID     int     `json:"pid" required:"true" min:"1" doc:"process that carries out runs, for people"`
	Seconds float64 `json:"seconds" min:"0.1" max:"3600" default:"30" doc:"how long it counts as living without saying so"`
}

type renewLease struct {
	Seconds float64 `json:"seconds" min:"0.1" max:"3600" default:"30" doc:"from now"`
}

type lease struct {
	ID string `json:"id" doc:"who knows it may write the runs of the engine: keep it"`
}

type sinceSignal struct {
	Run     string  `json:"run" required:"true" doc:"ID of a run at the top"`
	After   int64   `json:"after" doc:"seq of the last signal one has; negative: do not wait"`
	Seconds float64 `json:"seconds" min:"0" max:"60" default:"30" doc:"how long to wait for one"`
}

// mostCallsAtOnce is how many calls are answered at once, mostCallBytes how large they are
// together, and mostResult how large a result may be.
const (
	mostCallsAtOnce = 1000
	mostCallBytes   = 16 << 20
	mostResult      = 1 << 30
)

func (h *handler) addLeases() {
	add(h, aboutLeases, "POST leases", "takeLease", "Carry out runs in a process that reaches the records by this API only", func(in request[none, takeLease]) (l lease, err error) {
		l.ID, err = h.records.Lease(in.Body.PID, worker.Seconds(in.Body.Seconds).Duration())
		return l, err
	}).status = http.StatusCreated
	add(h, aboutLeases, "POST leases/{lease}/renew", "renewLease", "Say that the process lives. A lease that has run out does not come back, and its runs are CRASHED", func(in request[none, renewLease]) (none, error) {
		return none{}, h.records.RenewLease(in.PathValue("lease"), worker.Seconds(in.Body.Seconds).Duration())
	})
	add(h, aboutLeases, "DELETE leases/{lease}", "endLease", "Say that the process ends; what it has not ended is CRASHED", func(in request[none, none]) (none, error) {
		return none{}, h.records.EndLease(in.PathValue("lease"))
	})
	calls := add(h, aboutLeases, "POST leases/{lease}/calls", "callRecords", "Read and write the records of the lease's runs: many calls at once, each recorded when this answers", h.answerCalls)
	calls.most, calls.trusting = mostCallBytes, true
	add(h, aboutLeases, "GET leases/{lease}/signals", "listSignals", "What is asked of a run and its subflows, as soon as there is anything", h.listSignals)
	addBytes(h, aboutLeases, "GET leases/{lease}/results/{ref}", "readResult", "The value that a call has returned, encoded", func(w http.ResponseWriter, r *http.Request) error {
		records, err := h.records.Leased(r.PathValue("lease"))
		if err != nil {
			return err
		}
		data, err := records.ReadResult(r.Context(), engine.Result{Ref: r.PathValue("ref"), Size: 1})
		if err == nil {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(data) // only a connection that broke can fail it
		}
		return err
	})
	addBytes(h, aboutLeases, "PUT leases/{lease}/results/{ref}", "keepResult", "Keep a large result before the call that returned it is recorded", func(w http.ResponseWriter, r *http.Request) error {
		if _, err := h.records.Leased(r.PathValue("lease")); err != nil {
			return err
		}
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostResult))
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return &Problem{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the result is larger than %d bytes", mostResult), ""}
		case err != nil:
			return &Problem{http.StatusBadRequest, "malformed", "the body ended early", ""}
		}
		if err := h.records.KeepResult(r.Context(), r.PathValue("ref"), data); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

func (h *handler) listSignals(in request[sinceSignal, none]) (list signalList, err error) {
	records, err := h.records.Leased(in.PathValue("lease"))
	if err != nil {
		return list, err
	}
	ctx, cancel := context.WithTimeout(in.Context(), worker.Seconds(in.Query.Seconds).Duration())
	defer cancel()
	defer context.AfterFunc(h.ending, cancel)()
	signals, err := records.Signals(ctx, in.Query.Run, in.Query.After)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = nil
	}
	list.Signals = make([]signal, len(signals))
	for i, s := range signals {
		list.Signals[i] = signal(s)
	}
	return list, err
}

// answerCalls begins calls that need not be recorded at once in their order, and all
// others together, so that they are committed together.
func (h *handler) answerCalls(in request[none, callList]) (list answerList, err error) {
	calls := in.Body.Calls
	if len(calls) > mostCallsAtOnce {
		return list, invalid("calls", fmt.Sprintf("calls: want at most %d at once", mostCallsAtOnce))
	}
	records, err := h.records.Leased(in.PathValue("lease"))
	if err != nil {
		return list, err
	}
	ctx := context.WithoutCancel(in.Context()) // what was asked is done, though the client may not hear of it
	list.Answers = make([]answer, len(calls))
	var all sync.WaitGroup
	lazy := false
	for i, c := range calls {
		do := func() {
			a, err := c.do(ctx, records)
			if err != nil {
				a.Error = h.callProblem(err)
			}
			list.Answers[i] = a
		}
		if c.AppendLogs != nil || c.PutTaskRun != nil && c.PutTaskRun.Lazy {
			do()
			lazy = true
		} else {
			all.Go(do)
		}
	}
	all.Wait()
	if lazy { // the client outlives this process, and takes what is answered for recorded
		err = h.records.Flush()
	}
	return list, err
}

// callProblem is err with what a client needs to make it again.
func (h *handler) callProblem(err error) *callProblem {
	p := problemOf(err)
	if p == nil {
		h.log.Error("answer a call of an engine elsewhere", "error", err)
		return &callProblem{Problem: Problem{http.StatusInternalServerError, "internal", err.Error(), ""}}
	}
	c := &callProblem{Problem: *p}
	var transition *engine.TransitionError
	var owned *engine.OwnedError
	var parameter *engine.ParameterError
	switch {
	case errors.As(err, &parameter):
		c.Want, c.Got = parameter.Want, parameter.Got
	case errors.As(err, &transition):
		c.Run, c.From, c.To = transition.Run, orNoState(transition.From), orNoState(transition.To)
	case errors.As(err, &owned):
		c.Run, c.PID = owned.FlowRunID, owned.PID
	}
	return c
}

// err is the error that the problem was made of.
func (c *callProblem) err() error {
	switch {
	case c.Code == "wrong_state":
		return &engine.TransitionError{Run: c.Run, From: orZeroState(c.From), To: orZeroState(c.To)}
	case c.Code == "owned":
		return &engine.OwnedError{FlowRunID: c.Run, PID: c.PID}
	case c.Code == "invalid" && c.Want != "":
		return &engine.ParameterError{Parameter: c.Field, Want: c.Want, Got: c.Got}
	}
	return &c.Problem
}

func orNoState(s engine.State) *State {
	if s == (engine.State{}) {
		return nil
	}
	shown := newState(s)
	return &shown
}

func orZeroState(s *State) engine.State {
	if s == nil {
		return engine.State{}
	}
	return engine.State(*s)
}
