package enginecmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// open is Open, or what a program without it has.
func (a *App) open(ctx context.Context, run engine.FlowRun, w *Watcher) ([]engine.Runnable, func() error, error) {
	if a.Open == nil {
		return a.Flows, func() error { return nil }, nil
	}
	return a.Open(ctx, run, w)
}

// flow is the flow with a name.
func (a *App) flow(name string) (engine.Runnable, error) {
	var names []string
	for _, f := range a.Flows {
		if f.Info().Name == name {
			return f, nil
		}
		names = append(names, f.Info().Name)
	}
	return nil, Usage("there is no flow %q%s", name, schedule.Suggest(name, names)).Hint("this program has %s", strings.Join(names, ", "))
}

// carryOut carries out a run in this process, showing how it goes.
func (a *App) carryOut(ctx context.Context, h engine.History, id string) (run engine.FlowRun, err error) {
	if run, err = h.FlowRun(ctx, id); err != nil {
		return run, err
	}
	err = a.within(ctx, run, func(flows []engine.Runnable, w *Watcher) error {
		run, err = worker.InProcess{Engine: &engine.Engine{History: h, Observer: w}, Flows: flows}.Execute(ctx, run)
		return err
	})
	return run, a.interrupted(ctx, id, err)
}

// within opens the flows with what they need for a run, shows how it goes, and
// closes all again.
func (a *App) within(ctx context.Context, run engine.FlowRun, do func([]engine.Runnable, *Watcher) error) error {
	w := Watch(a.Err)
	defer w.Close()
	flows, closing, err := a.open(ctx, run, w)
	if err != nil {
		return err
	}
	return errors.Join(do(flows, w), closing())
}

// interrupted adds to the error of a run that somebody has interrupted how to go on.
func (a *App) interrupted(ctx context.Context, id string, err error) error {
	if stopped := new(Interrupted); errors.As(context.Cause(ctx), stopped) && err != nil {
		return Failure(ExitFailed, err).Hint("%s flow-run resume %s goes on with it", a.Name, id)
	}
	return err
}

// finish shows what came of a run that this process carried out.
func (a *App) finish(ctx context.Context, h *history.Store, id string, failed error) error {
	run, err := h.FlowRun(context.WithoutCancel(ctx), id)
	if err != nil {
		return errors.Join(failed, err)
	}
	err = a.Show(map[string]any{"flow_run": enginehttp.NewFlowRun(run)}, func() {
		if run.State.Type == engine.TypeCompleted {
			fmt.Fprintf(a.Out, "%s\n", run.Result)
		}
	})
	return errors.Join(failed, err)
}

func (a *App) runCommand() *cobra.Command {
	var params, tags []string
	var o engine.Options
	cmd := &cobra.Command{Use: "run FLOW", Short: "Run a flow in this process, and print its result",
		Long: fmt.Sprintf("Run a flow in this process, and print its result. \"%s flow ls\" lists the flows,\n\"deployment run\" leaves a run to a worker.\n\n  %s flow-run run FLOW --param name=value", a.Name, a.Name), Args: Wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.flow(args[0])
			if err != nil {
				return err
			}
			typed, err := a.typedParams(args[0], params)
			if err != nil {
				return err
			}
			o.Tags = tags
			return a.runFlow(cmd.Context(), f, typed, o)
		}}
	flags := cmd.Flags()
	flags.StringArrayVar(&params, "param", nil, "name=value of a parameter; give it several times")
	flags.StringSliceVar(&tags, "tag", nil, "of this run, beside the flow's")
	flags.StringVar(&o.Name, "name", "", "of this run (default one is found)")
	flags.BoolVar(&o.Refresh, "no-cache", false, "compute everything afresh")
	flags.StringVar(&o.IdempotencyKey, "idempotency-key", "", "make at most one run with this key: another one is that run")
	return cmd
}

