package tune

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Distribution is where the values of a parameter lie. Its implementations are
// those of this package, and named as in hyperopt.
type Distribution interface {
	// Draw returns one value, using up one number of r.
	Draw(r *rand.Rand) float64
	check() error

	// middle is the value that half of the draws stay below; of a Choice, which
	// has no order, the first option.
	middle() float64

	// given returns where the values lie after those that were seen, the oldest
	// first.
	given(seen []float64) estimate
}

// estimate is a distribution that was fitted.
type estimate interface {
	draw(r *rand.Rand) float64
	// logDensity is known up to a number that is the same for all estimates
	// from one Distribution.
	logDensity(v float64) float64
}

// Uniform is all values from Low to High, each as likely.
type Uniform struct{ Low, High float64 }

// LogUniform is the values whose natural logarithm is uniform from Low to High.
type LogUniform struct{ Low, High float64 }

// QUniform is the multiples of Q nearest to the values of a Uniform; the two at
// the ends are half as likely as those between.
type QUniform struct{ Low, High, Q float64 }

// Int is the whole numbers from Low to High, both among them, each as likely.
// Near ones are taken to do alike; where they do not, use a Choice.
type Int struct{ Low, High int }

// Choice is one of some options, each as likely. Its values are their indexes.
type Choice struct{ Options []string }

// Option returns the option that a proposed value stands for. It panics on a
// value that Draw does not return.
func (d Choice) Option(v float64) string { return d.Options[int(v)] }

// Draw implements Distribution.
func (d Uniform) Draw(r *rand.Rand) float64 { return d.Low + float64(r.Float64()*(d.High-d.Low)) }

// Draw implements Distribution.
func (d LogUniform) Draw(r *rand.Rand) float64 { return exponential(Uniform(d).Draw(r)) }

// exponential rounds to float32, which is more digits than a parameter needs and
// fewer than machines differ in: math.Exp is another on each.
func exponential(x float64) float64 { return float64(float32(math.Exp(x))) }

// Draw implements Distribution.
func (d QUniform) Draw(r *rand.Rand) float64 {
	return math.RoundToEven(Uniform{d.Low, d.High}.Draw(r)/d.Q) * d.Q
}

// Draw implements Distribution.
func (d Int) Draw(r *rand.Rand) float64 {
	return float64(d.Low) + math.Floor(r.Float64()*float64(d.High-d.Low+1))
}

// Draw implements Distribution.
func (d Choice) Draw(r *rand.Rand) float64 { return math.Floor(r.Float64() * float64(len(d.Options))) }

func (d Uniform) middle() float64    { return 0.5 * (d.Low + d.High) }
func (d LogUniform) middle() float64 { return exponential(Uniform(d).middle()) }
func (d QUniform) middle() float64 {
	return math.RoundToEven(Uniform{d.Low, d.High}.middle()/d.Q) * d.Q
}
func (d Int) middle() float64    { return math.Floor(0.5 * float64(d.Low+d.High)) }
func (d Choice) middle() float64 { return 0 }

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

func (d Int) check() error { return Uniform{float64(d.Low), float64(d.High)}.check() }

func (d Choice) check() error {
	if len(d.Options) == 0 {
		return errors.New("no options to choose from")
	}
	return nil
}
