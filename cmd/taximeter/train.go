package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/models/linear"
	"github.com/taximeter/taximeter/pipeline"
	"github.com/taximeter/taximeter/registry/search"
)

// trainFlags are what the user typed.
type trainFlags struct {
	date, train, valid, taxi, data    string
	trials, batch, parallel           int
	params, search, baseline          string
	features                          []string
	gate, experiment, model, tracking string
	seed                              uint64
	alpha                             float64
	noCache                           bool
	whenMissing                       string
}

func (a *app) trainCommand() *cobra.Command {
	var f trainFlags
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train on two months, track every model, stage the best",
		Long: `Train on the month before last and validate on last month, as seen from --date:
2021-03-05 trains on 2021-01 and validates on 2021-02. A linear baseline and
boosted trees are fitted, each is one tracked run, and the best that passes the
gate is registered and moved to Staging.

The trees' parameters, and what they see of a ride, are searched: the first trial
has the course's parameters, the next ones try each other encoding in the middle
of the space, and those after build on what came of all before. A trial that
fails is logged as failed, and the search goes on.

Months are looked for in --data, then in the home's cache, then fetched from TLC.
What was computed before is taken from the cache. An interrupted run goes on with
"taximeter flow-run resume latest".`,
		Args:        enginecmd.Wants(0, 0),
		Annotations: map[string]string{reportsTraining: ""},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.train(cmd.Context(), f, cmd.Flags().Changed)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.date, "date", "", `train as of this day, such as 2021-03-05, or "latest" (default today)`)
	flags.StringVar(&f.train, "train", "", "train on this Parquet file instead (with --valid)")
	flags.StringVar(&f.valid, "valid", "", "validate on this Parquet file instead (with --train)")
	flags.StringVar(&f.taxi, "taxi", string(data.Green), "green or yellow")
	flags.StringVar(&f.data, "data", "", "directory to look for months in first")
	flags.IntVar(&f.trials, "trials", pipeline.DefaultTrials, "number of boosted models to try")
	flags.StringVar(&f.params, "params", "search", `"search", or "best" for the course's parameters alone, without the flags of the search`)
	flags.StringVar(&f.search, "search", string(pipeline.TPE), `how the next trial is proposed: "tpe", or "random"`)
	flags.Uint64Var(&f.seed, "seed", 42, "of the search: the same seed and batch find the same models")
	flags.IntVar(&f.batch, "batch", 1, "trials that are proposed together, from those before the batch")
	flags.IntVar(&f.parallel, "parallel-trials", 1, "most trials of a batch that run at once; changes nothing but the time")
	flags.StringVar(&f.baseline, "baseline", string(linear.Exact), `least squares: "exact", or "lsqr" with scikit-learn's stopping rule; or with a penalty "ridge", "lasso"`)
	flags.Float64Var(&f.alpha, "alpha", 0, "weight of the penalty of --baseline ridge and lasso: the squares or sizes of the weights, as scikit-learn means it (default 1)")
	flags.StringArrayVar(&f.features, "features", nil, "what the models see of a ride, beside the distance; give it several times to choose from, the baseline sees the first: "+
		encodings()+" (default PU_DO, and for a search all of them)")
	flags.StringVar(&f.gate, "gate", pipeline.DefaultGate, "what a run must satisfy to be staged, in MLflow's filter language")
	flags.StringVar(&f.experiment, "experiment", pipeline.DefaultExperiment, "experiment to log to; {expected_start_time} in it is replaced")
	flags.StringVar(&f.model, "model", pipeline.DefaultModel, "registered model that the best becomes a version of")
	flags.StringVar(&f.tracking, "tracking-uri", "", "address of an MLflow server to log to (default $MLFLOW_TRACKING_URI, else the home's registry)")
	flags.StringVar(&f.whenMissing, "when-missing", string(pipeline.FailWhenMissing), "while a month is not published: fail, or wait for it, to be carried out by a worker")
	flags.BoolVar(&f.noCache, "no-cache", false, "compute everything afresh")
	return cmd
}

func (a *app) train(ctx context.Context, f trainFlags, given func(flag string) bool) error {
	p, err := a.trainParams(ctx, f, given)
	if err != nil {
		return err
	}
	return a.runTraining(ctx, p, func(ctx context.Context, flows *pipeline.Flows, e *engine.Engine, h *history.Store) (engine.FlowRun, error) {
		if err := a.Reap(ctx, h); err != nil {
			return engine.FlowRun{}, err
		}
		return flows.StartTraining(ctx, e, p, engine.Options{Refresh: f.noCache})
	})
}