func (a *App) runFlow(ctx context.Context, f engine.Runnable, params json.RawMessage, o engine.Options) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		if err := a.Reap(ctx, h); err != nil {
			return err
		}
		// What the flow works on may depend on the parameters, with the defaults.
		run, err := f.NewRun(&engine.Engine{Version: a.Version}, params, o)
		var invalid *engine.ParameterError
		if errors.As(err, &invalid) {
			return Usage("%w", err).Hint("%s flow inspect %s shows its parameters", a.Name, f.Info().Name)
		}
		if err != nil {
			return err
		}
		err = a.within(ctx, run, func(flows []engine.Runnable, w *Watcher) error {
			i := slices.IndexFunc(flows, func(other engine.Runnable) bool { return other.Info().Name == run.Flow })
			run, err = flows[i].Launch(ctx, &engine.Engine{History: h, Observer: w}, params, o)
			return err
		})
		if run.ID == "" {
			return err
		}
		return a.finish(ctx, h, run.ID, a.interrupted(ctx, run.ID, err))
	})
}

func (a *App) resumeCommand() *cobra.Command {
	var input []string
	cmd := &cobra.Command{Use: "resume RUN", Short: "Go on with a run that was interrupted, failed or is paused",
		Long: "Go on with a run that was interrupted or failed, in this process: tasks that\ncompleted are not run again. A run that is paused goes on where it is, with what it\nwaits for as --input. Of a run that completed, print what it printed. " + runRefs,
		Args: Wants(1, 1), Annotations: map[string]string{ResumesRun: ""},
		RunE: func(cmd *cobra.Command, args []string) error { return a.resume(cmd.Context(), args[0], input) }}
	cmd.Flags().StringArrayVar(&input, "input", nil, "name=value of what the run waits for; give it several times")
	return cmd
}

// ResumesRun annotates the command that resumes a run.
const ResumesRun = "resumes a run"

func (a *App) resume(ctx context.Context, ref string, input []string) error {
	var run engine.FlowRun
	err := a.withRun(ctx, ref, func(_ *history.Store, found engine.FlowRun) error { run = found; return nil })
	if err != nil {
		return err
	}
	if run.State.Type == engine.TypePaused {
		return a.answer(ctx, run, input)
	}
	switch {
	case len(input) > 0:
		return Usage("--input: flow run %s is %s and waits for nothing", run.ID, run.State.Name)
	case run.ParentID != "":
		return Usage("flow run %s is part of another run", run.ID).Hint("%s flow-run resume %s", a.Name, run.RootID)
	case a.Resume != nil: // what the run works on is among its parameters, so it is opened anew
		return a.Resume(ctx, run)
	}
	return a.WithHistory(ctx, func(h *history.Store) error {
		_, err := a.carryOut(ctx, h, run.ID)
		return a.finish(ctx, h, run.ID, err)
	})
}

// answer gives a paused run what it waits for. One whose process is gone goes on here.
func (a *App) answer(ctx context.Context, run engine.FlowRun, input []string) error {
	data := json.RawMessage(`{}`)
	if w := run.Waiting; w != nil && w.Schema != nil {
		values, err := pairs("--input", input)
		if err != nil {
			return err
		}
		if data, err = w.Schema.FromText(values); err != nil {
			return Usage("--input: %v", err)
		}
	}
	return a.WithHistory(ctx, func(h *history.Store) error {
		run, err := h.Signal(ctx, engine.Signal{FlowRunID: run.ID, Kind: engine.SignalResume, Input: data, Message: "asked for on the command line"})
		var invalid *engine.ParameterError
		if errors.As(err, &invalid) {
			return Usage("--input: %w", err)
		}
		if err != nil {
			return err
		}
		if run.State.Type != engine.TypeScheduled {
			return a.showRun(run)
		}
		_, err = a.carryOut(ctx, h, run.ID)
		return a.finish(ctx, h, run.ID, err)
	})
}

// pairs reads name=value.
func pairs(flag string, list []string) (map[string]string, error) {
	values := map[string]string{}
	for _, p := range list {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, Usage("%s %q: want name=value", flag, p)
		}
		values[name] = value
	}
	return values, nil
}

// followPause is the longest that a follower sleeps without looking.
const followPause = time.Second
