package tune

import (
	"fmt"
	"math/rand/v2"
)

// Trial is parameters that were tried and what came of it.
type Trial struct {
	Params map[string]float64 // by the names of the space's dimensions
	Loss   float64            // less is better; NaN: it failed
}

// Sampler proposes parameters. A proposal depends on the sampler's settings, the
// arguments and nothing else, so that a search can be taken up where it ended, and
// so that the same search can be had twice. In practice not even on the machine:
// what its exponentials differ in, a last bit, is rounded away.
type Sampler interface {
	// Propose returns the parameters of the trial with this number, counted from
	// 0, given the trials before it: past[i] is trial i. A parameter whose
	// condition does not hold is left out. The caller owns the map.
	Propose(s Space, trial int, past []Trial) (map[string]float64, error)
}

// Random proposes draws from the priors, whatever came before. Proposals of one
// seed and different trial numbers are independent.
type Random struct{ Seed uint64 }

// Propose implements Sampler.
func (p Random) Propose(s Space, trial int, _ []Trial) (map[string]float64, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("propose trial %d: %w", trial, err)
	}
	r := rand.New(rand.NewPCG(p.Seed, uint64(trial)))
	return s.fromPriors(r), nil
}