// trainParams checks every flag and resolves what depends on the moment. given
// tells which flags were typed.
func (a *app) trainParams(ctx context.Context, f trainFlags, given func(flag string) bool) (p pipeline.TrainParams, err error) {
	p = pipeline.TrainParams{Gate: f.gate, Experiment: f.experiment, Model: f.model}
	switch {
	case f.params != "search" && f.params != "best":
		return p, enginecmd.Usage(`--params %q: want "search" or "best"`, f.params)
	case strings.TrimSpace(f.experiment) == "":
		return p, enginecmd.Usage("--experiment is empty: want a name")
	case strings.TrimSpace(f.model) == "" || strings.ContainsAny(f.model, "/:.%\"'"):
		return p, enginecmd.Usage("--model %q: want a name without / : . %% and quotes", f.model)
	case (f.train == "") != (f.valid == ""):
		return p, enginecmd.Usage("--train and --valid name the two months together: give both")
	}
	if p.Search, err = f.searchParams(given); err != nil {
		return p, err
	}
	if p.WhenMissing, err = pipeline.ParseWhenMissing(f.whenMissing); err != nil {
		return p, enginecmd.Usage("--when-missing %v", err)
	}
	if p.Baseline, p.Alpha, err = f.baselineParams(given); err != nil {
		return p, err
	}
	if _, err := search.Runs.Filter(f.gate); err != nil || strings.TrimSpace(f.gate) == "" {
		if err == nil {
			err = errors.New("it is empty")
		}
		return p, enginecmd.Usage("--gate: %v", err).Hint("such as %q", pipeline.DefaultGate)
	}
	taxi, err := data.ParseTaxi(f.taxi)
	if err != nil {
		return p, enginecmd.Usage("--taxi: %v", err)
	}
	if p.Data, err = existingDir("--data", f.data); err != nil {
		return p, err
	}
	if p.TrackingURI, err = a.trackingURI(f.tracking); err != nil {
		return p, err
	}
	if f.train != "" {
		if p.Train.File, err = existingFile("--train", f.train); err != nil {
			return p, err
		}
		if p.Valid.File, err = existingFile("--valid", f.valid); err != nil {
			return p, err
		}
	}
	date, err := a.resolveDate(ctx, f.date, taxi, p.Data)
	if err != nil {
		return p, err
	}
	p.Date = date.String()
	if f.train == "" {
		p.Train.Taxi, p.Valid.Taxi = taxi, taxi
		p.Train.Month, p.Valid.Month = date.Months()
	}
	return p, nil
}

// baselineParams are the flags of the baseline.
func (f trainFlags) baselineParams(given func(flag string) bool) (s linear.Solver, alpha float64, err error) {
	s, err = linear.ParseSolver(f.baseline)
	switch {
	case err != nil:
		return s, 0, enginecmd.Usage("--baseline: %v", err)
	case !given("alpha") && (f.alpha == 0 || !s.Penalised()): // a setting is for those that heed it
		return s, 0, nil
	case !s.Penalised():
		return s, 0, enginecmd.Usage("--alpha %v: --baseline %s has no penalty", f.alpha, s).Hint("--baseline ridge and --baseline lasso have one")
	case !(f.alpha > 0) || math.IsInf(f.alpha, 0):
		return s, 0, enginecmd.Usage("--alpha %v: want a number above 0", f.alpha)
	}
	return s, f.alpha, nil
}

// resolveDate turns what --date says into a day, once and for all.
func (a *app) resolveDate(ctx context.Context, text string, taxi data.Taxi, dir string) (pipeline.Date, error) {
	switch text {
	case "":
		return pipeline.DateOf(time.Now()), nil
	case "latest":
		months, err := a.months(dir)
		if err != nil {
			return pipeline.Date{}, err
		}
		valid, err := months.Latest(ctx, taxi, data.Month{})
		if err != nil {
			return pipeline.Date{}, fmt.Errorf("find the latest months: %w", err)
		}
		return pipeline.Date{Month: valid.Add(1), Day: 1}, nil
	}
	date, err := pipeline.ParseDate(text)
	if err != nil {
		return date, enginecmd.Usage("--%v", err).Hint(`"latest" takes the newest months that can be had`)
	}
	return date, nil
}

func existingFile(flag, path string) (string, error) {
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		return "", enginecmd.Usage("%s: %v", flag, err)
	}
	return filepath.Abs(path)
}

// runTraining opens what a training works on, lets do run it and reports it.
func (a *app) runTraining(ctx context.Context, p pipeline.TrainParams, do func(context.Context, *pipeline.Flows, *engine.Engine, *history.Store) (engine.FlowRun, error)) error {
	h, t, err := a.openBoth(ctx, p.TrackingURI)
	if err != nil {
		return err
	}
	defer both(h.Close, t.Close)
	months, err := a.months(p.Data)
	if err != nil {
		return err
	}
	w := enginecmd.Watch(a.Err)
	months.Progress = w.Fetched
	months.Attempts = 1 // the flow's task retries, where it can be seen
	flows := &pipeline.Flows{Months: months, Tracker: t, Origin: a.origin()}
	run, err := do(ctx, flows, &engine.Engine{History: h, Observer: w}, h)
	w.Close()
	if run.ID == "" {
		return err
	}
	if stopped := new(enginecmd.Interrupted); errors.As(context.Cause(ctx), stopped) && err != nil {
		err = enginecmd.Failure(enginecmd.ExitFailed, err).Hint("taximeter flow-run resume %s goes on with it", run.ID)
	}
	return errors.Join(err, a.report(context.WithoutCancel(ctx), h, run, err))
}

// openBoth opens the history and the tracking server.
func (a *app) openBoth(ctx context.Context, uri string) (h *history.Store, t *tracking, err error) {
	err = both(
		func() (err error) { h, err = a.OpenHistory(ctx); return err },
		func() (err error) { t, err = a.openTracking(ctx, uri); return err },
	)
	switch {
	case err == nil:
		return h, t, nil
	case h != nil:
		err = errors.Join(err, h.Close())
	case t != nil:
		err = errors.Join(err, t.Close())
	}
	return nil, nil, err
}

// both does two things at once: to open and close files is to wait for the disk.
func both(one, other func() error) error {
	done := make(chan error, 1)
	go func() { done <- other() }()
	return errors.Join(one(), <-done)
}

// origin says who runs this program, and what it was built from.
func (a *app) origin() pipeline.Origin {
	o := pipeline.Origin{Source: "taximeter", GitCommit: enginecmd.Commit()}
	if u, err := user.Current(); err == nil {
		o.User = u.Username
	}
	return o
}
