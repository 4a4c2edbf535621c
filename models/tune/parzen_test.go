package tune

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

type reference struct {
	Estimates []struct {
		Kind                  string
		Low, High, Q          float64
		Seen                  []float64
		Shares, Means, Widths []float64
		Points                []float64
		LogDensity            []float64 `json:"log_density"`
	}
	Splits []struct {
		Losses       []float64
		Trials, Best int
		First        []int
	}
	Budget, Seeds int
	Medians       map[string]map[string]float64
}

func readReference(t *testing.T) (ref reference) {
	t.Helper()
	data, err := os.ReadFile("testdata/hyperopt.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestEstimatesEqualHyperopt(t *testing.T) {
	ref := readReference(t)
	if len(ref.Estimates) < 40 {
		t.Fatalf("only %d estimates to compare", len(ref.Estimates))
	}
	near := func(a, b []float64) bool {
		return slices.EqualFunc(a, b, func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*(1+math.Abs(b)) })
	}
	for _, want := range ref.Estimates {
		prior := map[string]Distribution{
			"uniform": Uniform{want.Low, want.High}, "loguniform": LogUniform{want.Low, want.High},
			"quniform": QUniform{want.Low, want.High, want.Q},
		}[want.Kind]
		got := prior.given(want.Seen).(*parzen)
		if !near(got.means, want.Means) || !near(got.widths, want.Widths) || !near(got.shares, want.Shares) {
			t.Errorf("%v given %d values: means %v, widths %v, shares %v, want %v, %v, %v",
				prior, len(want.Seen), got.means, got.widths, got.shares, want.Means, want.Widths, want.Shares)
		}
		for i, v := range want.Points {
			if d := got.logDensity(v); math.Abs(d-want.LogDensity[i]) > 1e-9 {
				t.Errorf("%v given %d values: log density %v at %v, want %v", prior, len(want.Seen), d, v, want.LogDensity[i])
			}
		}
	}
}

func TestSplitEqualsHyperopt(t *testing.T) {
	for _, want := range readReference(t).Splits {
		past := make([]Trial, want.Trials)
		for i := range past {
			past[i] = Trial{Params: map[string]float64{"i": float64(i)}, Loss: float64(i)}
			if len(want.Losses) > 0 {
				past[i].Loss = want.Losses[i]
			}
		}
		best, rest := split(past)
		if len(best) != want.Best || len(best)+len(rest) != want.Trials {
			t.Errorf("%d trials: %d best and %d others, want %d best", want.Trials, len(best), len(rest), want.Best)
		}
		if len(want.Losses) > 0 {
			for i, v := range seen(best, "i") {
				if v != float64(want.First[i]) {
					t.Errorf("%d trials: best are %v, want %v", want.Trials, seen(best, "i"), want.First)
					break
				}
			}
		}
	}
}

// What an estimate draws must be distributed as it says.
func TestDrawsFollowDensity(t *testing.T) {
	for name, c := range map[string]struct {
		prior Distribution
		seen  []float64
		bins  []float64 // borders, or the values of a discrete one
	}{
		"uniform":    {Uniform{-2, 7}, []float64{-2, 0, 0.1, 0.2, 6.5}, []float64{-2, -1, 0, 0.5, 1, 2, 3, 5, 7}},
		"loguniform": {LogUniform{-3, 0}, []float64{0.06, 0.9, 0.95}, []float64{math.Exp(-3), 0.06, 0.1, 0.3, 0.5, 0.9, 1}},
		"quniform":   {QUniform{0, 10, 2.5}, []float64{2.5, 2.5, 10}, []float64{0, 2.5, 5, 7.5, 10}},
		"int":        {Int{3, 6}, []float64{3, 3, 5}, []float64{3, 4, 5, 6}},
		"choice":     {Choice{[]string{"a", "b", "c"}}, []float64{1, 1, 2}, []float64{0, 1, 2}},
	} {
		e := c.prior.given(c.seen)
		r := rand.New(rand.NewPCG(5, 6))
		discrete := name == "quniform" || name == "int" || name == "choice"
		counts := make([]float64, len(c.bins))
		for range draws {
			v := e.draw(r)
			at, found := slices.BinarySearch(c.bins, v)
			if discrete && !found || at == len(c.bins) || v < c.bins[0] {
				t.Fatalf("%s: drew %v", name, v)
			}
			counts[at]++
		}
		var chi, total float64
		cells := 0
		for i := range c.bins {
			var p float64
			switch {
			case discrete:
				p = math.Exp(e.logDensity(c.bins[i]))
			case i > 0: // the area by Simpson's rule, in the domain of the density
				lo, hi := c.bins[i-1], c.bins[i]
				at := func(x float64) float64 { return math.Exp(e.logDensity(x)) }
				if name == "loguniform" {
					lo, hi = math.Log(lo), math.Log(hi)
					at = func(x float64) float64 { return math.Exp(e.logDensity(math.Exp(x))) }
				}
				const n = 200
				h := (hi - lo) / n
				for k := range n {
					x := lo + float64(k)*h
					p += h / 6 * (at(x) + 4*at(x+h/2) + at(x+h))
				}
			}
			total += p
			if p > 0 {
				chi += square(counts[i]-draws*p) / (draws * p)
				cells++
			}
		}
		if math.Abs(total-1) > 1e-6 {
			t.Errorf("%s: the density adds up to %v", name, total)
		}
		// Above 26 once in a thousand seeds with 8 degrees of freedom.
		if chi > 26 {
			t.Errorf("%s: chi square of %d cells is %.1f: %v", name, cells, chi, counts)
		}
	}
}
