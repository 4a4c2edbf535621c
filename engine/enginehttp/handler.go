// Package enginehttp speaks the engine's REST API and its stream of events, as a
// server and as a client. It does not know where the records come from, nor what
// a flow is about.
//
// An [operation] is a row of one table: its path, what it takes and what it
// answers, as Go types. The routes, the checks of what clients send and the OpenAPI
// document all come from that row, so that none of them can say something else.
//
// An engine elsewhere keeps the records of its runs here: its [History] asks, and a
// lease says that it lives.
//
//	TakeLease ──► lives ◄──┐
//	                │ └────┘ renewed, four times as often as it would run out
//	                │ EndLease, or nothing is heard for as long as it lasts
//	                ▼
//	              gone: its runs are CRASHED and may be others', its writes superseded
package enginehttp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/taximeter/taximeter/engine"
)

// Prefix is where the API lives, and DocsPath a page about it.
const (
	Prefix   = "/api/engine/v1/"
	DocsPath = "/api/docs"
)

// Records are the records that the API shows and changes. *history.Store has them.
type Records interface {
	flowRunRecords
	logRecords
	artifactRecords
	graphRecords
	eventRecords
	deploymentRecords
	workRecords
	limitRecords
	leaseRecords
}

// NewHandler returns the API on records, for requests below Prefix, and the page
// at DocsPath. flows are those that runs can be made of. Errors in reading records
// are logged to log and answered with 500. The caller closes the handler.
func NewHandler(records Records, log *slog.Logger, flows ...engine.Runnable) *Handler {
	h := &handler{records: records, log: log, flows: flows}
	h.ending, h.end = context.WithCancel(context.Background())
	h.addFlows()
	h.addFlowRuns()
	h.addFlowRunControl()
	h.addTaskRuns()
	h.addLogs()
	h.addArtifacts()
	h.addGraph()
	h.addEvents()
	h.addDeployments()
	h.addSchedules()
	h.addPools()
	h.addWorkers()
	h.addLimits()
	h.addLeases()
	h.addDocs()
	for _, o := range h.operations {
		h.mux.HandleFunc(o.method+" "+Prefix+o.path, o.serve)
	}
	h.mux.HandleFunc(Prefix, h.missing)
	h.mux.HandleFunc("GET "+DocsPath, docs)
	// A page of another site may not change anything by the hand of who looks at it.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, &Problem{Status: http.StatusForbidden, Code: "cross_origin", Message: "the API is not open to pages of other sites"})
	}))
	return &Handler{guard.Handler(&h.mux), h.end}
}

// Handler is the API as a server has it.
type Handler struct {
	http.Handler
	end func()
}

// Close ends the streams, which else last as long as their clients, so that a
// server can stop. Clients come back and go on where they were.
func (h *Handler) Close() { h.end() }

type handler struct {
	ending context.Context // done when streams are to end
	end    context.CancelFunc

	records    Records
	log        *slog.Logger
	flows      []engine.Runnable
	operations []*operation
	mux        http.ServeMux
}

// missing answers what no operation does: with 405 where the path is one's.
func (h *handler) missing(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := h.mux.Handler(other); pattern != Prefix && pattern != "" {
			allow = append(allow, method)
		}
	}
	p := &Problem{Status: http.StatusNotFound, Code: "not_found", Message: r.Method + " " + r.URL.Path + " is not part of the API: " + DocsPath + " shows what is"}
	if len(allow) > 0 {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		p = &Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: r.URL.Path + " takes " + strings.Join(allow, " and ") + " only"}
	}
	h.fail(w, r, p)
}

// Problem is an error as the API answers it: {"error": {"code", "message", "field"}}.
type Problem struct {
	Status  int    `json:"-"`
	Code    string `json:"code" doc:"for programs: not_found, invalid, wrong_state, ..."`
	Message string `json:"message" doc:"for people"`
	Field   string `json:"field,omitempty" doc:"what in the request is wrong: parameters.trials"`
}

func (p *Problem) Error() string { return p.Message }

// Unwrap is the error of package engine that the problem stands for, if any.
func (p *Problem) Unwrap() error {
	return map[string]error{
		"not_found": engine.ErrNotFound, "ambiguous": engine.ErrAmbiguous, "superseded": engine.ErrSuperseded, "refused": engine.ErrRefused,
	}[p.Code]
}

type problemBody struct {
	Error *Problem `json:"error"`
}

// problemOf is what err means to a client; nil for what is no fault of his.
func problemOf(err error) *Problem {
	var p *Problem
	var parameter *engine.ParameterError
	var transition *engine.TransitionError
	var owned *engine.OwnedError
	message := strings.Replace(err.Error(), engine.ErrRefused.Error()+": ", "", 1)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &parameter):
		return &Problem{http.StatusUnprocessableEntity, "invalid", message, parameter.Parameter}
	case errors.Is(err, engine.ErrNotFound):
		return &Problem{http.StatusNotFound, "not_found", message, ""}
	case errors.Is(err, engine.ErrAmbiguous):
		return &Problem{http.StatusBadRequest, "ambiguous", message, ""}
	case errors.As(err, &transition):
		return &Problem{http.StatusConflict, "wrong_state", message, ""}
	case errors.As(err, &owned):
		return &Problem{http.StatusConflict, "owned", message, ""}
	case errors.Is(err, engine.ErrSuperseded):
		return &Problem{http.StatusConflict, "superseded", message, ""}
	case errors.Is(err, engine.ErrRefused):
		return &Problem{http.StatusConflict, "refused", message, ""}
	}
	return nil
}

// invalid says what is wrong with a part of a request.
func invalid(field, message string) *Problem {
	return &Problem{http.StatusUnprocessableEntity, "invalid", message, field}
}

// within puts an error about a part of a field below that field.
func within(field string, err error) error {
	if err == nil {
		return nil
	}
	p := problemOf(err)
	if p == nil || p.Code != "invalid" {
		return err
	}
	inner := *p
	inner.Field = strings.Trim(field+"."+p.Field, ".")
	return &inner
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the client has gone
	}
	p := problemOf(err)
	if p == nil {
		h.log.Error("answer a request to the engine's API", "method", r.Method, "path", r.URL.Path, "error", err)
		p = &Problem{http.StatusInternalServerError, "internal", "the engine's records cannot be read or written; the server's log says why", ""}
	}
	reply(w, p.Status, problemBody{p})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // only a connection that broke can fail it
}

// flow finds one of the flows that runs can be made of.
func (h *handler) flow(name string) (engine.Runnable, error) {
	i := slices.IndexFunc(h.flows, func(f engine.Runnable) bool { return f.Info().Name == name })
	if i < 0 {
		return nil, &Problem{http.StatusNotFound, "not_found", noFlow(name, h.flows), "flow"}
	}
	return h.flows[i], nil
}
