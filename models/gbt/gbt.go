// Package gbt fits gradient-boosted regression trees for squared error by the
// exact greedy method, predicts with them, and reads and writes them in
// XGBoost's model formats. Its trees are meant to equal those of XGBoost's
// tree_method=exact bit for bit. It does not know what a row or a column
// stands for.
//
// To follow a fit, read Fit (fit.go), grower.grow (grow.go), worker.visit
// (worker.go), search (split.go) and batch (batch.go), in that order; then grid
// (grid.go) and hand.visit (hand.go), the engine for one block and one number.
// Comments that say "as XGBoost's …" name the file and the function of XGBoost
// 1.7 whose arithmetic is copied.
package gbt

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/xgbfile"
)

// Params are the settings of a fit, by XGBoost's names. Zero means zero
// everywhere; XGBoost's own defaults are those of Defaults.
type Params struct {
	LearningRate   float64 // eta: the share of each tree's answer that is added; above 0
	MaxDepth       int     // most splits between root and leaf; 0: no limit
	MinChildWeight float64 // least sum of row weights on each side of a split
	Gamma          float64 // min_split_loss: splits that gain less are pruned after growing
	RegAlpha       float64 // L1 penalty on leaf weights
	RegLambda      float64 // L2 penalty on leaf weights
	BaseScore      float64 // prediction before the first tree; NaN: the weighted mean of the labels
	Objective      string  // "reg:squarederror"; "" and the old name "reg:linear" mean the same
	Rounds         int     // most trees to grow
	EarlyStopping  int     // stop after so many rounds without a better rmse on the last evaluation set; 0: never

	// Shares that are left to chance: of the rows each tree is grown on, and of the
	// columns (of a block, each level is one) that it may split on, that each of its
	// levels may of those, and each node of those. 0 and 1: all. The generator is our
	// own, so that with less than 1 trees are not XGBoost's; they depend on nothing but
	// Seed and the other arguments of the fit. Where nothing is left to chance, Seed
	// has no effect.
	Subsample, ColSampleByTree, ColSampleByLevel, ColSampleByNode float64
	Seed                                                          int64
}

// Defaults returns what XGBoost 1.7 uses where nothing is said, and 100 rounds.
func Defaults() Params {
	return Params{LearningRate: 0.3, MaxDepth: 6, MinChildWeight: 1, RegLambda: 1, BaseScore: 0.5, Rounds: 100}
}

// SquaredError is the name of the one objective there is.
const SquaredError = xgbfile.SquaredError

// Set is a design matrix with its labels. Fit reads it and keeps none of it.
type Set struct {
	Name    string         // used in error messages only
	X       *matrix.Matrix // one-hot levels count as 1, absent ones and NaN as missing
	Y       []float64      // one a row, used as float32 (as XGBoost's data.cc, MetaInfo::SetInfo)
	Weights []float64      // likewise, not negative; nil: 1 each
}

// Round is what is known after a tree was added.
type Round struct {
	Index   int       // from 0
	Metrics []float64 // rmse of each evaluation set, in the order they were given
}

func (p Params) check(evals int) error {
	const most = math.MaxFloat32
	for _, v := range []struct {
		name               string
		value, least, most float64
		want               string
	}{
		{"learning_rate", p.LearningRate, math.SmallestNonzeroFloat32, most, "a number above 0"},
		{"min_child_weight", p.MinChildWeight, 0, most, "0 or more"},
		{"gamma", p.Gamma, 0, most, "0 or more"},
		{"reg_alpha", p.RegAlpha, 0, most, "0 or more"},
		{"reg_lambda", p.RegLambda, 0, most, "0 or more"},
		{"max_depth", float64(p.MaxDepth), 0, math.MaxInt32, "0, for no limit, or more"},
		{"rounds", float64(p.Rounds), 0, math.MaxInt32, "0 or more"},
		{"early_stopping", float64(p.EarlyStopping), 0, math.MaxInt32, "0, for never, or more"},
		{"subsample", p.Subsample, 0, 1, "a share above 0, up to 1"},
		{"colsample_bytree", p.ColSampleByTree, 0, 1, "a share above 0, up to 1"},
		{"colsample_bylevel", p.ColSampleByLevel, 0, 1, "a share above 0, up to 1"},
		{"colsample_bynode", p.ColSampleByNode, 0, 1, "a share above 0, up to 1"},
	} {
		if !(v.value >= v.least && v.value <= v.most) {
			return fmt.Errorf("parameter %s: %v is out of range, want %s", v.name, v.value, v.want)
		}
	}
	if b := float32(p.BaseScore); math.IsInf(float64(b), 0) {
		return fmt.Errorf("parameter base_score: %v is out of range, want a finite number, or NaN for the mean", p.BaseScore)
	}
	if !xgbfile.IsSquaredError(p.Objective) && p.Objective != "" {
		return fmt.Errorf("parameter objective: %q is not supported, only %q is", p.Objective, SquaredError)
	}
	if p.EarlyStopping > 0 && evals == 0 {
		return fmt.Errorf("parameter early_stopping: needs an evaluation set")
	}
	return nil
}

// check tells whether s has a label and a weight for each row, all usable.
func (s Set) check() error {
	if s.X == nil {
		return fmt.Errorf("%s: no matrix", s.label())
	}
	if err := checkMatrix(s.X); err != nil {
		return fmt.Errorf("%s: %w", s.label(), err)
	}
	if len(s.Y) != s.X.Rows {
		return fmt.Errorf("%s: %d labels for %d rows", s.label(), len(s.Y), s.X.Rows)
	}
	if s.Weights != nil && len(s.Weights) != s.X.Rows {
		return fmt.Errorf("%s: %d weights for %d rows", s.label(), len(s.Weights), s.X.Rows)
	}
	for i, y := range s.Y {
		if !(math.Abs(y) <= math.MaxFloat32) {
			return fmt.Errorf("%s: label %d is %v", s.label(), i, y)
		}
	}
	for i, w := range s.Weights {
		if !(w >= 0 && w <= math.MaxFloat32) {
			return fmt.Errorf("%s: weight %d is %v", s.label(), i, w)
		}
	}
	return nil
}

func (s Set) label() string {
	if s.Name == "" {
		return "set"
	}
	return "set " + s.Name
}

// weight is the weight of row i as XGBoost's MetaInfo::GetWeight gives it.
func (s Set) weight(i int) float32 {
	if s.Weights == nil {
		return 1
	}
	return float32(s.Weights[i])
}

// parameter is the float32 that XGBoost takes for v when Python hands it over,
// as a string: as dmlc-core's strtonum.h, ParseFloat. That adds what stands
// before and after the point, and scales, in float32, so that it may miss the
// nearest one by a little.
func parameter(v float64) float32 {
	digits, exponent, _ := strings.Cut(pythonFloat(math.Abs(v)), "e")
	whole, part, _ := strings.Cut(digits, ".")
	part = part[:min(len(part), 19)]
	before, _ := strconv.ParseUint(whole, 10, 64)
	after, _ := strconv.ParseUint("0"+part, 10, 64)
	pow10 := uint64(1)
	for range part {
		pow10 *= 10
	}
	value := float32(before) + float32(float64(after)/float64(pow10))
	scale, e := float32(1), 0
	if exponent != "" {
		e, _ = strconv.Atoi(exponent)
	}
	for n := max(e, -e); n > 0; {
		if n >= 8 {
			scale, n = scale*1e8, n-8
		} else {
			scale, n = scale*10, n-1
		}
	}
	if e < 0 {
		value /= scale
	} else {
		value *= scale
	}
	return float32(math.Copysign(float64(value), v))
}
