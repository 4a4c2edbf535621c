// Package tune proposes hyper-parameters to try next. It does not know what the
// parameters do, nor how a trial is run; it only hears the loss of each.
package tune

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Space is the parameters to search, and where each may lie before anything is
// known. The order matters: it is the order in which they are drawn.
type Space []Dimension

// Dimension is one parameter of a space.
type Dimension struct {
	Name  string
	Prior Distribution
}

// Distribution is where the values of a parameter lie. Its implementations are
// those of this package, and named as in hyperopt.
type Distribution interface {
	// Draw returns one value, using up one number of r.
	Draw(r *rand.Rand) float64
	check() error
}

// Uniform is all values from Low to High, each as likely.
type Uniform struct{ Low, High float64 }

// LogUniform is the values whose natural logarithm is uniform from Low to High.
type LogUniform struct{ Low, High float64 }

// QUniform is the multiples of Q nearest to the values of a Uniform; the two at
// the ends are half as likely as those between.
type QUniform struct{ Low, High, Q float64 }

// Draw implements Distribution.
func (d Uniform) Draw(r *rand.Rand) float64 { return d.Low + float64(r.Float64()*(d.High-d.Low)) }

// Draw implements Distribution.
func (d LogUniform) Draw(r *rand.Rand) float64 { return math.Exp(Uniform(d).Draw(r)) }

// Draw implements Distribution.
func (d QUniform) Draw(r *rand.Rand) float64 {
	return math.RoundToEven(Uniform{d.Low, d.High}.Draw(r)/d.Q) * d.Q
}

func (d Uniform) check() error {
	if !(d.Low <= d.High) || math.IsInf(d.High-d.Low, 0) {
		return fmt.Errorf("no values from %v to %v", d.Low, d.High)
	}
	return nil
}

func (d LogUniform) check() error { return Uniform(d).check() }

func (d QUniform) check() error {
	if !(d.Q > 0) {
		return fmt.Errorf("no multiples of %v", d.Q)
	}
	return Uniform{d.Low, d.High}.check()
}

// Check reports what makes the space one that nothing can be drawn from.
func (s Space) Check() error {
	names := map[string]bool{}
	for _, d := range s {
		if d.Name == "" || names[d.Name] {
			return fmt.Errorf("search space: parameter name %q is empty or used twice", d.Name)
		}
		names[d.Name] = true
		if d.Prior == nil {
			return fmt.Errorf("search space: parameter %s has no distribution", d.Name)
		}
		if err := d.Prior.check(); err != nil {
			return fmt.Errorf("search space: parameter %s: %w", d.Name, err)
		}
	}
	return nil
}

// Trees is the space the original project searched for its boosted trees, by
// XGBoost's parameter names. max_depth comes as a whole number.
func Trees() Space {
	return Space{
		{"max_depth", QUniform{4, 100, 1}},
		{"learning_rate", LogUniform{-3, 0}},
		{"reg_alpha", LogUniform{-5, -1}},
		{"reg_lambda", LogUniform{-6, -1}},
		{"min_child_weight", LogUniform{-1, 3}},
	}
}
