package gbt

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/models/xgbfile"
)

// Read reads a model of XGBoost's, in JSON or UBJSON, as 1.x and 3.x write it:
// a gbtree booster for one squared-error target. Anything else, and anything
// malformed, is an error that says what and where; what it allocates is in
// proportion to what it read.
func Read(r io.Reader) (*Ensemble, error) {
	data, err := xgbfile.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	e, err := readModel(xgbfile.NewDecoder(data))
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return e, nil
}

// ReadJSON is Read.
func ReadJSON(r io.Reader) (*Ensemble, error) { return Read(r) }

// modelFile is the part of the format that matters here, but for the trees.
type modelFile struct {
	attributes                                 map[string]string
	names, types                               []string
	booster, objective                         string
	numTrees, numClass, numFeature, numTargets string
	baseScore                                  string
	treeInfo                                   []int32
	trees                                      []Tree
}

func readModel(d xgbfile.Decoder) (*Ensemble, error) {
	f := modelFile{attributes: map[string]string{}}
	type fields = map[string]func() error
	object := func(f fields) func() error { return func() error { return xgbfile.Members(d, f) } }
	err := xgbfile.Members(d, fields{"learner": object(fields{
		"attributes": func() error {
			return d.Object(func(key string) (err error) {
				f.attributes[key], err = d.Text()
				return err
			})
		},
		"feature_names": xgbfile.Texts(d, &f.names),
		"feature_types": xgbfile.Texts(d, &f.types),
		"gradient_booster": object(fields{
			"name": xgbfile.Text(d, &f.booster),
			"model": object(fields{
				"gbtree_model_param": object(fields{"num_trees": xgbfile.Text(d, &f.numTrees)}),
				"tree_info":          xgbfile.Ints(d, &f.treeInfo),
				"trees":              func() error { return f.readTrees(d) },
			}),
		}),
		"learner_model_param": object(fields{
			"base_score":  xgbfile.Text(d, &f.baseScore),
			"num_class":   xgbfile.Text(d, &f.numClass),
			"num_feature": xgbfile.Text(d, &f.numFeature),
			"num_target":  xgbfile.Text(d, &f.numTargets),
		}),
		"objective": object(fields{"name": xgbfile.Text(d, &f.objective)}),
	})})
	if err == nil {
		err = d.End()
	}
	if err != nil {
		return nil, err
	}
	return f.ensemble()
}

func (f *modelFile) readTrees(d xgbfile.Decoder) error {
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

func (f *modelFile) ensemble() (*Ensemble, error) {
	if f.booster != "gbtree" {
		return nil, fmt.Errorf("booster is %q, not gbtree", f.booster)
	}
	if !knownObjective(f.objective) {
		return nil, fmt.Errorf("objective is %q, not %s", f.objective, SquaredError)
	}
	for _, outputs := range []string{f.numClass, f.numTargets} { // 1.x may leave them out
		if outputs != "" && outputs != "0" && outputs != "1" {
			return nil, fmt.Errorf("it has %s outputs, where one is supported", outputs)
		}
	}
	features, err := count("num_feature", f.numFeature)
	if err != nil {
		return nil, err
	}
	trees, err := count("num_trees", f.numTrees)
	if err != nil {
		return nil, err
	}
	if trees != len(f.trees) {
		return nil, fmt.Errorf("num_trees is %d, but there are %d", trees, len(f.trees))
	}
	for _, group := range f.treeInfo {
		if group != 0 {
			return nil, fmt.Errorf("tree_info has output %d, where one is supported", group)
		}
	}
	// XGBoost 3 writes a vector: "[5E-1]".
	base, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(f.baseScore, "["), "]"), 32)
	if err != nil || math.IsNaN(base) || math.IsInf(base, 0) {
		return nil, fmt.Errorf("base_score %q is not a number", f.baseScore)
	}
	for i := range f.trees {
		if err := f.trees[i].check(features); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	e := &Ensemble{
		Trees: f.trees, BaseScore: float32(base), Features: features, BestIteration: -1,
		FeatureNames: f.names, FeatureTypes: f.types,
	}
	if score, ok := f.attributes["best_score"]; ok { // so early stopping was on
		if e.BestScore, err = strconv.ParseFloat(score, 64); err != nil {
			return nil, fmt.Errorf("attribute best_score %q is not a number", score)
		}
		if e.BestIteration, err = count("attribute best_iteration", f.attributes["best_iteration"]); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func count(name, value string) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s %q is not a count", name, value)
	}
	return int(n), nil
}
