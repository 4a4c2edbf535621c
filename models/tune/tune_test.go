package tune

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

const draws = 10_000

// sample returns 10k proposals for each parameter, one a trial.
func sample(t *testing.T, s Space, seed uint64) map[string][]float64 {
	t.Helper()
	all := map[string][]float64{}
	for trial := range draws {
		params, err := Random{Seed: seed}.Propose(s, trial, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range params {
			all[name] = append(all[name], v)
		}
	}
	return all
}

// distance is Kolmogorov and Smirnov's: how far the sample's distribution is
// from the uniform one on [low, high].
func distance(values []float64, low, high float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	var d float64
	for i, v := range sorted {
		f := (v - low) / (high - low)
		d = max(d, f-float64(i)/float64(len(sorted)), float64(i+1)/float64(len(sorted))-f)
	}
	return d
}

func TestTreesSpace(t *testing.T) {
	all := sample(t, Trees(), 42)
	for _, d := range []struct {
		name      string
		low, high float64
	}{
		{"learning_rate", -3, 0}, {"reg_alpha", -5, -1}, {"reg_lambda", -6, -1}, {"min_child_weight", -1, 3},
	} {
		var logs []float64
		for _, v := range all[d.name] {
			logs = append(logs, math.Log(v))
		}
		// 1.95/√n would be exceeded once in a thousand seeds; this is one seed.
		if got, most := distance(logs, d.low, d.high), 1.95/math.Sqrt(draws); got > most {
			t.Errorf("%s: distance to its prior is %.4f, want ≤ %.4f", d.name, got, most)
		}
	}
	counts := map[float64]int{}
	for _, v := range all["max_depth"] {
		counts[v]++
	}
	if len(counts) != 97 {
		t.Errorf("max_depth takes %d values, want 97", len(counts))
	}
	var chi float64 // 96 degrees of freedom: above 144 once in a thousand seeds
	for v, n := range counts {
		if v != math.Trunc(v) || v < 4 || v > 100 {
			t.Errorf("max_depth %v is not a whole number of 4 to 100", v)
		}
		want := draws / 96.0
		if v == 4 || v == 100 {
			want /= 2
		}
		chi += (float64(n) - want) * (float64(n) - want) / want
	}
	if chi > 144 {
		t.Errorf("max_depth: chi square is %.1f, want ≤ 144", chi)
	}
	if len(all) != 5 {
		t.Errorf("%d parameters, want 5", len(all))
	}
}

// Half of the draws lie on either side of the middle.
func TestMiddle(t *testing.T) {
	s := append(Trees(), Dimension{Name: "int", Prior: Int{3, 9}})
	middle, all := s.Middle(map[string]float64{"reg_alpha": 7}), sample(t, s, 3)
	if middle["reg_alpha"] != 7 || middle["max_depth"] != 52 || middle["int"] != 6 {
		t.Errorf("middle = %v", middle)
	}
	for name, values := range all {
		below, same := 0, 0
		for _, v := range values {
			if v < middle[name] {
				below++
			} else if v == middle[name] {
				same++
			}
		}
		if share := (float64(below) + float64(same)/2) / draws; name != "reg_alpha" && math.Abs(share-0.5) > 0.02 {
			t.Errorf("%s: %.3f of the draws are below the middle %v", name, share, middle[name])
		}
	}
}

func TestUniform(t *testing.T) {
	s := Space{{Name: "a", Prior: Uniform{-2, 7}}, {Name: "b", Prior: Uniform{0, 1}}}
	all := sample(t, s, 7)
	if got, most := distance(all["a"], -2, 7), 1.95/math.Sqrt(draws); got > most {
		t.Errorf("distance to its prior is %.4f, want ≤ %.4f", got, most)
	}
	// Parameters do not follow each other, nor does a trial the one before it.
	if r := correlation(all["a"], all["b"]); math.Abs(r) > 0.04 {
		t.Errorf("correlation of two parameters is %.3f", r)
	}
	if r := correlation(all["a"][1:], all["a"][:draws-1]); math.Abs(r) > 0.04 {
		t.Errorf("correlation of successive trials is %.3f", r)
	}
}

func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma += a[i] / float64(len(a))
		mb += b[i] / float64(len(b))
	}
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

func TestRandomDependsOnSeedAndTrialAlone(t *testing.T) {
	propose := func(seed uint64, trial int, past []Trial) map[string]float64 {
		params, err := Random{seed}.Propose(Trees(), trial, past)
		if err != nil {
			t.Fatal(err)
		}
		return params
	}
	first := propose(42, 3, nil)
	if again := propose(42, 3, []Trial{{Params: first, Loss: 6}}); !maps.Equal(first, again) {
		t.Errorf("the same trial again is %v, want %v", again, first)
	}
	for _, other := range []map[string]float64{propose(42, 4, nil), propose(43, 3, nil)} {
		for name, v := range other {
			if name != "max_depth" && v == first[name] {
				t.Errorf("%s is %v in two trials", name, v)
			}
		}
	}
}

func TestSpaceCheck(t *testing.T) {
	for want, s := range map[string]Space{
		`"" is empty`:             {{Name: "", Prior: Uniform{0, 1}}},
		`"a" is empty or used tw`: {{Name: "a", Prior: Uniform{0, 1}}, {Name: "a", Prior: Uniform{0, 1}}},
		"a has no distribution":   {{Name: "a", Prior: nil}},
		"no values from 1 to 0":   {{Name: "a", Prior: Uniform{1, 0}}},
		"no values from NaN":      {{Name: "a", Prior: LogUniform{math.NaN(), 0}}},
		"no options":              {{Name: "a", Prior: Choice{}}},
		"no values from 3 to 2":   {{Name: "a", Prior: Int{3, 2}}},
		`depends on "b", which d`: {{Name: "a", Prior: Uniform{0, 1}, When: When{Name: "b"}}, {Name: "b", Prior: Int{0, 1}}},
		`depends on "a", which d`: {{Name: "a", Prior: Uniform{0, 1}, When: When{Name: "a"}}},
		"no multiples of 0":       {{Name: "a", Prior: QUniform{0, 1, 0}}},
	} {
		if _, err := (Random{}).Propose(s, 0, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
}
