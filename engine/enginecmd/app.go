package enginecmd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
)

// App is a program's command, for one call of it. The fields of the first two groups
// are set before Command; the flags fill in the third. It is used by one goroutine.
type App struct {
	Name        string // of the program, and in lower case of its home
	Version     string // of the release; zero: dev
	Flows       []engine.Runnable
	Deployments []schedule.Deployment // that its server makes where they are not

	// Open gives the flows with what they need to carry out a run, and what closes
	// that again; nil: they are Flows, and need nothing.
	Open func(ctx context.Context, run engine.FlowRun, w *Watcher) (flows []engine.Runnable, closing func() error, err error)
	// Resume carries out a run in this process and shows what came of it; nil: as
	// any flow's.
	Resume func(ctx context.Context, run engine.FlowRun) error
	// Abandoned tidies up after a run whose process is gone; nil: there is nothing to.
	Abandoned func(ctx context.Context, run engine.FlowRun) error
	// Explain says with which code an error ends the program, and what may help;
	// nil: the function Explain.
	Explain func(error) (code int, hints []string)
	// Failed is what --json prints where cmd printed nothing; nil: a Problem.
	Failed func(cmd *cobra.Command, message string, code int) any

	JSON       bool   // --json, and -o json or yaml: what is printed is for programs
	Output     string // -o
	Home       string // --home
	Profile    string // --profile
	Durability string // --durability

	Out  *Output  // zero: os.Stdout
	Err  *os.File // zero: os.Stderr
	Env  func(string) string
	Args []string

	server *enginehttp.Client // --api; nil: the records are in the home

	said bool // the JSON object of this call has been printed
}

// Interrupted is why work ends when the user or the system asks for it.
type Interrupted struct{ Signal os.Signal }

func (i Interrupted) Error() string { return "interrupted (" + i.Signal.String() + ")" }

// Main runs the command with the arguments and returns its exit code. A first
// SIGINT or SIGTERM ends the context of the command with Interrupted, a second one
// the process.
func (a *App) Main(root *cobra.Command, args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		cancel(Interrupted{<-signals})
		signal.Stop(signals)
	}()
	a.Args = args
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && a.Out.err != nil {
		err = fmt.Errorf("write the output: %w", a.Out.err)
	}
	if err == nil {
		return ExitDone
	}
	return a.fail(cmd, err)
}

// Command is the program's command with everything that concerns flows.
func (a *App) Command(short string) *cobra.Command {
	root := a.Root(short, "")
	root.AddCommand(a.EngineCommands()...)
	root.AddCommand(a.ServerCommand(), a.DatabaseCommand(), a.VersionCommand())
	return root
}

// EngineCommands are the nouns of flows, for a program that has a server of its own.
func (a *App) EngineCommands() []*cobra.Command {
	return []*cobra.Command{a.FlowCommand(), a.FlowRunCommand(), a.TaskRunCommand(), a.ArtifactCommand(),
		a.DeploymentCommand(), a.DeployCommand(), a.WorkPoolCommand(), a.WorkQueueCommand(), a.WorkerCommand(),
		a.LimitCommand(), a.ConfigCommand(), a.ProfileCommand()}
}

// Root is a command with the flags that every command has, and no command in it.
func (a *App) Root(short, long string) *cobra.Command {
	if a.Out == nil {
		a.Out = &Output{File: os.Stdout}
	}
	if a.Err == nil {
		a.Err = os.Stderr
	}
	if a.Env == nil {
		a.Env = os.Getenv
	}
	root := &cobra.Command{
		Use: a.Name, Short: short, Long: long,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              Wants(0, 0),
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.configure(cmd) },
	}
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		a.JSON = a.JSON || a.Output == "json" || a.Output == "yaml" || slices.Contains(a.Args, "--json") // the flags after the wrong one were not read
		return flagError(err)
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.Home, "home", "", fmt.Sprintf("directory that everything is kept in (default $%s, else ~/.%s)", a.variable("HOME"), strings.ToLower(a.Name)))
	flags.StringVar(&a.Profile, "profile", "", "settings to use instead of those in use; \"profile ls\" lists them")
	flags.StringVar(&a.Durability, "durability", string(history.Process), `what a recorded state survives: "process" its end however it comes, "power" a power cut too`)
	flags.BoolVar(&a.JSON, "json", false, "print one JSON object on stdout, everything else on stderr")
	flags.StringVarP(&a.Output, "output", "o", "text", "as what to print: text, json (as --json) or yaml (the same in YAML)")
	return root
}

// Wants checks the number of arguments; a negative most is no limit.
func Wants(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0 && most == 0 && cmd.HasAvailableSubCommands():
			return Usage("%s has no command %q", cmd.CommandPath(), args[0]).
				Hint("%s --help lists them", cmd.CommandPath())
		case len(args) < least:
			return Usage("%s: an argument is missing", cmd.CommandPath()).Hint("usage: %s", cmd.UseLine())
		case most >= 0 && len(args) > most:
			return Usage("%s: %q is one argument too many", cmd.CommandPath(), args[most]).Hint("usage: %s", cmd.UseLine())
		}
		return nil
	}
}

// Group is a command that only holds others.
func Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Args: Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error {
		return Usage("%s: which command?", cmd.CommandPath()).Hint("%s --help lists them", cmd.CommandPath())
	}}
	g.AddCommand(commands...)
	return g
}

// HomeDir is where everything is kept.
func (a *App) HomeDir() (string, error) {
	dir := a.Home
	if dir == "" {
		dir = a.Env(a.variable("HOME"))
	}
	if dir == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", Usage("where to keep things is not known: %v", err).Hint("give --home DIR or set %s", a.variable("HOME"))
		}
		dir = filepath.Join(user, "."+strings.ToLower(a.Name))
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the home: %w", err)
	}
	return dir, nil
}

// variable is the name of the program's environment variable for a word.
func (a *App) variable(word string) string {
	return strings.ToUpper(strings.ReplaceAll(a.Name, "-", "_")) + "_" + word
}

// OpenHistory opens the records in the home. The caller closes them.
func (a *App) OpenHistory(ctx context.Context) (*history.Store, error) {
	dir, err := a.HomeDir()
	if err != nil {
		return nil, err
	}
	d := history.Durability(a.Durability)
	if d != history.Process && d != history.Power {
		return nil, Usage("--durability %q: want %s or %s", a.Durability, history.Process, history.Power)
	}
	return history.Config{Dir: dir, Durability: d}.Open(ctx)
}

// Logger logs to standard error; more, if verbose.
func (a *App) Logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: level}))
}

// Note prints a line for people, never on stdout when that is for programs.
func (a *App) Note(format string, args ...any) {
	fmt.Fprintf(a.Err, format+"\n", args...)
}
