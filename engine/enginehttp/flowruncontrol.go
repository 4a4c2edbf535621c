package enginehttp

import (
	"encoding/json"
	"net/http"

	"github.com/taximeter/taximeter/engine"
)

type whyAsked struct {
	Message string `json:"message" doc:"who asks, and why; it stands in the run's states"`
}

type resumeInput struct {
	Message string          `json:"message" doc:"who asks, and why"`
	Key     string          `json:"key" doc:"of the pause that the input is for; left out: the one the run waits in"`
	Input   json.RawMessage `json:"input" doc:"as waiting.schema of the run says"`
}

func (h *handler) addFlowRunControl() {
	add(h, aboutRuns, "POST flow-runs/{id}/cancel", "cancelFlowRun", "Cancel a run and all below it: at once, or as soon as its process has stopped", func(in request[none, whyAsked]) (FlowRun, error) {
		return h.signal(in.Request, engine.Signal{Kind: engine.SignalCancel, Message: in.Body.Message})
	})
	add(h, aboutRuns, "POST flow-runs/{id}/pause", "pauseFlowRun", "Let a run begin no more tasks", func(in request[none, whyAsked]) (FlowRun, error) {
		return h.signal(in.Request, engine.Signal{Kind: engine.SignalPause, Message: in.Body.Message})
	})
	add(h, aboutRuns, "POST flow-runs/{id}/resume", "resumeFlowRun", "Let a paused run go on, with the input it waits for", func(in request[none, resumeInput]) (FlowRun, error) {
		run, err := h.signal(in.Request, engine.Signal{Kind: engine.SignalResume, Message: in.Body.Message, Key: in.Body.Key, Input: in.Body.Input})
		return run, within("input", err)
	})
	add(h, aboutRuns, "POST flow-runs/{id}/retry", "retryFlowRun", "Have a run that failed, crashed or was cancelled go on; what completed is not run again", func(in request[none, whyAsked]) (FlowRun, error) {
		run, err := h.find(in.Request)
		if err != nil {
			return FlowRun{}, err
		}
		run, err = h.records.Retry(in.Context(), run.ID, in.Body.Message)
		return NewFlowRun(run), err
	})
}

// signal asks something of the run that the path names.
func (h *handler) signal(r *http.Request, s engine.Signal) (FlowRun, error) {
	run, err := h.find(r)
	if err != nil {
		return FlowRun{}, err
	}
	s.FlowRunID = run.ID
	run, err = h.records.Signal(r.Context(), s)
	return NewFlowRun(run), err
}
