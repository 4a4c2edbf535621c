package pipeline

import (
	"fmt"
	"math"
	"strings"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/tune"
)

// Method is how a search proposes what to try next.
type Method string

// Methods of a search.
const (
	TPE    Method = "tpe"    // tune.TPE, from what came of the trials before; the zero Method too
	Random Method = "random" // tune.Random, draws from the space
)

// Methods returns all of them, the default first.
func Methods() []Method { return []Method{TPE, Random} }

// Search says how to look for a good model of boosted trees. What it finds
// depends on Seed, Batch and the encodings, and not on how many trials run at
// once, nor on which of them ends first.
type Search struct {
	Method     Method              `json:"search,omitempty"`
	TrialCount int                 `json:"trials" cache:"-" default:"10" min:"0"` // the first has the course's parameters
	Seed       uint64              `json:"seed" default:"42"`
	Batch      int                 `json:"batch,omitempty"`              // trials proposed together; 0: 1
	Parallel   int                 `json:"parallel,omitempty" cache:"-"` // most trials that run at once, within a batch; 0: 1
	Encodings  []features.Encoding `json:"encodings,omitempty"`          // to choose from; the first is the baseline's too. None: features.Pair
}

// Trial is one set of parameters to fit trees with.
type Trial struct {
	Number   int                `json:"number"` // from 1
	Encoding features.Encoding  `json:"encoding"`
	Params   gbt.Params         `json:"params"`
	Point    map[string]float64 `json:"point" cache:"-"` // the same in the terms of the search
}

// CourseParams are the parameters that the original's search ended with.
func CourseParams() gbt.Params {
	return gbt.Params{
		LearningRate: 0.09585355369315604, MaxDepth: 30, MinChildWeight: 1.060597050922164,
		RegAlpha: 0.018060244040060163, RegLambda: 0.011658731377413597, BaseScore: 0.5,
		Objective: gbt.SquaredError, Seed: 42, Rounds: 100, EarlyStopping: 20,
	}
}

func (s Search) encodings() []features.Encoding {
	if len(s.Encodings) == 0 {
		return []features.Encoding{features.Pair}
	}
	return s.Encodings
}

// Dimensions of the search that are no parameters of XGBoost's.
const (
	encodingChoice = "encoding"
	depthOfIDs     = "max_depth_ids"
)

// space is the original's, with the encoding as one choice more. How deep trees
// should be depends on that. A split on a one-hot zone takes one zone off, so a
// tree needs many in a row: the original's 4 to 100. A split on a zone's number
// halves a range, and sixteen of those tell 65,536 rides apart.
func (s Search) space() tune.Space {
	options := tune.Choice{}
	onehot, ids := tune.When{Name: encodingChoice}, tune.When{Name: encodingChoice}
	for i, e := range s.encodings() {
		options.Options = append(options.Options, string(e))
		if e.Clipped() == features.IDs.Clipped() {
			ids.In = append(ids.In, float64(i))
		} else {
			onehot.In = append(onehot.In, float64(i))
		}
	}
	space := tune.Space{{Name: encodingChoice, Prior: options}}
	for _, d := range tune.Trees() {
		if d.Name == "max_depth" {
			d.When = onehot
			space = append(space, tune.Dimension{Name: depthOfIDs, Prior: tune.QUniform{Low: 4, High: 16, Q: 1}, When: ids})
		}
		space = append(space, d)
	}
	return space
}

// first are the points that a search begins with: the course's parameters, and
// for every other encoding the middle of the space. So each encoding has been
// tried once when a proposal is made, without hyperopt's 20 random trials.
func (s Search) first() []map[string]float64 {
	space, course := s.space(), CourseParams()
	points := []map[string]float64{space.Middle(map[string]float64{
		"max_depth": float64(course.MaxDepth), depthOfIDs: float64(course.MaxDepth), "learning_rate": course.LearningRate,
		"reg_alpha": course.RegAlpha, "reg_lambda": course.RegLambda, "min_child_weight": course.MinChildWeight,
	})}
	for i := 1; i < len(s.encodings()); i++ {
		points = append(points, space.Middle(map[string]float64{encodingChoice: float64(i)}))
	}
	return points
}

// known is the number of trials that the proposal of trial i, counted from 0,
// builds on.
func (s Search) known(i int) int {
	if s.Method == Random {
		return 0
	}
	return tune.KnownTo(i, s.Batch)
}

// propose returns trial i, counted from 0, given what came of the trials before
// its batch. It depends on nothing else.
func (s Search) propose(i int, past []tune.Trial) (Trial, error) {
	first := s.first()
	trial := Trial{Number: i + 1, Encoding: s.encodings()[0], Params: CourseParams(), Point: first[0]}
	if i == 0 {
		return trial, nil
	}
	var sampler tune.Sampler = tune.TPE{Seed: s.Seed, Batch: s.Batch, First: first, Startup: len(first)}
	if s.Method == Random {
		sampler = tune.Random{Seed: s.Seed}
	}
	point, err := sampler.Propose(s.space(), i, past)
	if err != nil {
		return trial, err
	}
	depth, ok := point["max_depth"]
	if !ok {
		depth = point[depthOfIDs]
	}
	trial.Point, trial.Encoding = point, s.encodings()[int(point[encodingChoice])]
	trial.Params.MaxDepth = int(depth)
	trial.Params.LearningRate = point["learning_rate"]
	trial.Params.RegAlpha = point["reg_alpha"]
	trial.Params.RegLambda = point["reg_lambda"]
	trial.Params.MinChildWeight = point["min_child_weight"]
	trial.Params.EarlyStopping = 5 // as the original's search
	return trial, nil
}

// outcome is what a search learns from a trial; NaN: that it failed.
func (t Trial) outcome(loss float64) tune.Trial { return tune.Trial{Params: t.Point, Loss: loss} }

// Key names the trial's fit and its tracked run.
func (t Trial) Key() string { return fmt.Sprintf("trial-%d", t.Number) }

// String says what is special about the trial.
func (t Trial) String() string {
	return fmt.Sprintf("%s, depth %d, learning rate %.3g", t.Encoding, t.Params.MaxDepth, t.Params.LearningRate)
}

// logged are the parameters under XGBoost's names, and the encoding.
func (t Trial) logged() map[string]any {
	p := t.Params
	return map[string]any{
		"model": "gbt", "booster": "gbtree", "tree_method": "exact", "objective": p.Objective, "encoding": string(t.Encoding),
		"learning_rate": p.LearningRate, "max_depth": p.MaxDepth, "min_child_weight": p.MinChildWeight,
		"reg_alpha": p.RegAlpha, "reg_lambda": p.RegLambda, "base_score": p.BaseScore, "seed": p.Seed,
		"num_boost_round": p.Rounds, "early_stopping_rounds": p.EarlyStopping,
	}
}

// best returns the index of the least loss, -1 if all have failed.
func best(past []tune.Trial) int {
	at, least := -1, math.Inf(1)
	for i, t := range past {
		if t.Loss < least {
			at, least = i, t.Loss
		}
	}
	return at
}

// spell writes the encodings as one value of a parameter.
func spell(encodings []features.Encoding) string {
	var names []string
	for _, e := range encodings {
		names = append(names, string(e))
	}
	return strings.Join(names, " ")
}
