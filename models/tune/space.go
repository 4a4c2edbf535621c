// Package tune proposes hyper-parameters to try next. It does not know what the
// parameters do, nor how a trial is run; it only hears the loss of each.
package tune

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Space is the parameters to search, and where each may lie before anything is
// known. The order matters: it is the order in which they are drawn.
type Space []Dimension

// Dimension is one parameter of a space.
type Dimension struct {
	Name  string
	Prior Distribution
	When  When // zero: the parameter is always there
}

// When is a condition on an earlier parameter: a parameter under it is proposed
// only where the earlier one is, with one of these values. For an earlier Choice
// those are indexes of its options.
type When struct {
	Name string
	In   []float64
}

// holds tells whether a parameter under w belongs to params.
func (w When) holds(params map[string]float64) bool {
	if w.Name == "" {
		return true
	}
	v, ok := params[w.Name]
	return ok && slices.Contains(w.In, v)
}

// draw returns one value for each parameter that is there, by draw.
func (s Space) draw(draw func(Dimension) float64) map[string]float64 {
	params := make(map[string]float64, len(s))
	for _, d := range s {
		if d.When.holds(params) {
			params[d.Name] = draw(d)
		}
	}
	return params
}

// fromPriors draws from the priors.
func (s Space) fromPriors(r *rand.Rand) map[string]float64 {
	return s.draw(func(d Dimension) float64 { return d.Prior.Draw(r) })
}

// Middle returns the parameters in the middle of the space, but for those that
// are fixed: what a search may begin with where nothing else is known.
func (s Space) Middle(fixed map[string]float64) map[string]float64 {
	return s.draw(func(d Dimension) float64 {
		if v, ok := fixed[d.Name]; ok {
			return v
		}
		return d.Prior.middle()
	})
}

// Check reports what makes the space one that nothing can be drawn from.
func (s Space) Check() error {
	names := map[string]bool{}
	for _, d := range s {
		if d.Name == "" || names[d.Name] {
			return fmt.Errorf("search space: parameter name %q is empty or used twice", d.Name)
		}
		if d.Prior == nil {
			return fmt.Errorf("search space: parameter %s has no distribution", d.Name)
		}
		if err := d.Prior.check(); err != nil {
			return fmt.Errorf("search space: parameter %s: %w", d.Name, err)
		}
		if w := d.When; w.Name != "" && !names[w.Name] {
			return fmt.Errorf("search space: parameter %s depends on %q, which does not come before it", d.Name, w.Name)
		}
		names[d.Name] = true
	}
	return nil
}

// Trees is the space the original project searched for its boosted trees, by
// XGBoost's parameter names. max_depth comes as a whole number.
func Trees() Space {
	return Space{
		{Name: "max_depth", Prior: QUniform{4, 100, 1}},
		{Name: "learning_rate", Prior: LogUniform{-3, 0}},
		{Name: "reg_alpha", Prior: LogUniform{-5, -1}},
		{Name: "reg_lambda", Prior: LogUniform{-6, -1}},
		{Name: "min_child_weight", Prior: LogUniform{-1, 3}},
	}
}
