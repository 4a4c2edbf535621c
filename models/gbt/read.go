package gbt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// maxFile bounds what ReadJSON takes in: some 18 million nodes.
const maxFile = 1 << 30

// ReadJSON reads a model of XGBoost's JSON format, as 1.x and 3.x write it: a
// gbtree booster for one squared-error target, without categorical splits.
// Anything else, and anything malformed, is an error that says what and where;
// what it allocates is in proportion to what it read.
func ReadJSON(r io.Reader) (*Ensemble, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("read model: more than %d bytes", maxFile)
	}
	var f modelFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	e, err := f.ensemble()
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return e, nil
}

// modelFile is the part of the format that matters here.
type modelFile struct {
	Learner struct {
		Attributes   map[string]string `json:"attributes"`
		FeatureNames []string          `json:"feature_names"`
		FeatureTypes []string          `json:"feature_types"`
		Booster      struct {
			Name  string `json:"name"`
			Model struct {
				Param struct {
					NumTrees text `json:"num_trees"`
				} `json:"gbtree_model_param"`
				TreeInfo numbers[int32] `json:"tree_info"`
				Trees    []treeFile     `json:"trees"`
			} `json:"model"`
		} `json:"gradient_booster"`
		Param struct {
			BaseScore  text `json:"base_score"`
			NumClass   text `json:"num_class"`
			NumFeature text `json:"num_feature"`
			NumTarget  text `json:"num_target"`
		} `json:"learner_model_param"`
		Objective struct {
			Name string `json:"name"`
		} `json:"objective"`
	} `json:"learner"`
}

