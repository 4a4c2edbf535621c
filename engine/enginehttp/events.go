package enginehttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/taximeter/taximeter/engine"
)

type eventRecords interface {
	Events(ctx context.Context, after int64, root string, most int) (list []engine.Event, last int64, gap bool, err error)
	LastEvent(ctx context.Context) (int64, error)
	Wait(ctx context.Context) error
}

// Event is something that has happened, as the API shows it.
type Event struct {
	ID          int64     `json:"id"`
	Topic       string    `json:"topic" enum:"flow-run,task-run,deployment,work-pool,work-queue,worker,concurrency-limit,artifact"`
	What        string    `json:"what" enum:"state,created,changed,deleted"`
	Subject     string    `json:"subject" doc:"an ID or a name; of a task run its flow run's ID"`
	TaskKey     string    `json:"task_key,omitempty"`
	Time        time.Time `json:"time"`
	Flow        string    `json:"flow,omitempty"`
	FlowRunName string    `json:"flow_run_name,omitempty"`
	RootID      string    `json:"root_id,omitempty" doc:"the run at the top"`
	State       *State    `json:"state,omitempty" doc:"that was entered"`
}

func newEvent(e engine.Event) Event {
	event := Event{ID: e.Seq, Topic: e.Topic, What: e.What, Subject: e.Subject, TaskKey: e.TaskKey, Time: e.Time,
		Flow: e.Flow, FlowRunName: e.RunName, RootID: e.RootID}
	if e.State != nil {
		s := newState(*e.State)
		event.State = &s
	}
	return event
}

type followEvents struct {
	Run   string   `json:"run" doc:"of this run, its subflows and their calls only; its ID, the beginning of one, a name or latest"`
	Topic []string `json:"topic" doc:"of these only: flow-run,deployment"`
	After *int64   `json:"after" min:"0" doc:"ID of the last event one has; left out: what happens from now on"`
}

type eventPage struct {
	Events []Event `json:"events"`
	Next   int64   `json:"next" doc:"to be given as after"`
	Reset  bool    `json:"reset,omitempty" doc:"what came after is not kept any more: read anew what you know, then go on from next"`
}

func (h *handler) addEvents() {
	add(h, "Events", "GET events", "listEvents", "What has happened, oldest first", func(in request[followEvents, none]) (page eventPage, err error) {
		f, err := h.follow(in.Request, in.Query)
		if err != nil {
			return page, err
		}
		list, reset, err := f.next(in.Context())
		return eventPage{Events: orEmpty(list), Next: f.after, Reset: reset}, err
	})
	addStream(h, "Events", "GET events/stream", "followEvents",
		"Follow what happens as server-sent events. A client that reconnects with Last-Event-ID, as browsers do, misses nothing.",
		"the topic as event, an Event as data and its ID; event: reset, when what was missed is not kept any more", h.followEvents)
}

// follower is where a client is in the events.
type follower struct {
	records eventRecords
	after   int64
	root    string
	topics  []string
}

func (h *handler) follow(r *http.Request, q followEvents) (*follower, error) {
	f := &follower{records: h.records, topics: q.Topic}
	if i := slices.IndexFunc(q.Topic, func(t string) bool { return !slices.Contains(topics, t) }); i >= 0 {
		return nil, badQuery("topic", fmt.Sprintf("topic: there is no %q%s", q.Topic[i], suggestion(q.Topic[i], topics)))
	}
	if q.Run != "" {
		run, err := h.records.Find(r.Context(), q.Run)
		if err != nil {
			return nil, err
		}
		f.root = run.RootID
	}
	none := int64(-1)
	if q.After != nil {
		none = *q.After
	}
	var err error
	if f.after, err = lastEventID(r, none); err == nil && f.after < 0 {
		f.after, err = h.records.LastEvent(r.Context())
	}
	return f, err
}

var topics = []string{"flow-run", "task-run", "deployment", "work-pool", "work-queue", "worker", "concurrency-limit", "artifact"}

// eventsAtOnce is how many events are read at once.
const eventsAtOnce = 1000

