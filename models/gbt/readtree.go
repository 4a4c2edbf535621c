package gbt

import (
	"fmt"
	"math"

	"github.com/taximeter/taximeter/models/xgbfile"
)

// treeFile is a tree as the format has it, an array for each field of a node.
type treeFile struct {
	numNodes, outputs                                      string
	left, right, parents, features, defaultLeft, splitType []int32
	conditions, baseWeights, lossChanges, sumHessian       []float32
	categories, catNodes, catSegments, catSizes            []int32
}

func readTree(d xgbfile.Decoder) (Tree, error) {
	var f treeFile
	err := xgbfile.Members(d, map[string]func() error{
		"base_weights":        xgbfile.Floats(d, &f.baseWeights),
		"categories":          xgbfile.Ints(d, &f.categories),
		"categories_nodes":    xgbfile.Ints(d, &f.catNodes),
		"categories_segments": xgbfile.Ints(d, &f.catSegments),
		"categories_sizes":    xgbfile.Ints(d, &f.catSizes),
		"default_left":        xgbfile.Ints(d, &f.defaultLeft),
		"left_children":       xgbfile.Ints(d, &f.left),
		"loss_changes":        xgbfile.Floats(d, &f.lossChanges),
		"parents":             xgbfile.Ints(d, &f.parents),
		"right_children":      xgbfile.Ints(d, &f.right),
		"split_conditions":    xgbfile.Floats(d, &f.conditions),
		"split_indices":       xgbfile.Ints(d, &f.features),
		"split_type":          xgbfile.Ints(d, &f.splitType),
		"sum_hessian":         xgbfile.Floats(d, &f.sumHessian),
		"tree_param": func() error {
			return xgbfile.Members(d, map[string]func() error{
				"num_nodes":        xgbfile.Text(d, &f.numNodes),
				"size_leaf_vector": xgbfile.Text(d, &f.outputs),
			})
		},
	})
	if err != nil {
		return Tree{}, err
	}
	return f.tree()
}

func (f *treeFile) tree() (Tree, error) {
	// 1.7 writes 0 where 3.x writes 1; multi_strategy=multi_output_tree is more.
	if f.outputs != "" && f.outputs != "0" && f.outputs != "1" {
		return Tree{}, fmt.Errorf("its leaves have %s outputs, where one is supported", f.outputs)
	}
	nodes, err := xgbfile.Count("num_nodes", f.numNodes)
	if err != nil {
		return Tree{}, err
	}
	if nodes == 0 {
		return Tree{}, fmt.Errorf("it has no nodes")
	}
	if f.splitType == nil { // before 1.3
		f.splitType = make([]int32, len(f.left))
	}
	for _, a := range []struct {
		name string
		len  int
	}{
		{"base_weights", len(f.baseWeights)}, {"default_left", len(f.defaultLeft)},
		{"left_children", len(f.left)}, {"loss_changes", len(f.lossChanges)},
		{"parents", len(f.parents)}, {"right_children", len(f.right)},
		{"split_conditions", len(f.conditions)}, {"split_indices", len(f.features)},
		{"split_type", len(f.splitType)}, {"sum_hessian", len(f.sumHessian)},
	} {
		if a.len != nodes {
			return Tree{}, fmt.Errorf("num_nodes is %d, but %s has %d", nodes, a.name, a.len)
		}
	}
	t := Tree{Nodes: make([]Node, nodes)}
	for id := range t.Nodes {
		t.Nodes[id] = Node{
			Left: f.left[id], Right: f.right[id], Parent: f.parents[id],
			Feature: f.features[id], Value: f.conditions[id], DefaultLeft: f.defaultLeft[id] != 0,
			Deleted:    f.features[id] == deletedFeature,
			BaseWeight: f.baseWeights[id], LossChange: f.lossChanges[id], SumHessian: f.sumHessian[id],
		}
		if t.Nodes[id].Parent == math.MaxInt32 {
			t.Nodes[id].Parent = -1
		}
	}
	return t, f.sets(&t)
}

// sets reads the categories of the nodes that have such, which the format
// keeps one after the other.
func (f *treeFile) sets(t *Tree) error {
	if len(f.catSegments) != len(f.catNodes) || len(f.catSizes) != len(f.catNodes) {
		return fmt.Errorf("categories_nodes, _segments and _sizes have %d, %d and %d", len(f.catNodes), len(f.catSegments), len(f.catSizes))
	}
	kinds := 0
	for id, kind := range f.splitType {
		if kind != 0 && kind != 1 {
			return fmt.Errorf("node %d: split_type %d is not known", id, kind)
		}
		kinds += int(kind)
	}
	if kinds != len(f.catNodes) {
		return fmt.Errorf("%d nodes are categorical, but %d have categories", kinds, len(f.catNodes))
	}
	last, at := int32(-1), 0
	for i, id := range f.catNodes {
		if id <= last || int(id) >= len(t.Nodes) || f.splitType[id] != 1 {
			return fmt.Errorf("categories_nodes: node %d is not the next categorical one", id)
		}
		last = id
		size := int(f.catSizes[i])
		if int(f.catSegments[i]) != at || size <= 0 || size > len(f.categories)-at {
			return fmt.Errorf("node %d: its %d categories from %d on are not there", id, size, f.catSegments[i])
		}
		c := Categories{Node: id, Values: f.categories[at : at+size : at+size]}
		at += size
		for j, v := range c.Values {
			if v < 0 || v >= maxCategory || j > 0 && v <= c.Values[j-1] {
				return fmt.Errorf("node %d: category %d is out of range or order", id, v)
			}
		}
		t.Categories = append(t.Categories, c)
	}
	if at != len(f.categories) {
		return fmt.Errorf("%d categories belong to no node", len(f.categories)-at)
	}
	return nil
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
			if n.Value != n.Value {
				return fmt.Errorf("node %d: its leaf is not a number", id)
			}
			continue
		}
		if n.Value != n.Value && t.categories(id) == nil {
			return fmt.Errorf("node %d: its threshold is not a number", id)
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
