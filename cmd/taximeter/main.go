// Command taximeter does the whole life of a model of taxi rides: it trains,
// tracks, stages, serves and shows. Flags and environment variables exist only
// here; what they ask for is done by the packages it puts together.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/history"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// interrupted is why work ends when the user or the system asks for it.
type interrupted struct{ signal os.Signal }

func (i interrupted) Error() string { return "interrupted (" + i.signal.String() + ")" }

// run runs the command and returns its exit code.
func run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		cancel(interrupted{<-signals})
		signal.Stop(signals) // a second one ends the program at once
	}()

	a := &app{out: &output{File: os.Stdout}, err: os.Stderr, env: os.Getenv, args: args}
	root := a.command()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && a.out.err != nil {
		err = fmt.Errorf("write the output: %w", a.out.err)
	}
	if err == nil {
		return exitDone
	}
	return a.fail(cmd, err)
}

// app is one run of the command.
type app struct {
	out *output
	err *os.File
	env func(string) string

	args       []string
	home       string // --home
	durability string // --durability
	json       bool   // --json
	said       bool   // the JSON object of this run has been printed
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "taximeter",
		Short: "Train, track, stage, schedule and serve models of taxi rides",
		Long: `Taximeter trains models of how long a taxi ride takes, on the months that NYC's
TLC publishes, tracks every run in an MLflow-compatible registry, stages the best
and serves it over HTTP.

  taximeter train --date latest   train on the newest two months
  taximeter server                serve MLflow's API, predictions and a page`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              wants(0, 0),
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		a.json = slices.Contains(a.args, "--json") // the flags after the wrong one were not read
		return usage("%v", err)
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.home, "home", "", "directory that everything is kept in (default $TAXIMETER_HOME, else ~/.taximeter)")
	flags.StringVar(&a.durability, "durability", string(history.Process), `what a recorded state survives: "process" its end however it comes, "power" a power cut too`)
	flags.BoolVar(&a.json, "json", false, "print one JSON object on stdout, everything else on stderr")
	root.AddCommand(a.trainCommand(), a.predictCommand(), a.serverCommand(), a.mlflowServerCommand(), a.flowRunCommand(),
		a.deploymentCommand(), a.deployCommand(), a.workPoolCommand(), a.workQueueCommand(), a.workerCommand(),
		a.experimentsCommand(), a.runsCommand(), a.modelsCommand(), a.monthsCommand(), a.databaseCommand(), a.importCommand(), a.versionCommand())
	return root
}

// wants checks the number of arguments; a negative most is no limit.
func wants(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0 && most == 0 && cmd.HasAvailableSubCommands():
			return usage("%s has no command %q", cmd.CommandPath(), args[0]).
				hint("%s --help lists them", cmd.CommandPath())
		case len(args) < least:
			return usage("%s: an argument is missing", cmd.CommandPath()).hint("usage: %s", cmd.UseLine())
		case most >= 0 && len(args) > most:
			return usage("%s: %q is one argument too many", cmd.CommandPath(), args[most]).hint("usage: %s", cmd.UseLine())
		}
		return nil
	}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Args: wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error {
		return usage("%s: which command?", cmd.CommandPath()).hint("%s --help lists them", cmd.CommandPath())
	}}
	g.AddCommand(commands...)
	return g
}

// note prints a line for people, never on stdout when that is for programs.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.err, format+"\n", args...)
}
