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
	logged []engine.Arg[TrackedRun]
	last   error // of a trial that failed
}

// run returns the tracked runs of all trials. A trial that fails is logged as
// failed and the search goes on; that all have failed is an error.
func (s *search) run() ([]engine.Arg[TrackedRun], error) {
	for i := range s.TrialCount {
		known := s.known(i)
		if err := s.settle(max(known, i+1-max(s.Parallel, 1))); err != nil {
			return nil, err
		}
		if err := s.begin(i, s.past[:known]); err != nil {
			return nil, err
		}
	}
	if err := s.settle(s.TrialCount); err != nil {
		return nil, err
	}
	if s.TrialCount > 0 && best(s.past) < 0 {
		return nil, fmt.Errorf("all of %d trials failed, the last of them: %w", s.TrialCount, s.last)
	}
	return s.logged, nil
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

// settle waits until so many trials have ended, in their order, and has each
// logged.
func (s *search) settle(count int) error {
	for len(s.past) < count {
		trial, fit := s.trials[len(s.past)], s.fits[len(s.past)]
		done, err := fit.Get(s.flow.Context())
		switch {
		case s.flow.Context().Err() != nil:
			return context.Cause(s.flow.Context())
		case errors.Is(err, engine.ErrSuperseded):
			return err
		case s.before.Wait() != nil: // then no trial can be fitted
			return s.before.Wait()
		case err != nil:
			failed := trial.failed(err)
			s.last, s.past = err, append(s.past, trial.outcome(math.NaN()))
			s.logged = append(s.logged, s.log(trial.Key(), engine.Val(failed), engine.Val("")))
			s.flow.Log().Warn(fmt.Sprintf("trial %d of %d failed: %s", trial.Number, s.TrialCount, failed.Error), "trial", trial)
		default:
			s.past = append(s.past, trial.outcome(done.RMSEValid))
			s.logged = append(s.logged, s.log(trial.Key(), fit, fit.Origin()))
			s.tell(trial, done.RMSEValid)
		}
	}
	return nil
}

// tell says what came of the trial that ended last.
func (s *search) tell(trial Trial, rmse float64) {
	if s.TrialCount == 1 {
		return // there is no search
	}
	verdict := "the best so far"
	if b := best(s.past); b != len(s.past)-1 {
		verdict = fmt.Sprintf("the best is trial %d with %.6f", b+1, s.past[b].Loss)
	}
	s.flow.Log().Info(fmt.Sprintf("trial %d of %d: rmse_valid %.6f (%v); %s", trial.Number, s.TrialCount, rmse, trial, verdict))
}

// failed is what is logged of a trial without a model. It says nothing of when,
// nor what else may differ the next time, so that a resumed flow run logs the
// same; the call's own record tells all.
func (t Trial) failed(err error) Fit {
	message, _, _ := strings.Cut(err.Error(), "\n")
	return Fit{FitFacts: FitFacts{Kind: models.GBT, Name: t.Key(), Params: t.logged(), Error: message}}
}
