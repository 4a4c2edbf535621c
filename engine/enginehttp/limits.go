package enginehttp

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/taximeter/taximeter/engine"
)

type limitRecords interface {
	Limits(ctx context.Context) ([]engine.Limit, error)
	SetLimit(ctx context.Context, name string, slots int) error
}

// Limit is a concurrency limit as the API shows it.
type Limit struct {
	Name    string   `json:"name" doc:"a tag of tasks, or a name that holders agree on"`
	Slots   int      `json:"slots" doc:"how many run at once; 0: none may"`
	Active  int      `json:"active"`
	Holders []Holder `json:"holders"`
}

// Holder is a call that holds a slot.
type Holder struct {
	FlowRunID string `json:"flow_run_id"`
	TaskKey   string `json:"task_key"`
}

type limitList struct {
	Limits []Limit `json:"concurrency_limits"`
}

type setLimit struct {
	Slots int `json:"slots" required:"true" min:"0"`
}

const aboutLimits = "Concurrency limits"

func (h *handler) addLimits() {
	add(h, aboutLimits, "GET concurrency-limits", "listConcurrencyLimits", "List concurrency limits and who holds them", func(in request[none, none]) (limitList, error) {
		limits, err := h.records.Limits(in.Context())
		return limitList{NewLimits(limits)}, err
	})
	add(h, aboutLimits, "GET concurrency-limits/{name...}", "getConcurrencyLimit", "One concurrency limit and who holds it", func(in request[none, none]) (Limit, error) {
		return h.limit(in)
	})
	add(h, aboutLimits, "PUT concurrency-limits/{name...}", "setConcurrencyLimit", "Make a concurrency limit, or change its slots", func(in request[none, setLimit]) (Limit, error) {
		if in.PathValue("name") == "" {
			return Limit{}, &Problem{http.StatusMethodNotAllowed, "method_not_allowed", "all limits at once take GET only: name one", "name"}
		}
		if err := h.records.SetLimit(in.Context(), in.PathValue("name"), in.Body.Slots); err != nil {
			return Limit{}, err
		}
		return h.limit(request[none, none]{Request: in.Request})
	})
	add(h, aboutLimits, "DELETE concurrency-limits/{name...}", "deleteConcurrencyLimit", "Remove a concurrency limit", func(in request[none, none]) (none, error) {
		if _, err := h.limit(in); err != nil {
			return none{}, err
		}
		return none{}, h.records.SetLimit(in.Context(), in.PathValue("name"), -1)
	})
}

// limit finds the limit that the path names.
func (h *handler) limit(in request[none, none]) (Limit, error) {
	name := in.PathValue("name")
	limits, err := h.records.Limits(in.Context())
	if err != nil {
		return Limit{}, err
	}
	i := slices.IndexFunc(limits, func(l engine.Limit) bool { return l.Name == name })
	if i < 0 {
		return Limit{}, fmt.Errorf("concurrency limit %q: %w", name, engine.ErrNotFound)
	}
	return NewLimit(limits[i]), nil
}

// NewLimits shows a list of limits.
func NewLimits(limits []engine.Limit) []Limit {
	list := make([]Limit, len(limits))
	for i, l := range limits {
		list[i] = NewLimit(l)
	}
	return list
}

// NewLimit shows a limit.
func NewLimit(l engine.Limit) Limit {
	limit := Limit{Name: l.Name, Slots: l.Slots, Active: len(l.Holders), Holders: make([]Holder, len(l.Holders))}
	for i, holder := range l.Holders {
		limit.Holders[i] = Holder(holder)
	}
	return limit
}
