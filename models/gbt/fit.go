package gbt

import (
	"context"
	"fmt"
	"math"

	"github.com/taximeter/taximeter/features/matrix"
)

// Fit grows trees on train, one a round, each on what the ones before it left
// unexplained. After each round it evaluates the ensemble on evals and calls
// onRound, if any; an error from it, or the end of ctx, ends the fit. The result
// depends on nothing but the arguments, and not on the number of processors.
//
// All sets must come from the same vectorizer. Every tree grown is kept, also
// those after the best iteration.
func Fit(ctx context.Context, train Set, evals []Set, p Params, onRound func(Round) error) (*Ensemble, error) {
	if err := p.check(len(evals)); err != nil {
		return nil, fmt.Errorf("fit trees: %w", err)
	}
	rows, err := joinRows(train, evals)
	if err != nil {
		return nil, fmt.Errorf("fit trees: %w", err)
	}
	e := &Ensemble{BaseScore: baseScore(p.BaseScore, train), Features: train.X.Width, BestIteration: -1}
	predictions := make([]float32, rows.count)
	for i := range predictions {
		predictions[i] = e.BaseScore
	}
	gradients := make([]gradient, train.X.Rows)
	r := newRule(p)
	g := newGrower(rows.columns, rows.count, r)
	stop := stopper{patience: p.EarlyStopping, best: math.Inf(1)}
	for round := range p.Rounds {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("fit trees: round %d: %w", round, context.Cause(ctx))
		}
		squaredError(gradients, predictions, train)
		t := g.grow(gradients)
		t.prune(r.gamma, r.eta)
		g.predict(t, predictions)
		e.Trees = append(e.Trees, t)

		metrics := make([]float64, len(evals))
		for i, s := range evals {
			metrics[i] = rmse(predictions[rows.first[i]:][:s.X.Rows], s)
		}
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

// joined is the rows of all sets, those of the training set first.
type joined struct {
	columns []column
	count   int
	first   []int // the first row of each evaluation set
}

func joinRows(train Set, evals []Set) (joined, error) {
	if err := train.check(); err != nil {
		return joined{}, err
	}
	if train.X.Rows == 0 {
		return joined{}, fmt.Errorf("%s: no rows", train.label())
	}
	j := joined{count: train.X.Rows}
	xs := []*matrix.Matrix{train.X}
	for _, s := range evals {
		if err := s.check(); err != nil {
			return joined{}, err
		}
		if s.X == train.X { // often watched; its rows are there already
			j.first = append(j.first, 0)
			continue
		}
		if !sameLayout(train.X, s.X) {
			return joined{}, fmt.Errorf("%s: its columns are not those of the %s", s.label(), train.label())
		}
		j.first = append(j.first, j.count)
		j.count += s.X.Rows
		xs = append(xs, s.X)
	}
	if j.count > math.MaxInt32 {
		return joined{}, fmt.Errorf("%d rows are more than can be numbered", j.count)
	}
	for b := range train.X.Blocks {
		var codes []int32
		for _, x := range xs {
			codes = append(codes, x.Blocks[b].Codes...)
		}
		j.columns = append(j.columns, blockColumn(train.X.Blocks[b].Columns, codes))
	}
	for n := range train.X.Numbers {
		var values []float64
		for _, x := range xs {
			values = append(values, x.Numbers[n].Values...)
		}
		c := numberColumn(train.X.Numbers[n].Column, values)
		c.searchForward(train.X.Rows)
		j.columns = append(j.columns, c)
	}
	return j, nil
}

// squaredError writes the gradients of half the squared error, as XGBoost's
// regression_obj.cu, RegLossObj::GetGradient, in float32 throughout.
func squaredError(gradients []gradient, predictions []float32, s Set) {
	for i := range gradients {
		w := s.weight(i)
		gradients[i] = gradient{grad: float32(float32(predictions[i]-float32(s.Y[i])) * w), hess: w}
	}
}

// predict adds what the tree just grown says of each row.
func (g *grower) predict(t Tree, predictions []float32) {
	value := make([]float32, len(g.at))
	for place, id := range g.at {
		for t.Nodes[id].Deleted {
			id = t.Nodes[id].Parent
		}
		value[place] = t.Nodes[id].Value
	}
	for row, place := range g.router.place {
		predictions[row] = float32(predictions[row] + value[place])
	}
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
	if weights == 0 {
		return math.Sqrt(sum)
	}
	return math.Sqrt(sum / weights)
}

// baseScore is the number asked for, or the weighted mean of the labels.
func baseScore(asked float64, s Set) float32 {
	if asked == asked {
		return parameter(asked)
	}
	var sum, weights float64
	for i := range s.Y {
		w := float64(s.weight(i))
		sum += float64(float64(float32(s.Y[i])) * w)
		weights += w
	}
	if weights == 0 {
		return 0
	}
	return float32(sum / weights)
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
