package enginehttp

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/taximeter/taximeter/engine"
)

type logRecords interface {
	SearchLogs(ctx context.Context, q engine.LogQuery) ([]engine.NumberedLine, error)
}

type listLogs struct {
	followLogs
	Limit int `json:"limit" min:"1" max:"10000" default:"1000"`
}

type followLogs struct {
	Task     string   `json:"task" doc:"key of a call; left out: all and the flow's own"`
	Level    []string `json:"level" doc:"of these only: WARN,ERROR"`
	Contains string   `json:"contains" doc:"a part of the message"`
	Subflows bool     `json:"subflows" doc:"of a run at the top: also the lines of its subflows"`
	After    int64    `json:"after" min:"0" doc:"ID of the last line one has"`
}

type logPage struct {
	Logs []LogLine `json:"logs"`
	Next int64     `json:"next" doc:"to be given as after"`
	More bool      `json:"more" doc:"there are more lines now"`
}

func (h *handler) addLogs() {
	add(h, "Logs", "GET flow-runs/{id}/logs", "listLogs", "Lines of a flow run's log, oldest first", func(in request[listLogs, none]) (page logPage, err error) {
		run, err := h.find(in.Request)
		if err != nil {
			return page, err
		}
		q := in.Query.query(run.ID)
		q.Limit = in.Query.Limit + 1
		lines, err := h.records.SearchLogs(in.Context(), q)
		if page.More = len(lines) > in.Query.Limit; page.More {
			lines = lines[:in.Query.Limit]
		}
		page.Logs, page.Next = NewLogLines(lines), in.Query.After
		if n := len(lines); n > 0 {
			page.Next = lines[n-1].Seq
		}
		return page, err
	})
	addStream(h, "Logs", "GET flow-runs/{id}/logs/stream", "followLogs",
		"Follow a flow run's log as server-sent events, until the run has ended",
		"event: line, with a LogLine as data and its ID; event: end, with the run's state, when there will be no more", h.followLogs)
}

func (f followLogs) query(runID string) engine.LogQuery {
	return engine.LogQuery{FlowRunID: runID, Subflows: f.Subflows, TaskKey: f.Task, Levels: f.Level, Contains: f.Contains, After: f.After}
}

// NewLogLines shows lines of a log.
func NewLogLines(lines []engine.NumberedLine) []LogLine {
	list := make([]LogLine, len(lines))
	for i, l := range lines {
		list[i] = newLogLine(l)
	}
	return list
}

func newLogLine(l engine.NumberedLine) LogLine {
	return LogLine{ID: l.Seq, FlowRunID: l.FlowRunID, TaskKey: l.TaskKey, Time: l.Time, Level: l.Level, Message: l.Message}
}

func (h *handler) followLogs(w http.ResponseWriter, in request[followLogs, none]) error {
	run, err := h.find(in.Request)
	if err != nil {
		return err
	}
	q := in.Query.query(run.ID)
	q.Limit = 1000
	if q.After, err = lastEventID(in.Request, q.After); err != nil {
		return err
	}
	return h.stream(w, in.Request, func(ctx context.Context, s *stream) (more bool, err error) {
		// The state is read before the lines: what a run has said is there before its end.
		if run, err = h.records.Find(ctx, run.ID); err != nil {
			return false, err
		}
		lines, err := h.records.SearchLogs(ctx, q)
		if err != nil {
			return false, err
		}
		for _, l := range lines {
			q.After = l.Seq
			if err := s.send(strconv.FormatInt(l.Seq, 10), "line", newLogLine(l)); err != nil {
				return false, err
			}
		}
		if run.State.Type.Final() && len(lines) == 0 {
			return false, s.end("end", newState(run.State))
		}
		return len(lines) > 0, nil
	})
}

// heartbeat is how long a stream is silent at most; stalled is how long a client
// may take to read what it is sent.
const (
	heartbeat = 15 * time.Second
	stalled   = 10 * time.Second
	// lookAgain is how long a change stays unseen at most that was committed just
	// before the stream began to wait for one.
	lookAgain = 300 * time.Millisecond
	// pause is how long a stream rests between two looks, so that what happens in
	// quick succession is read together.
	pause = 20 * time.Millisecond
)
