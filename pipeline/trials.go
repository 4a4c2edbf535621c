package pipeline

import (
	"fmt"

	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/tune"
)

// Trial is one set of parameters to fit trees with.
type Trial struct {
	Number int // from 1
	Params gbt.Params
}

// CourseParams are the parameters that the original's search ended with.
func CourseParams() gbt.Params {
	return gbt.Params{
		LearningRate: 0.09585355369315604, MaxDepth: 30, MinChildWeight: 1.060597050922164,
		RegAlpha: 0.018060244040060163, RegLambda: 0.011658731377413597, BaseScore: 0.5,
		Objective: gbt.SquaredError, Seed: 42, Rounds: 100, EarlyStopping: 20,
	}
}

// Trials are the sets to try: the course's, then draws from the original's
// search space. The same seed gives the same trials.
func (p TrainParams) Trials() ([]Trial, error) {
	trials := make([]Trial, p.TrialCount)
	for i := range trials {
		params := CourseParams()
		if i > 0 {
			if err := draw(&params, p.Seed, i); err != nil {
				return nil, err
			}
		}
		trials[i] = Trial{Number: i + 1, Params: params}
	}
	return trials, nil
}

// draw replaces what the original searched for.
func draw(params *gbt.Params, seed uint64, i int) error {
	point, err := tune.Random{Seed: seed}.Propose(tune.Trees(), i, nil)
	if err != nil {
		return fmt.Errorf("propose trial %d: %w", i+1, err)
	}
	params.MaxDepth = int(point["max_depth"])
	params.LearningRate = point["learning_rate"]
	params.RegAlpha = point["reg_alpha"]
	params.RegLambda = point["reg_lambda"]
	params.MinChildWeight = point["min_child_weight"]
	params.EarlyStopping = 5
	return nil
}

// Key names the trial's fit and its tracked run.
func (t Trial) Key() string { return fmt.Sprintf("trial-%d", t.Number) }

// logged are the parameters under XGBoost's names.
func (t Trial) logged() map[string]any {
	p := t.Params
	return map[string]any{
		"model": "gbt", "booster": "gbtree", "tree_method": "exact", "objective": p.Objective,
		"learning_rate": p.LearningRate, "max_depth": p.MaxDepth, "min_child_weight": p.MinChildWeight,
		"reg_alpha": p.RegAlpha, "reg_lambda": p.RegLambda, "base_score": p.BaseScore, "seed": p.Seed,
		"num_boost_round": p.Rounds, "early_stopping_rounds": p.EarlyStopping,
	}
}
