package gbt

import (
	"context"
	"fmt"
	"math"
)

// Fit grows trees on train, one a round, each on what the ones before it left
// unexplained. After each round it evaluates the ensemble on evals and calls
// onRound, if any; an error from it, or the end of ctx, ends the fit. The result
// depends on nothing but the arguments, and not on the number of processors.
//
// All sets must come from the same vectorizer. Every tree grown is kept, also
// those after the best iteration.
func Fit(ctx context.Context, train Set, evals []Set, p Params, onRound func(Round) error) (*Ensemble, error) {
	return fitBy(ctx, train, evals, p, onRound, engineFor)
}

// engine grows one tree after another on the same rows.
type engine interface {
	// grow grows a tree on what the trees before it left unexplained.
	grow() Tree
	// add adds what t, the tree grown last and pruned since, says of each row to
	// the row's prediction, and returns the rmse of each evaluation set.
	add(t Tree) (metrics []float64)
	// close ends what goroutines the engine has.
	close()
}

func fitBy(ctx context.Context, train Set, evals []Set, p Params, onRound func(Round) error,
	choose func(joined, rule, float32) engine) (*Ensemble, error) {
	if err := p.check(len(evals)); err != nil {
		return nil, fmt.Errorf("fit trees: %w", err)
	}
	rows, err := joinRows(train, evals)
	if err != nil {
		return nil, fmt.Errorf("fit trees: %w", err)
	}
	e := &Ensemble{BaseScore: baseScore(p.BaseScore, train), Features: train.X.Width, BestIteration: -1}
	r := newRule(p)
	g := choose(rows, r, e.BaseScore)
	defer g.close()
	stop := stopper{patience: p.EarlyStopping, best: math.Inf(1)}
	for round := range p.Rounds {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("fit trees: round %d: %w", round, context.Cause(ctx))
		}
		t := g.grow()
		t.prune(r.gamma, r.eta)
		e.Trees = append(e.Trees, t)
		metrics := g.add(t)
		if onRound != nil {
			if err := onRound(Round{Index: round, Metrics: metrics}); err != nil {
				return nil, fmt.Errorf("fit trees: round %d: %w", round, err)
			}
		}
		if p.EarlyStopping > 0 && stop.after(round, metrics[len(metrics)-1]) {
			break
		}
	}
	if p.EarlyStopping > 0 && len(e.Trees) > 0 {
		e.BestIteration, e.BestScore = stop.bestRound, stop.best
	}
	return e, nil
}

// rmse is the root of the weighted mean squared error, as XGBoost's
// elementwise_metric.cu, EvalRowRMSE: float32 errors, float64 sums.
func rmse(predictions []float32, s Set) float64 {
	var sum, weights float64
	for i, p := range predictions {
		w := s.weight(i)
		diff := float32(float32(s.Y[i]) - p)
		sum += float64(float32(float32(diff*diff) * w))
		weights += float64(w)
	}
	return meanRoot(sum, weights)
}

func meanRoot(sum, weights float64) float64 {
	if weights == 0 {
		return math.Sqrt(sum)
	}
	return math.Sqrt(sum / weights)
}

// baseScore is the number asked for, or the weighted mean of the labels, which is
// XGBoost 3's default: as its stats.cc, SampleMean and WeightedSampleMean, on one
// thread. There each float32 label is divided in float64 before it is added, and
// the mean is rounded once.
func baseScore(asked float64, s Set) float32 {
	if asked == asked {
		return parameter(asked)
	}
	weights := float64(len(s.Y))
	if s.Weights != nil {
		weights = 0
		for i := range s.Weights {
			weights += float64(s.weight(i))
		}
	}
	if weights == 0 {
		return 0
	}
	var mean float64
	for i, y := range s.Y {
		mean += float64(float64(float32(y)) / weights * float64(s.weight(i)))
	}
	return float32(mean)
}

// stopper is early stopping, as XGBoost's Python callback EarlyStopping.
type stopper struct {
	patience, bestRound int
	best                float64
}

// after tells whether to stop after a round with this score.
func (s *stopper) after(round int, score float64) bool {
	if score < s.best || round == 0 {
		s.best, s.bestRound = score, round
	}
	return round-s.bestRound >= s.patience
}
