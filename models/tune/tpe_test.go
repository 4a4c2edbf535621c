package tune

import (
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
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

// search returns the trials of a search, proposed in batches.
func search(t *testing.T, s Sampler, f function, trials, batch int) []Trial {
	t.Helper()
	var past []Trial
	for len(past) < trials {
		var proposed []Trial
		for i := range batch {
			params, err := s.Propose(f.space, len(past)+i, past)
			if err != nil {
				t.Fatal(err)
			}
			proposed = append(proposed, Trial{Params: params, Loss: f.loss(params)})
		}
		past = append(past, proposed...)
	}
	return past[:trials]
}

func bestOf(trials []Trial) float64 {
	best := math.Inf(1)
	for _, t := range trials {
		best = min(best, t.Loss)
	}
	return best
}

func median(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// TPE must beat drawing at random, and do as hyperopt does. The seeds are
// fixed, so that this fails only where something changed.
func TestTPEBeatsRandom(t *testing.T) {
	ref := readReference(t)
	for _, f := range functions {
		var tpe, batched, random []float64
		for seed := range uint64(ref.Seeds) {
			tpe = append(tpe, bestOf(search(t, TPE{Seed: seed}, f, ref.Budget, 1)))
			batched = append(batched, bestOf(search(t, TPE{Seed: seed, Batch: 4}, f, ref.Budget, 4)))
			random = append(random, bestOf(search(t, Random{Seed: seed}, f, ref.Budget, 1)))
		}
		a, b, r, h := median(tpe), median(batched), median(random), ref.Medians[f.name]
		t.Logf("%-12s tpe %.4f, in batches of 4 %.4f, random %.4f; hyperopt's tpe %.4f, random %.4f", f.name, a, b, r, h["tpe"], h["random"])
		if !(a < r) || !(b < r) {
			t.Errorf("%s: median of the best is %v by TPE, %v in batches, %v at random", f.name, a, b, r)
		}
		if gained, want := r-a, (h["random"]-h["tpe"])/2; !(gained >= want) {
			t.Errorf("%s: TPE gains %v over random draws, which is not half of what hyperopt's gains: %v", f.name, gained, 2*want)
		}
	}
}

func TestTPEDependsOnSeedBatchAndPastAlone(t *testing.T) {
	f := functions[4]
	p := TPE{Seed: 42, Batch: 4}
	past := search(t, p, f, 48, 4)
	if again := search(t, p, f, 48, 4); !equal(again, past) {
		t.Error("the same search again went otherwise")
	}
	if other := search(t, TPE{Seed: 43, Batch: 4}, f, 48, 4); equal(other, past) {
		t.Error("another seed gave the same search")
	}
	// Taken up from records, with later trials known, and one failed.
	past[30].Loss = math.NaN()
	for trial := 44; trial < 48; trial++ {
		want, err := p.Propose(f.space, trial, past[:44])
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Propose(f.space, trial, past)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			t.Errorf("trial %d is %v where later ones are known, %v where not", trial, got, want)
		}
	}
	if _, err := p.Propose(f.space, 47, past[:43]); err == nil || !strings.Contains(err.Error(), "its batch builds on 44 trials, but 43 are known") {
		t.Errorf("error %v where a trial of the past is missing", err)
	}
	first, err := p.Propose(f.space, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if random, _ := (Random{42}).Propose(f.space, 3, nil); !maps.Equal(first, random) {
		t.Errorf("trial 3 is %v, want a draw from the priors: %v", first, random)
	}
}

// Points that are given come first, whatever the batch, and change nothing in the
// draws that follow.
func TestTPEBeginsWithWhatIsGiven(t *testing.T) {
	f := functions[4]
	first := []map[string]float64{f.space.Middle(nil), f.space.Middle(map[string]float64{"kind": 2, "u": 3, "v": -1})}
	want := []map[string]float64{{"kind": 0, "slope": 0}, {"kind": 2, "u": 3, "v": -1}}
	for _, batch := range []int{1, 4} {
		got := search(t, TPE{Seed: 5, Batch: batch, First: first, Startup: 6}, f, 6, batch)
		for i := range got {
			next, err := Random{5}.Propose(f.space, i, nil)
			if err != nil {
				t.Fatal(err)
			}
			if i < len(want) {
				next = want[i]
			}
			if !maps.Equal(got[i].Params, next) {
				t.Errorf("batch of %d: trial %d is %v, want %v", batch, i, got[i].Params, next)
			}
		}
	}
	first[0]["slope"] = 9
	if p, _ := (TPE{First: first}).Propose(f.space, 0, nil); !maps.Equal(p, first[0]) {
		t.Errorf("proposed %v, want %v", p, first[0])
	} else if p["slope"] = 1; first[0]["slope"] != 9 {
		t.Error("a proposal is not its caller's own")
	}
}

func equal(a, b []Trial) bool {
	return slices.EqualFunc(a, b, func(a, b Trial) bool { return maps.Equal(a.Params, b.Params) })
}

func TestConditionsHold(t *testing.T) {
	f := functions[4]
	kinds := f.space[0].Prior.(Choice)
	for _, trial := range search(t, TPE{Seed: 1}, f, 60, 1) {
		want := map[string][]string{"line": {"kind", "slope"}, "tree": {"depth", "kind", "rate"}, "net": {"kind", "u", "v"}}
		kind := kinds.Option(trial.Params["kind"])
		if got := slices.Sorted(maps.Keys(trial.Params)); !slices.Equal(got, want[kind]) {
			t.Errorf("%s has %v, want %v", kind, got, want[kind])
		}
	}
}

// Records of another space, of failed trials and of a range that is a point do
// no harm.
func TestTPETakesAnyPast(t *testing.T) {
	s := Space{
		{Name: "x", Prior: Uniform{0, 1}}, {Name: "one", Prior: Uniform{3, 3}}, {Name: "kind", Prior: Choice{[]string{"a", "b"}}},
		{Name: "log", Prior: LogUniform{-1, 1}}, {Name: "three", Prior: Int{3, 3}},
	}
	var past []Trial
	for i := range 30 {
		past = append(past, Trial{
			Params: map[string]float64{"x": float64(i), "kind": float64(i) - 5, "other": 1, "log": float64(i - 2)},
			Loss:   []float64{float64(i), math.NaN(), math.Inf(1)}[i%3],
		})
	}
	for trial := 30; trial < 60; trial++ {
		p, err := TPE{Seed: 7, Batch: 30}.Propose(s, trial, past)
		if err != nil {
			t.Fatal(err)
		}
		if p["x"] < 0 || p["x"] > 1 || p["one"] != 3 || p["three"] != 3 || p["kind"] != 0 && p["kind"] != 1 || !(p["log"] >= math.Exp(-1) && p["log"] <= math.E) {
			t.Errorf("proposed %v", p)
		}
	}
}

// A search of few trials begins in the middle and has few draws from the priors;
// it too must beat as many draws at random.
func TestShortSearchesBeatRandom(t *testing.T) {
	const budget = 24
	for _, f := range functions {
		var tpe, random []float64
		for seed := range uint64(20) {
			first := []map[string]float64{f.space.Middle(nil)}
			if f.name == "conditional" {
				first = append(first, f.space.Middle(map[string]float64{"kind": 1}), f.space.Middle(map[string]float64{"kind": 2}))
			}
			p := TPE{Seed: seed, First: first, Startup: 6}
			tpe = append(tpe, bestOf(search(t, p, f, budget, 1)))
			random = append(random, bestOf(search(t, Random{Seed: seed}, f, budget, 1)))
		}
		a, r := median(tpe), median(random)
		t.Logf("%-12s tpe %.4f, random %.4f", f.name, a, r)
		if !(a < r) {
			t.Errorf("%s: median of the best is %v by TPE, %v at random", f.name, a, r)
		}
	}
}
