package tune

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// forgetting is how many of the latest trials count in full; before them, the
// older a trial is the less it counts (hyperopt's linear forgetting).
const forgetting = 25

// recency returns the weights of n trials, the oldest first.
func recency(n int) []float64 {
	w := make([]float64, n)
	old := n - forgetting
	for i := range w {
		w[i] = 1
		if i < old {
			w[i] = 1 / float64(n)
			if old > 1 {
				w[i] += (1 - 1/float64(n)) * float64(i) / float64(old-1)
			}
		}
	}
	return w
}

// parzen is a mixture of normal distributions, cut off at low and high: one
// about each value seen and one, as wide as the range, about its middle, which
// stands for the prior. A value's distribution is as wide as the gap to the
// farther of its neighbours, within limits. It is the adaptive Parzen estimator
// of Bergstra, Bardenet, Bengio and Kégl, "Algorithms for hyper-parameter
// optimization", NIPS 2011, as hyperopt 0.2.7 has it (adaptive_parzen_normal).
type parzen struct {
	low, high             float64
	means, widths, shares []float64 // of the normal distributions, by mean
	inside                float64   // probability of a draw from low to high
	step                  float64   // of a QUniform; 0: any value
	log                   bool      // the values are the exponentials of the draws
}

func newParzen(low, high float64, seen []float64) *parzen {
	p := &parzen{low: low, high: high}
	middle, width := 0.5*(low+high), high-low
	order := make([]int, len(seen))
	for i := range order {
		order[i] = i
		// Values from elsewhere may lie outside, where nothing is to be drawn.
		seen[i] = min(max(seen[i], low), high)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case seen[a] < seen[b]:
			return -1
		case seen[a] > seen[b]:
			return 1
		}
		return 0
	})
	prior := sort.Search(len(order), func(i int) bool { return seen[order[i]] >= middle })
	if len(seen) == 1 && seen[0] == middle {
		prior = 1 // as hyperopt does
	}
	weights := recency(len(seen))
	for _, i := range order {
		p.means, p.shares = append(p.means, seen[i]), append(p.shares, weights[i])
	}
	p.means, p.shares = slices.Insert(p.means, prior, middle), slices.Insert(p.shares, prior, 1)

	n := len(p.means)
	p.widths = make([]float64, n)
	narrowest := width / min(100, 1+float64(n))
	for i := range p.widths {
		var gap float64
		if i > 0 {
			gap = p.means[i] - p.means[i-1]
		}
		if i < n-1 {
			gap = max(gap, p.means[i+1]-p.means[i])
		}
		if n == 2 {
			gap = width / 2
		}
		p.widths[i] = min(max(gap, narrowest), width)
	}
	p.widths[prior] = width

	var total float64
	for _, w := range p.shares {
		total += w
	}
	for i := range p.shares {
		p.shares[i] /= total
	}
	p.inside = p.within(low, high)
	return p
}

// within is the probability of a draw from lo to hi, before the ends are cut off.
func (p *parzen) within(lo, hi float64) float64 {
	var sum float64
	for i, mean := range p.means {
		sum += float64(p.shares[i] * (cumulative(hi, mean, p.widths[i]) - cumulative(lo, mean, p.widths[i])))
	}
	return sum
}

func cumulative(x, mean, width float64) float64 {
	return float64(0.5 * (1 + math.Erf((x-mean)/max(math.Sqrt2*width, 1e-12))))
}

func (p *parzen) draw(r *rand.Rand) float64 {
	if p.low == p.high {
		return p.value(p.low)
	}
	for {
		at, i := r.Float64(), 0
		for i < len(p.shares)-1 && at >= p.shares[i] {
			at -= p.shares[i]
			i++
		}
		// The means lie inside, and no width exceeds the range: one draw in
		// three is good at least.
		x := p.means[i] + float64(r.NormFloat64()*p.widths[i])
		if x >= p.low && x < p.high {
			return p.value(x)
		}
	}
}

// value turns a draw into a value of the parameter.
func (p *parzen) value(x float64) float64 {
	switch {
	case p.step > 0:
		return math.RoundToEven(x/p.step) * p.step
	case p.log:
		return exponential(x)
	}
	return x
}

func (p *parzen) logDensity(v float64) float64 {
	if p.low == p.high {
		return 0
	}
	if p.step > 0 {
		half := float64(p.step / 2)
		lo, hi := max(v-half, p.low), min(v+half, p.high)
		return math.Log(p.within(lo, hi)) - math.Log(p.inside)
	}
	if p.log {
		v = math.Log(v)
	}
	// The largest term is taken out, so that not all vanish far from the means.
	terms := make([]float64, len(p.means))
	for i, mean := range p.means {
		z := (v - mean) / p.widths[i]
		terms[i] = math.Log(p.shares[i]/(math.Sqrt(2*math.Pi)*p.widths[i]*p.inside)) - float64(z*z/2)
	}
	most := slices.Max(terms)
	var sum float64
	for _, t := range terms {
		sum += math.Exp(t - most)
	}
	return most + math.Log(sum)
}

func (d Uniform) given(seen []float64) estimate { return newParzen(d.Low, d.High, slices.Clone(seen)) }

func (d LogUniform) given(seen []float64) estimate {
	logs := make([]float64, len(seen))
	for i, v := range seen {
		logs[i] = math.Log(max(v, 0))
	}
	p := newParzen(d.Low, d.High, logs)
	p.log = true
	return p
}

func (d QUniform) given(seen []float64) estimate {
	p := newParzen(d.Low, d.High, slices.Clone(seen))
	p.step = d.Q
	return p
}

func (d Int) given(seen []float64) estimate {
	return QUniform{float64(d.Low) - 0.5, float64(d.High) + 0.5, 1}.given(seen)
}

func (d Choice) given(seen []float64) estimate {
	shares := make(shares, len(d.Options))
	for i := range shares {
		shares[i] = 1
	}
	total := float64(len(shares))
	for i, w := range recency(len(seen)) {
		if option := int(seen[i]); option >= 0 && option < len(shares) {
			shares[option] += w
			total += w
		}
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares
}

// shares are the probabilities of the options of a Choice: how often each was
// seen, and once more.
type shares []float64

func (s shares) draw(r *rand.Rand) float64 {
	at, i := r.Float64(), 0
	for i < len(s)-1 && at >= s[i] {
		at -= s[i]
		i++
	}
	return float64(i)
}

func (s shares) logDensity(v float64) float64 { return math.Log(s[int(v)]) }
