package enginehttp

import (
	"fmt"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

// Flow is a flow that runs can be made of.
type Flow struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Tags        []string       `json:"tags"`
	Parameters  *engine.Schema `json:"parameters" doc:"JSON Schema of the parameters, with x-order for forms"`
}

type flowList struct {
	Flows []Flow `json:"flows"`
}

func (h *handler) addFlows() {
	add(h, "Flows", "GET flows", "listFlows", "List the flows that this server can make runs of",
		func(request[none, none]) (flowList, error) {
			list := flowList{Flows: []Flow{}}
			for _, f := range h.flows {
				list.Flows = append(list.Flows, NewFlow(f))
			}
			return list, nil
		})
	add(h, "Flows", "GET flows/{flow}", "getFlow", "One flow, with the schema of its parameters",
		func(in request[none, none]) (Flow, error) {
			f, err := h.flow(in.PathValue("flow"))
			if err != nil {
				return Flow{}, err
			}
			return NewFlow(f), nil
		})
}

// NewFlow shows a flow.
func NewFlow(f engine.Runnable) Flow {
	info := f.Info()
	return Flow{Name: info.Name, Description: info.Description, Tags: orEmpty(info.Tags), Parameters: info.Parameters}
}

func noFlow(name string, flows []engine.Runnable) string {
	var names []string
	for _, f := range flows {
		names = append(names, f.Info().Name)
	}
	if len(names) == 0 {
		return fmt.Sprintf("there is no flow %q: this server has none", name)
	}
	return fmt.Sprintf("there is no flow %q%s", name, schedule.Suggest(name, names))
}