func (f *modelFile) ensemble() (*Ensemble, error) {
	l := &f.Learner
	if l.Booster.Name != "gbtree" {
		return nil, fmt.Errorf("booster is %q, not gbtree", l.Booster.Name)
	}
	if !knownObjective(l.Objective.Name) {
		return nil, fmt.Errorf("objective is %q, not %s", l.Objective.Name, SquaredError)
	}
	for _, outputs := range []text{l.Param.NumClass, l.Param.NumTarget} { // 1.x may leave them out
		if outputs != "" && outputs != "0" && outputs != "1" {
			return nil, fmt.Errorf("it has %s outputs, where one is supported", outputs)
		}
	}
	features, err := l.Param.NumFeature.count("num_feature")
	if err != nil {
		return nil, err
	}
	trees, err := l.Booster.Model.Param.NumTrees.count("num_trees")
	if err != nil {
		return nil, err
	}
	if have := len(l.Booster.Model.Trees); trees != have {
		return nil, fmt.Errorf("num_trees is %d, but there are %d", trees, have)
	}
	for _, group := range l.Booster.Model.TreeInfo {
		if group != 0 {
			return nil, fmt.Errorf("tree_info has output %d, where one is supported", group)
		}
	}
	// XGBoost 3 writes a vector: "[5E-1]".
	base, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(string(l.Param.BaseScore), "["), "]"), 32)
	if err != nil || math.IsNaN(base) || math.IsInf(base, 0) {
		return nil, fmt.Errorf("base_score %q is not a number", l.Param.BaseScore)
	}
	e := &Ensemble{
		Trees: make([]Tree, 0, trees), BaseScore: float32(base), Features: features, BestIteration: -1,
		FeatureNames: l.FeatureNames, FeatureTypes: l.FeatureTypes,
	}
	for i := range l.Booster.Model.Trees {
		t, err := l.Booster.Model.Trees[i].tree(features)
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
		e.Trees = append(e.Trees, t)
	}
	if score, ok := l.Attributes["best_score"]; ok { // so early stopping was on
		if e.BestScore, err = strconv.ParseFloat(score, 64); err != nil {
			return nil, fmt.Errorf("attribute best_score %q is not a number", score)
		}
		if e.BestIteration, err = text(l.Attributes["best_iteration"]).count("attribute best_iteration"); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// treeFile is a tree as the format has it, an array for each field of a node.
type treeFile struct {
	BaseWeights     numbers[float32] `json:"base_weights"`
	DefaultLeft     numbers[int32]   `json:"default_left"`
	LeftChildren    numbers[int32]   `json:"left_children"`
	LossChanges     numbers[float32] `json:"loss_changes"`
	Parents         numbers[int32]   `json:"parents"`
	RightChildren   numbers[int32]   `json:"right_children"`
	SplitConditions numbers[float32] `json:"split_conditions"`
	SplitIndices    numbers[int32]   `json:"split_indices"`
	SplitType       numbers[int32]   `json:"split_type"`
	SumHessian      numbers[float32] `json:"sum_hessian"`
	Param           struct {
		NumNodes text `json:"num_nodes"`
	} `json:"tree_param"`
}

func (f *treeFile) tree(features int) (Tree, error) {
	count, err := f.Param.NumNodes.count("num_nodes")
	if err != nil {
		return Tree{}, err
	}
	if count == 0 {
		return Tree{}, fmt.Errorf("it has no nodes")
	}
	for _, a := range []struct {
		name string
		len  int
	}{
		{"base_weights", len(f.BaseWeights)}, {"default_left", len(f.DefaultLeft)},
		{"left_children", len(f.LeftChildren)}, {"loss_changes", len(f.LossChanges)},
		{"parents", len(f.Parents)}, {"right_children", len(f.RightChildren)},
		{"split_conditions", len(f.SplitConditions)}, {"split_indices", len(f.SplitIndices)},
		{"sum_hessian", len(f.SumHessian)},
	} {
		if a.len != count {
			return Tree{}, fmt.Errorf("num_nodes is %d, but %s has %d", count, a.name, a.len)
		}
	}
	for id, kind := range f.SplitType {
		if kind != 0 {
			return Tree{}, fmt.Errorf("node %d: categorical splits are not supported", id)
		}
	}
	t := Tree{Nodes: make([]Node, count)}
	for id := range t.Nodes {
		t.Nodes[id] = Node{
			Left: f.LeftChildren[id], Right: f.RightChildren[id], Parent: f.Parents[id],
			Feature: f.SplitIndices[id], Value: f.SplitConditions[id], DefaultLeft: f.DefaultLeft[id] != 0,
			Deleted:    f.SplitIndices[id] == deletedFeature,
			BaseWeight: f.BaseWeights[id], LossChange: f.LossChanges[id], SumHessian: f.SumHessian[id],
		}
		if t.Nodes[id].Parent == math.MaxInt32 {
			t.Nodes[id].Parent = -1
		}
	}
	return t, t.check(features)
}

// check walks t from its root and finds what no tree can have.
func (t *Tree) check(features int) error {
	count := int32(len(t.Nodes))
	if t.Nodes[0].Parent != -1 {
		return fmt.Errorf("node 0 has parent %d, but is the root", t.Nodes[0].Parent)
	}
	seen := make([]bool, count)
	stack := []int32{0}
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := &t.Nodes[id]
		if seen[id] || n.Deleted {
			return fmt.Errorf("node %d: deleted, or the child of two", id)
		}
		seen[id] = true
		if n.Left == -1 && n.Right == -1 {
			continue
		}
		if n.Feature < 0 || int(n.Feature) >= features {
			return fmt.Errorf("node %d: feature %d is not below num_feature %d", id, n.Feature, features)
		}
		for _, child := range []int32{n.Left, n.Right} {
			if child <= 0 || child >= count {
				return fmt.Errorf("node %d: child %d is out of range", id, child)
			}
			if t.Nodes[child].Parent != id {
				return fmt.Errorf("node %d: its child %d says its parent is %d", id, child, t.Nodes[child].Parent)
			}
			stack = append(stack, child)
		}
	}
	for id := range t.Nodes {
		n := &t.Nodes[id]
		if seen[id] {
			continue
		}
		if !n.Deleted {
			return fmt.Errorf("node %d: cannot be reached", id)
		}
		if n.Left != -1 || n.Right != -1 || n.Parent < 0 || n.Parent >= count {
			return fmt.Errorf("node %d: deleted, but has children, or no parent", id)
		}
	}
	return nil
}

// text is a scalar, which the format writes as a string; a bare one will do.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(strings.Trim(string(b), `"`))
	return nil
}

func (t text) count(name string) (int, error) {
	n, err := strconv.ParseInt(string(t), 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s %q is not a count", name, string(t))
	}
	return int(n), nil
}

// numbers is an array of numbers; booleans, which old files have, count as 0
// and 1. It reads them itself because encoding/json is slow at it.
type numbers[T int32 | float32] []T

func (a *numbers[T]) UnmarshalJSON(b []byte) error {
	// b is valid JSON, so that a token which is not a number shows by its first byte.
	b = bytes.TrimSpace(b)
	if len(b) < 2 || b[0] != '[' {
		return fmt.Errorf("%.20q is not an array of numbers", b)
	}
	b = b[1 : len(b)-1]
	all := make([]T, 0, bytes.Count(b, []byte(","))+1)
	for rest := b; len(bytes.TrimSpace(rest)) > 0; {
		token, after, _ := bytes.Cut(rest, []byte(","))
		rest = after
		v, err := number[T](string(bytes.TrimSpace(token)))
		if err != nil {
			return err
		}
		all = append(all, v)
	}
	*a = all
	return nil
}

func number[T int32 | float32](s string) (T, error) {
	switch s {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	var zero T
	if _, ints := any(zero).(int32); ints {
		n, err := strconv.ParseInt(s, 10, 32)
		return T(n), err
	}
	f, err := strconv.ParseFloat(s, 32)
	return T(f), err
}
