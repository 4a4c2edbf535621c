package tune

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// TPE proposes values that are likely among the best trials and unlikely among
// the others: the tree-structured Parzen estimator of Bergstra, Bardenet, Bengio
// and Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011, with the
// defaults and details of hyperopt 0.2.7. The first trials are given, or drawn from
// the priors. From then on, for each parameter by itself, values are drawn from an
// estimate of where it lay in the best trials, and the one is proposed whose
// likelihood there most exceeds that in the rest.
type TPE struct {
	Seed uint64

	// Batch is the number of trials that are proposed together, knowing only
	// the trials before the first of them; 0 is 1. So a proposal depends on the
	// seed, the batch and the losses before it, however many trials run at once
	// and whichever ends first.
	Batch int

	// First are the parameters of the first trials, such as some that are known
	// to be good, or the middle of the space (hyperopt's points_to_evaluate).
	First []map[string]float64

	// Startup is the number of trials that build on none before them: First,
	// and then draws from the priors. 0 is 20, which a search of few trials
	// cannot afford.
	Startup int

	// Candidates is the number of values drawn for each parameter, of which one
	// is proposed; 0 is 24.
	Candidates int
}

const (
	defaultStartup    = 20
	defaultCandidates = 24
	bestShare         = 0.25 // times the square root of the trials: those that are the best
	bestMost          = 25
)

// Propose implements Sampler. past must hold the trials in the order of their
// numbers, at least up to the batch of the one proposed; what it holds beyond is
// not looked at. Trials whose loss is NaN teach nothing. Parameters in past that
// the space does not have are ignored, and values outside it count as its ends.
func (p TPE) Propose(s Space, trial int, past []Trial) (map[string]float64, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("propose trial %d: %w", trial, err)
	}
	if trial < 0 || p.Batch < 0 || p.Startup < 0 || p.Candidates < 0 {
		return nil, fmt.Errorf("propose trial %d: negative number among %+v", trial, p)
	}
	known := KnownTo(trial, p.Batch)
	if known > len(past) {
		return nil, fmt.Errorf("propose trial %d: its batch builds on %d trials, but %d are known", trial, known, len(past))
	}
	if trial < len(p.First) {
		return maps.Clone(p.First[trial]), nil
	}
	r := rand.New(rand.NewPCG(p.Seed, uint64(trial)))
	if known < cmp.Or(p.Startup, defaultStartup) {
		return s.fromPriors(r), nil
	}
	best, rest := split(past[:known])
	return s.draw(func(d Dimension) float64 {
		return p.propose(r, d.Prior.given(seen(best, d.Name)), d.Prior.given(seen(rest, d.Name)))
	}), nil
}

// KnownTo returns the number of trials that a proposal of TPE builds on: those
// before its batch.
func KnownTo(trial, batch int) int { return trial - trial%max(batch, 1) }

// propose returns the draw from best with the greatest expected improvement.
func (p TPE) propose(r *rand.Rand, best, rest estimate) float64 {
	var value float64
	gain := math.Inf(-1)
	for i := range cmp.Or(p.Candidates, defaultCandidates) {
		v := best.draw(r)
		if g := best.logDensity(v) - rest.logDensity(v); g > gain || i == 0 {
			value, gain = v, g
		}
	}
	return value
}

// split parts the trials that did not fail into the best and the rest, both in
// their order. Of equal losses the earlier is the better.
func split(past []Trial) (best, rest []Trial) {
	var order []int
	for i, t := range past {
		if !math.IsNaN(t.Loss) {
			order = append(order, i)
		}
	}
	n := min(int(math.Ceil(bestShare*math.Sqrt(float64(len(order))))), bestMost)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(past[a].Loss, past[b].Loss) })
	slices.Sort(order[:n])
	slices.Sort(order[n:])
	for i, at := range order {
		if i < n {
			best = append(best, past[at])
		} else {
			rest = append(rest, past[at])
		}
	}
	return best, rest
}

// seen returns the values of a parameter in the trials that had it.
func seen(trials []Trial, name string) []float64 {
	var values []float64
	for _, t := range trials {
		if v, ok := t.Params[name]; ok && !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return values
}
