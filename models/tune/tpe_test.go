package tune

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

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

// What is proposed is the same to the last bit on all machines: make parity runs
// this on others too. Another algorithm has another digest.
func TestSameProposalsOnEveryMachine(t *testing.T) {
	h := sha256.New()
	for _, f := range functions {
		for seed := range uint64(5) {
			for _, trial := range search(t, TPE{Seed: seed}, f, 60, 1) {
				for _, name := range slices.Sorted(maps.Keys(trial.Params)) {
					fmt.Fprintf(h, "%s %x\n", name, math.Float64bits(trial.Params[name]))
				}
			}
		}
	}
	if got, want := fmt.Sprintf("%x", h.Sum(nil)), "3c7963c018089146a90fe13d4e244c8314efd272a805a4dbf66c033c6860dd15"; got != want {
		t.Errorf("the digest of 25 searches is %s, want %s", got, want)
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
