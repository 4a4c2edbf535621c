// Command taximeter does the whole life of a model of taxi rides: it trains,
// tracks, stages, serves and shows. Flags and environment variables exist only
// here; what they ask for is done by the packages it puts together.
package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/pipeline"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run runs the command and returns its exit code.
func run(args []string) int {
	a := &app{}
	a.App = enginecmd.App{
		Name: "taximeter", Version: version,
		Flows: (&pipeline.Flows{}).Runnables(), Deployments: pipeline.Deployments(),
		Open: a.openFlows, Resume: a.resumeFlowRun, Abandoned: a.closeAbandoned, Explain: explain, Failed: failed,
	}
	return a.Main(a.command(), args)
}

// app is one run of the command.
type app struct{ enginecmd.App }

func (a *app) command() *cobra.Command {
	root := a.Root("Train, track, stage, schedule and serve models of taxi rides",
		`Taximeter trains models of how long a taxi ride takes, on the months that NYC's
TLC publishes, tracks every run in an MLflow-compatible registry, stages the best
and serves it over HTTP.

  taximeter train --date latest   train on the newest two months
  taximeter server                serve MLflow's API, predictions and a page`)
	root.AddCommand(a.trainCommand(), a.predictCommand(), a.serverCommand(), a.mlflowServerCommand())
	root.AddCommand(a.EngineCommands()...)
	root.AddCommand(a.experimentsCommand(), a.runsCommand(), a.modelsCommand(), a.monthsCommand(), a.databaseCommand(), a.importCommand(), a.VersionCommand())
	return root
}
