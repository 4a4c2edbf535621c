package enginehttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// History is the engine.History of a server as a process elsewhere has it: what it
// needs of the server's disk is nothing.
//
// Calls that are made at the same time are sent together, so that the server
// commits them together; a task that begins and ends within a moment is one request.
// That the process lives shows a lease, which it renews. When the server has not heard
// of it for as long as that lasts, the runs are CRASHED, and what the process writes
// then is refused: see Lost. While the server cannot be reached, calls wait for it.
type History struct {
	client *Client
	path   string // of the lease
	ttl    time.Duration
	sender sender
	lost   chan struct{}
	once   sync.Once
	stop   context.CancelFunc
	beats  sync.WaitGroup
}

var _ engine.History = (*History)(nil)

// DefaultLease is how long a process elsewhere counts as living without saying so.
const DefaultLease = 30 * time.Second

// TakeLease makes this process, or the one that it is about to begin, an owner of
// runs, for ttl from now; zero: DefaultLease. It returns what OpenHistory wants.
func (c *Client) TakeLease(ctx context.Context, pid int, ttl time.Duration) (id string, err error) {
	var made lease
	err = c.call(ctx, http.MethodPost, "leases", takeLease{pid, orDefault(ttl).Seconds()}, &made)
	return made.ID, err
}

// EndLease has the holder of a lease count as gone, such as when its process has ended.
func (c *Client) EndLease(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "leases/"+url.PathEscape(id), nil, nil)
}

func orDefault(ttl time.Duration) time.Duration {
	if ttl <= 0 {
		return DefaultLease
	}
	return ttl
}

// OpenHistory opens the server's records with a lease, and renews that for ttl each
// time. The caller closes them, which ends the lease.
func (c *Client) OpenHistory(ctx context.Context, lease string, ttl time.Duration) (*History, error) {
	h := &History{client: c, path: "leases/" + url.PathEscape(lease), ttl: orDefault(ttl), lost: make(chan struct{})}
	h.sender.send = h.send
	if err := h.renew(ctx); err != nil {
		return nil, fmt.Errorf("open the records of %s: %w", c.URL, err)
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop = stop
	h.beats.Go(func() { h.beat(beating) })
	return h, nil
}

// Close sends what has not been sent, and ends the lease.
func (h *History) Close() error {
	err := h.sender.close()
	h.stop()
	h.beats.Wait()
	select {
	case <-h.lost:
		return nil // there is nothing to end
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.ttl)
	defer cancel()
	return errors.Join(err, h.client.call(ctx, http.MethodDelete, h.path, nil, nil))
}

// Lost is closed once the server has said that the lease has run out: whatever this
// process carries out is no longer its own.
func (h *History) Lost() <-chan struct{} { return h.lost }

func (h *History) renew(ctx context.Context) error {
	return h.heard(h.client.call(ctx, http.MethodPost, h.path+"/renew", renewLease{h.ttl.Seconds()}, nil))
}

// heard notices when the lease is lost.
func (h *History) heard(err error) error {
	if errors.Is(err, engine.ErrSuperseded) {
		h.once.Do(func() { close(h.lost) })
		return fmt.Errorf("the lease has run out: %w", engine.ErrSuperseded)
	}
	return err
}

// beat renews the lease until ctx is done or it is lost. A server that cannot be
// reached is asked again.
func (h *History) beat(ctx context.Context) {
	tick := time.NewTicker(h.ttl / 4)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-h.lost:
			return
		case <-ctx.Done():
			return
		}
		soon, cancel := context.WithTimeout(ctx, h.ttl/4)
		_ = h.renew(soon) // heard
		cancel()
	}
}

// keepTrying is how long a call waits for a server that cannot be reached. The lease
// may be over by then: the server says so.
const keepTrying = 5 * time.Minute

// tryFor is how long one request with calls may take before it is made again: a peer
// that says nothing is no better than one that cannot be reached.
const tryFor = time.Minute

// again calls do until the server has answered. before counts the times that it
// may have been done without an answer.
func (h *History) again(ctx context.Context, do func(ctx context.Context, before int) error) error {
	ctx, cancel := context.WithTimeout(ctx, keepTrying)
	defer cancel()
	for before, pause := 0, 50*time.Millisecond; ; before, pause = before+1, min(2*pause, time.Second) {
		err := do(ctx, before)
		if !unanswered(err) {
			return h.heard(err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// unanswered reports whether err says that nobody has answered, or somebody on the
// way in the server's place.
func unanswered(err error) bool {
	var p *Problem
	if errors.As(err, &p) {
		return p.Status == http.StatusBadGateway || p.Status == http.StatusServiceUnavailable || p.Status == http.StatusGatewayTimeout
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return err != nil && !errors.As(err, &syntax) && !errors.As(err, &kind) // the connection broke, be it halfway
}

// ReadResult implements engine.History.
func (h *History) ReadResult(ctx context.Context, r engine.Result) (data []byte, err error) {
	if data, ok := r.Inline(); ok || r.Size == 0 {
		return data, nil
	}
	err = h.again(ctx, func(ctx context.Context, _ int) error {
		body, err := h.client.open(ctx, http.MethodGet, h.path+"/results/"+url.PathEscape(r.Ref), "", nil)
		if err != nil {
			return err
		}
		defer body.Close()
		data, err = io.ReadAll(body)
		return err
	})
	return data, err
}

// keepResult sends a large result before the call that it is of.
func (h *History) keepResult(ctx context.Context, r engine.Result) error {
	return h.again(ctx, func(ctx context.Context, _ int) error {
		body, err := h.client.open(ctx, http.MethodPut, h.path+"/results/"+url.PathEscape(r.Ref), "application/octet-stream", bytes.NewReader(r.Data))
		if err == nil {
			err = body.Close()
		}
		return err
	})
}
