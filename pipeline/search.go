package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/models/tune"
)

// search carries out a Search: it proposes trials, fits them and has them
// logged, each as soon as enough of those before have ended.
type search struct {
	Search
	flow   *engine.Ctx
	encode func(features.Encoding) *engine.Future[Split]
	log    func(name string, fit engine.Arg[Fit], fittedBy engine.Arg[string]) *engine.Future[TrackedRun]
	before *engine.Future[Fit] // the baseline: each fit has the whole machine to itself

	trials []Trial
	fits   []*engine.Future[Fit]
	past   []tune.Trial // what came of those that have ended
	last   error        // of a trial that failed
}

// run returns the tracked runs of all trials. A trial that fails is logged as
// failed and the search goes on; that all have failed is an error.
func (s *search) run() (logged []engine.Arg[TrackedRun], err error) {
	for i := range s.TrialCount {
		known := s.known(i)
		for len(s.past) < max(known, i+1-max(s.Parallel, 1)) {
			run, err := s.settle()
			if err != nil {
				return nil, err
			}
			logged = append(logged, run)
		}
		if err := s.begin(i, s.past[:known]); err != nil {
			return nil, err
		}
	}
	for len(s.past) < s.TrialCount {
		run, err := s.settle()
		if err != nil {
			return nil, err
		}
		logged = append(logged, run)
	}
	if s.TrialCount > 0 && best(s.past) < 0 {
		return nil, fmt.Errorf("all of %d trials failed, the last of them: %w", s.TrialCount, s.last)
	}
	return logged, nil
}

// proposal is what a trial is proposed from.
type proposal struct {
	Search Search
	Index  int // of the trial, from 0
	Past   []tune.Trial
}

// propose is a task so that what was proposed is on record: a search that is
// resumed by a later program goes on with the same trials.
var propose = engine.Task[proposal, Trial]{
	Name: "Propose",
	Func: func(_ context.Context, in proposal) (Trial, error) { return in.Search.propose(in.Index, in.Past) },
}

// begin proposes a trial and starts its fit.
func (s *search) begin(i int, past []tune.Trial) error {
	key := Trial{Number: i + 1}.Key()
	var after []engine.Dependency
	for at := max(s.known(len(past)-1), 0); at < len(past); at++ { // the batch before, which builds on all others
		if !math.IsNaN(past[at].Loss) {
			after = append(after, s.fits[at])
		}
	}
	proposed := propose.Keyed(key).Submit(s.flow, engine.Val(proposal{s.Search, i, past}), after...)
	trial, err := proposed.Get(s.flow.Context())
	if err != nil {
		return err
	}
	s.trials = append(s.trials, trial)
	split := s.encode(trial.Encoding)
	s.fits = append(s.fits, fitTrees.Keyed(key).Submit(s.flow, engine.Join2(split, proposed, newTreesInput), s.before))
	return nil
}

// settle waits for the end of the next trial, and has it logged.
func (s *search) settle() (*engine.Future[TrackedRun], error) {
	i := len(s.past)
	trial, fit := s.trials[i], s.fits[i]
	of := fmt.Sprintf("trial %d of %d", trial.Number, s.TrialCount)
	done, err := fit.Get(s.flow.Context())
	switch {
	case s.flow.Context().Err() != nil:
		return nil, context.Cause(s.flow.Context())
	case errors.Is(err, engine.ErrSuperseded):
		return nil, err
	case s.before.Wait() != nil: // then no trial can be fitted
		return nil, s.before.Wait()
	case err != nil:
		failed := trial.failed(err)
		s.last, s.past = err, append(s.past, trial.outcome(math.NaN()))
		s.flow.Log().Warn(of+" failed: "+failed.Error, "trial", trial)
		return s.log(trial.Key(), engine.Val(failed), engine.Val("")), nil
	}
	s.past = append(s.past, trial.outcome(done.RMSEValid))
	if s.TrialCount > 1 {
		verdict := "the best so far"
		if b := best(s.past); b != i {
			verdict = fmt.Sprintf("the best is trial %d with %.6f", b+1, s.past[b].Loss)
		}
		s.flow.Log().Info(fmt.Sprintf("%s: rmse_valid %.6f (%v); %s", of, done.RMSEValid, trial, verdict))
	}
	return s.log(trial.Key(), fit, fit.Origin()), nil
}

// failed is what is logged of a trial without a model. It says nothing of when,
// nor what else may differ the next time, so that a resumed flow run logs the
// same; the call's own record tells all.
func (t Trial) failed(err error) Fit {
	message, _, _ := strings.Cut(err.Error(), "\n")
	return Fit{FitFacts: FitFacts{Kind: models.GBT, Name: t.Key(), Params: t.logged(), Error: message}}
}
