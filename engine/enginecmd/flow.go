package enginecmd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

// flowShown is a flow as the API shows it, and what it is deployed as.
type flowShown struct {
	enginehttp.Flow
	Deployments []string `json:"deployments"`
}

// FlowCommand is "flow".
func (a *App) FlowCommand() *cobra.Command {
	return Group("flow", "List and inspect the flows of this program",
		&cobra.Command{Use: "ls", Short: "List the flows", Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error { return a.listFlows(cmd.Context()) }},
		&cobra.Command{Use: "inspect FLOW", Short: "Show a flow with its parameters and its last runs", Args: Wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.inspectFlow(cmd.Context(), args[0]) }})
}

func (a *App) flowsShown(ctx context.Context, h *history.Store) ([]flowShown, error) {
	deployed, err := h.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	list := []flowShown{}
	for _, f := range a.Flows {
		info := f.Info()
		s := flowShown{enginehttp.NewFlow(f), []string{}}
		for _, d := range deployed {
			if d.Spec.Flow == info.Name {
				s.Deployments = append(s.Deployments, d.Spec.Ref())
			}
		}
		list = append(list, s)
	}
	return list, nil
}

func (a *App) listFlows(ctx context.Context) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		list, err := a.flowsShown(ctx, h)
		if err != nil {
			return err
		}
		rows := [][]string{{"FLOW", "LAST RUN", "STATE", "DEPLOYMENTS", "DESCRIPTION"}}
		for _, f := range list {
			last, state := "-", "-"
			runs, err := h.Search(ctx, engine.RunQuery{Flow: f.Name, Limit: 1})
			if err != nil {
				return err
			}
			if len(runs) > 0 {
				last, state = Ago(runs[0].Created), runs[0].State.Name
			}
			rows = append(rows, []string{f.Name, last, state, strings.Join(f.Deployments, " "), f.Description})
		}
		return a.Show(map[string]any{"flows": list}, func() { a.Table(rows) })
	})
}

func (a *App) inspectFlow(ctx context.Context, name string) error {
	if _, err := a.flow(name); err != nil {
		return err
	}
	return a.WithHistory(ctx, func(h *history.Store) error {
		list, err := a.flowsShown(ctx, h)
		if err != nil {
			return err
		}
		var f flowShown
		for _, f = range list {
			if f.Name == name {
				break
			}
		}
		runs, err := h.Search(ctx, engine.RunQuery{Flow: name, Limit: runsShown})
		if err != nil {
			return err
		}
		return a.Show(map[string]any{"flow": f, "flow_runs": enginehttp.NewFlowRuns(runs)}, func() {
			fmt.Fprintln(a.Out, strings.TrimSpace(f.Name+"  "+strings.Join(f.Tags, " ")))
			if f.Description != "" {
				fmt.Fprintln(a.Out, f.Description)
			}
			if schema, err := json.MarshalIndent(f.Parameters, "", "  "); err == nil {
				fmt.Fprintf(a.Out, "\nparameters %s\n", schema)
			}
			if len(f.Deployments) > 0 {
				fmt.Fprintf(a.Out, "\ndeployed as %s\n", strings.Join(f.Deployments, ", "))
			}
			if len(runs) > 0 {
				fmt.Fprintln(a.Out)
				a.runTable(runs)
			}
		})
	})
}
