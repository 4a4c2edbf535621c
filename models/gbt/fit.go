package gbt

import (
	"context"
	"fmt"
	"math"
)

// Fit grows trees on train, one a round, each on what the ones before it left
// unexplained. It evaluates the ensemble of each round on evals and calls onRound,
// if any; an error from it, or the end of ctx, ends the fit. The result depends on
// nothing but the arguments, and not on the number of processors.
//
// A round is evaluated while the tree of the next one grows: onRound hears of it
// when that is done, and a fit that stops early has grown its last tree in vain.
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
	// the row's prediction.
	add(t Tree)
	// metrics returns the rmse of each evaluation set as of the tree added last. It
	// is measured while the next one grows, or else now.
	metrics() []float64
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
	evaluate := func(round int) (enough bool, err error) {
		metrics := g.metrics()
		if onRound != nil {
			if err := onRound(Round{Index: round, Metrics: metrics}); err != nil {
				return true, fmt.Errorf("fit trees: round %d: %w", round, err)
			}
		}
		return p.EarlyStopping > 0 && stop.after(round, metrics[len(metrics)-1]), nil
	}
	enough := false
	for round := 0; round < p.Rounds && !enough; round++ {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("fit trees: round %d: %w", round, context.Cause(ctx))
		}
		t := g.grow()
		if round > 0 {
			if enough, err = evaluate(round - 1); err != nil {
				return nil, err
			}
		}
		if !enough {
			t.prune(r.gamma, r.eta)
			e.Trees = append(e.Trees, t)
			g.add(t)
		}
	}
	if p.Rounds > 0 && !enough {
		if _, err := evaluate(p.Rounds - 1); err != nil {
			return nil, err
		}
	}
	if p.EarlyStopping > 0 && len(e.Trees) > 0 {
		e.BestIteration, e.BestScore = stop.bestRound, stop.best
	}
	return e, nil
}

// errorSum sums up the squared errors of rows, one after another, as XGBoost's
// elementwise_metric.cu, EvalRowRMSE, does in one thread: float32 errors, float64
// sums.
type errorSum struct{ errors, weights float64 }

// add adds the errors of the rows from one on.
func (e *errorSum) add(predictions []float32, s Set, from int) {
	labels := s.Y[from:][:len(predictions)]
	sum := e.errors
	if s.Weights == nil {
		for i, p := range predictions {
			diff := float32(float32(labels[i]) - p)
			sum += float64(float32(diff * diff))
		}
		e.errors, e.weights = sum, e.weights+float64(len(labels))
		return
	}
	for i, p := range predictions {
		w := s.weight(from + i)
		diff := float32(float32(labels[i]) - p)
		sum += float64(float32(float32(diff*diff) * w))
		e.weights += float64(w)
	}
	e.errors = sum
}

// rmse is the root of the weighted mean squared error.
func (e *errorSum) rmse() float64 {
	if e.weights == 0 {
		return math.Sqrt(e.errors)
	}
	return math.Sqrt(e.errors / e.weights)
}

func rmse(predictions []float32, s Set) float64 {
	var e errorSum
	e.add(predictions, s, 0)
	return e.rmse()
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
