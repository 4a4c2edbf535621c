package gbt

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// fourNumbers is a problem in which every column says something.
func fourNumbers(rows int) Set {
	r := rand.New(rand.NewPCG(8, 9))
	s := Set{X: &matrix.Matrix{Rows: rows, Width: 4}, Y: make([]float64, rows)}
	for column := range int32(4) {
		n := matrix.Number{Column: column}
		for row := range rows {
			v := float64(r.IntN(64))
			n.Values = append(n.Values, v)
			s.Y[row] += v * float64(column+1) / 16
		}
		s.X.Numbers = append(s.X.Numbers, n)
	}
	return s
}

func sampled(change func(*Params)) Params {
	p := Params{LearningRate: 0.3, MaxDepth: 6, RegLambda: 1, Rounds: 12, Seed: 7}
	change(&p)
	return p
}

func TestSharesOfOneChangeNothing(t *testing.T) {
	for name, train := range map[string]Set{"numbers": fourNumbers(300), "a month": month(1, 2000)} {
		want := written(t, fit(t, train, sampled(func(p *Params) {})))
		got := written(t, fit(t, train, sampled(func(p *Params) {
			p.Subsample, p.ColSampleByTree, p.ColSampleByLevel, p.ColSampleByNode, p.Seed = 1, 1, 1, 1, 99
		})))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: shares of 1 make another model", name)
		}
	}
}

// A sample follows from the seed alone.
func TestSamplesFollowFromTheSeed(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	train := month(1, 20_000)
	for name, change := range map[string]func(*Params){
		"rows":              func(p *Params) { p.Subsample = 0.4 },
		"columns of trees":  func(p *Params) { p.ColSampleByTree = 0.5 },
		"columns of levels": func(p *Params) { p.ColSampleByLevel = 0.5 },
		"columns of nodes":  func(p *Params) { p.ColSampleByNode = 0.5 },
		"all": func(p *Params) {
			p.Subsample, p.ColSampleByTree, p.ColSampleByLevel, p.ColSampleByNode = 0.5, 0.9, 0.8, 0.7
		},
	} {
		p := sampled(change)
		p.Rounds = 2
		var want []byte
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			got := written(t, fit(t, train, p))
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: on %d processors the model differs", name, procs)
			}
		}
		p.Seed++
		if bytes.Equal(written(t, fit(t, train, p)), want) {
			t.Errorf("%s: another seed makes the same model", name)
		}
	}
}

func TestSubsampleGrowsOnSomeRows(t *testing.T) {
	train := fourNumbers(4000)
	e := fit(t, train, sampled(func(p *Params) { p.Subsample = 0.25 }))
	for i, tree := range e.Trees {
		if n := tree.Nodes[0].SumHessian; n < 850 || n > 1150 || i > 0 && n == e.Trees[i-1].Nodes[0].SumHessian {
			t.Errorf("tree %d is grown on %v rows of 4000", i, n)
		}
	}
	out := make([]float32, 4000)
	e.Predict(train.X, out)
	if got := rmse(out, train); got > 2 {
		t.Errorf("rmse is %v", got)
	}
}

func TestColumnsAreSampled(t *testing.T) {
	train := fourNumbers(2000)
	used := func(tree Tree, want func(depth int) bool) (features []int32) {
		depth := make([]int, len(tree.Nodes))
		for i, n := range tree.Nodes {
			if i > 0 {
				depth[i] = depth[n.Parent] + 1
			}
			if !n.Leaf() && want(depth[i]) && !slices.Contains(features, n.Feature) {
				features = append(features, n.Feature)
			}
		}
		return features
	}
	any := func(int) bool { return true }
	var seen [4]bool
	for _, tree := range fit(t, train, sampled(func(p *Params) { p.ColSampleByTree = 0.5 })).Trees {
		features := used(tree, any)
		if len(features) != 2 {
			t.Errorf("a tree of two columns splits on %v", features)
		}
		for _, f := range features {
			seen[f] = true
		}
	}
	if seen != [4]bool{true, true, true, true} {
		t.Errorf("of the columns, trees saw %v", seen)
	}
	for _, tree := range fit(t, train, sampled(func(p *Params) { p.ColSampleByTree, p.ColSampleByLevel = 0.75, 0.4 })).Trees {
		if all := used(tree, any); len(all) > 3 {
			t.Errorf("a tree of three columns splits on %v", all)
		}
		for depth := range 6 {
			if features := used(tree, func(d int) bool { return d == depth }); len(features) > 1 {
				t.Errorf("level %d of one column splits on %v", depth, features)
			}
		}
	}
	// Nodes of one level may see different columns.
	several := 0
	for _, tree := range fit(t, train, sampled(func(p *Params) { p.ColSampleByNode = 0.25 })).Trees {
		several = max(several, len(used(tree, func(d int) bool { return d == 4 })))
	}
	if several < 3 {
		t.Errorf("the nodes of a level split on %d columns at most", several)
	}
}

// As many columns are picked as XGBoost picks, each as often as any other, and
// those of a node among those of its level and its tree.
func TestPicks(t *testing.T) {
	for _, c := range []struct {
		columns           int
		tree, level, node float32
		most              [3]int
	}{
		{1, 0.5, 0.5, 0.5, [3]int{1, 1, 1}}, {3, 0.5, 1, 1, [3]int{1, 1, 1}}, {10, 0.7, 0.5, 0.5, [3]int{7, 3, 1}},
		{507, 0.5, 0.5, 0.5, [3]int{253, 126, 63}}, {13_221, 1, 0.1, 1, [3]int{13_221, 1322, 1322}},
	} {
		times := make([]int, c.columns)
		const draws = 200
		for seed := range uint64(draws) {
			s := &sample{seed: seed, rows: 1, tree: c.tree, level: c.level, node: c.node}
			tree, level := *s, *s
			tree.level, tree.node, level.node = 1, 1, 1
			count := [3]int{}
			for column := range int32(c.columns) {
				in := s.picks(c.columns, 2, 5).has(column)
				inLevel, inTree := level.picks(c.columns, 2, 6).has(column), tree.picks(c.columns, 3, 7).has(column)
				if in && !inLevel || inLevel && !inTree {
					t.Fatalf("%+v: column %d is of the node %t, of the level %t, of the tree %t", c, column, in, inLevel, inTree)
				}
				for i, yes := range []bool{inTree, inLevel, in} {
					if yes {
						count[i]++
					}
				}
				if in {
					times[column]++
				}
			}
			if count != c.most {
				t.Fatalf("%+v: seed %d picks %v columns", c, seed, count)
			}
		}
		// Half, or twice, as often as is to be expected are five deviations at least.
		if want := float64(draws*c.most[2]) / float64(c.columns); want > 50 {
			for column, n := range times {
				if float64(n) < want/2 || float64(n) > want*2 {
					t.Errorf("%+v: column %d is picked %d times of %d", c, column, n, draws)
				}
			}
		}
	}
}