// next returns events that the client does not have. It may return none though
// there are more.
func (f *follower) next(ctx context.Context) (events []Event, reset bool, err error) {
	list, last, gap, err := f.records.Events(ctx, f.after, f.root, eventsAtOnce)
	if err != nil {
		return nil, false, err
	}
	f.after = last
	for _, e := range list {
		if len(f.topics) == 0 || slices.Contains(f.topics, e.Topic) {
			events = append(events, newEvent(e))
		}
	}
	return events, gap, nil
}

func (h *handler) followEvents(w http.ResponseWriter, in request[followEvents, none]) error {
	f, err := h.follow(in.Request, in.Query)
	if err != nil {
		return err
	}
	return h.stream(w, in.Request, func(ctx context.Context, s *stream) (more bool, err error) {
		before := f.after
		events, reset, err := f.next(ctx)
		if err != nil {
			return false, err
		}
		if reset {
			return true, s.send(strconv.FormatInt(f.after, 10), "reset", map[string]int64{"id": f.after})
		}
		s.seen = fmt.Sprintf("id: %d\n", f.after)
		for _, e := range events {
			if err := s.send(strconv.FormatInt(e.ID, 10), e.Topic, e); err != nil {
				return false, err
			}
		}
		return f.after != before, nil
	})
}

// lastEventID is what a client that reconnects says it has seen.
func lastEventID(r *http.Request, otherwise int64) (int64, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		return otherwise, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0, badQuery("Last-Event-ID", fmt.Sprintf("Last-Event-ID: %q is none of ours", text))
	}
	return id, nil
}

// stream is an answer of server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  bytes.Buffer
	seen    string // a line that says how far a client is that has heard nothing; "" for none
	ended   bool
}

// send adds an event to what is written next.
func (s *stream) send(id, event string, data any) error {
	text, err := json.Marshal(data)
	if err == nil {
		fmt.Fprintf(&s.buffer, "id: %s\nevent: %s\ndata: %s\n\n", id, event, text)
	}
	return err
}

// end adds the last event.
func (s *stream) end(event string, data any) error {
	text, err := json.Marshal(data)
	fmt.Fprintf(&s.buffer, "event: %s\ndata: %s\n\n", event, text)
	s.ended = true
	return err
}

// flush writes what was sent. A client that does not read it in time is dropped:
// it comes back and goes on from the last ID it has.
func (s *stream) flush() error {
	if err := s.control.SetWriteDeadline(time.Now().Add(stalled)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(s.buffer.Bytes()); err != nil {
		return err
	}
	s.buffer.Reset()
	return s.control.Flush()
}

// stream writes what look finds, again and again whenever something was committed,
// until the client leaves or look ends it. More says that look is to be called
// again at once. The first look decides on the status of the answer.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, look func(context.Context, *stream) (more bool, err error)) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.ending, cancel)()
	s := &stream{w: w, control: http.NewResponseController(w)}
	// The connection may go on with other requests.
	defer func() { _ = s.control.SetWriteDeadline(time.Time{}) }()
	var said time.Time // when the client last heard anything
	for {
		more, err := look(ctx, s)
		if err != nil && said.IsZero() {
			return err
		}
		if said.IsZero() {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Accel-Buffering", "no")
			s.w.WriteHeader(http.StatusOK)
			s.buffer.WriteString("retry: 1000\n\n")
		}
		if err == nil && s.buffer.Len() == 0 && time.Since(said) >= heartbeat {
			s.buffer.WriteString(s.seen + ": still here\n\n")
		}
		if err == nil && s.buffer.Len() > 0 {
			said, err = time.Now(), s.flush()
		}
		if err != nil && ctx.Err() == nil {
			h.log.Info("a client of the engine's API was dropped", "path", r.URL.Path, "error", err)
		}
		if err != nil || s.ended || ctx.Err() != nil {
			return nil // the answer has begun: there is nobody to tell
		}
		if !more {
			time.Sleep(pause)
			waiting, stop := context.WithTimeout(ctx, lookAgain)
			_ = h.records.Wait(waiting) // for a change, or long enough
			stop()
		}
	}
}
