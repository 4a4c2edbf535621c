package gbt

import (
	"fmt"
	"io"
	"strconv"

	"github.com/taximeter/taximeter/models/xgbfile"
)

// Read reads a model of XGBoost's, in JSON or UBJSON, as 1.x to 3.x write it: a
// gbtree booster for one squared-error target. Anything else, and anything
// malformed, is an error that says what and where; what it allocates is in
// proportion to what it read.
func Read(r io.Reader) (*Ensemble, error) {
	file, err := xgbfile.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	var f forestFile
	l, err := xgbfile.ReadLearner(file, "gbtree", f.read)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	e, err := f.ensemble(l)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return e, nil
}

// ReadJSON is Read.
func ReadJSON(r io.Reader) (*Ensemble, error) { return Read(r) }

// forestFile is what the format has for a gbtree booster.
type forestFile struct {
	numTrees, parallel string
	treeInfo           []int32
	trees              []Tree
}

func (f *forestFile) read(d xgbfile.Decoder) error {
	return xgbfile.Members(d, map[string]func() error{
		"gbtree_model_param": func() error {
			return xgbfile.Members(d, map[string]func() error{
				"num_parallel_tree": xgbfile.Text(d, &f.parallel),
				"num_trees":         xgbfile.Text(d, &f.numTrees),
			})
		},
		"tree_info": xgbfile.Ints(d, &f.treeInfo),
		"trees":     func() error { return f.readTrees(d) },
	})
}

func (f *forestFile) readTrees(d xgbfile.Decoder) error {
	f.trees = nil
	return d.List(func() error {
		t, err := readTree(d)
		if err != nil {
			return fmt.Errorf("tree %d: %w", len(f.trees), err)
		}
		f.trees = append(f.trees, t)
		return nil
	})
}

func (f *forestFile) ensemble(l xgbfile.Learner) (*Ensemble, error) {
	trees, err := xgbfile.Count("num_trees", f.numTrees)
	if err != nil {
		return nil, err
	}
	if trees != len(f.trees) {
		return nil, fmt.Errorf("num_trees is %d, but there are %d", trees, len(f.trees))
	}
	parallel := 1
	if f.parallel != "" {
		if parallel, err = xgbfile.Count("num_parallel_tree", f.parallel); err != nil {
			return nil, err
		}
		if parallel = max(parallel, 1); trees%parallel != 0 {
			return nil, fmt.Errorf("num_parallel_tree is %d, but there are %d trees", parallel, trees)
		}
	}
	for _, group := range f.treeInfo {
		if group != 0 {
			return nil, fmt.Errorf("tree_info has output %d, where one is supported", group)
		}
	}
	for i := range f.trees {
		if err := f.trees[i].check(l.Features); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	e := &Ensemble{
		Trees: f.trees, BaseScore: l.BaseScore, Features: l.Features, BestIteration: -1,
		Parallel: parallel, Attributes: l.Attributes, FeatureNames: l.FeatureNames, FeatureTypes: l.FeatureTypes,
	}
	// An attribute may hold anything; these two are xgb.train's if they are numbers.
	score, scoreErr := strconv.ParseFloat(l.Attributes["best_score"], 64)
	best, bestErr := xgbfile.Count("attribute best_iteration", l.Attributes["best_iteration"])
	if scoreErr == nil && bestErr == nil {
		e.BestIteration, e.BestScore = best, score
	}
	return e, nil
}
