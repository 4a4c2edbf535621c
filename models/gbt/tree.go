package gbt

import (
	"cmp"
	"math"
	"slices"
)

// Ensemble is a fitted or loaded model: the sum of a base score and of what
// each tree says. It is read-only once made and may be used concurrently.
type Ensemble struct {
	Trees     []Tree
	BaseScore float32
	Features  int // columns of the matrices it reads

	// BestIteration is the round, from 0, after which the last evaluation set's
	// rmse was lowest, and BestScore that rmse. Both are recorded only where
	// early stopping was on; else BestIteration is -1 and BestScore 0.
	// Predictions use every tree whatever they say, as XGBoost's Booster does.
	BestIteration int
	BestScore     float64

	// What a loaded file says beside, and Write writes again; nil and 0 in a fitted
	// model. That of 3.x may also hold what pandas calls its categories, which is
	// not kept: here they are the numbers that trees know.
	Attributes                 map[string]string // Booster.attributes()
	FeatureNames, FeatureTypes []string          // one a feature, or none
	Parallel                   int               // num_parallel_tree: trees a round; 0 is 1
}

// Tree is a binary decision tree. Its first node is the root.
type Tree struct {
	Nodes []Node

	// Categories are those of categorical splits, by ascending node. Fit makes
	// none; they come from files.
	Categories []Categories
}

// Categories are the categories that go right at a node.
type Categories struct {
	Node   int32
	Values []int32 // ascending
}

// Node is one node of a tree, in XGBoost's numbering and terms. A row that has
// a value for Feature goes left if the value is less than Value, else right (at
// a node with Categories, if it is none of them); one that has none goes left if DefaultLeft, else right.
type Node struct {
	Left, Right int32   // children; -1 in a leaf
	Parent      int32   // -1 at the root
	Feature     int32   // matrix column
	Value       float32 // the threshold; in a leaf, what it adds to a prediction
	DefaultLeft bool
	Deleted     bool // pruned away; only its numbers remain

	BaseWeight float32 // the node's own best answer, before the learning rate
	LossChange float32 // what its split gains
	SumHessian float32 // sum of the weights of its rows
}

// Leaf tells whether n has no children.
func (n *Node) Leaf() bool { return n.Left < 0 }

// Entry is one stored value of a sparse row.
type Entry struct {
	Feature int32
	Value   float32
}

// PredictRow returns the prediction for one row given as its stored values: 1
// at the column of each one-hot level it has, and its numbers, NaN being the
// same as absent. It allocates nothing.
func (e *Ensemble) PredictRow(row []Entry) float32 {
	sum := e.BaseScore
	for i := range e.Trees {
		// As XGBoost's cpu_predictor.cc, PredictByAllTrees: in float32, in order.
		sum = float32(sum + e.Trees[i].leaf(row))
	}
	return sum
}

// leaf walks row down the tree and returns its leaf's value.
func (t *Tree) leaf(row []Entry) float32 {
	n, id := &t.Nodes[0], int32(0)
	for n.Left >= 0 {
		left := n.DefaultLeft
		for _, e := range row {
			if e.Feature == n.Feature && e.Value == e.Value {
				left = e.Value < n.Value
				if t.Categories != nil {
					left = t.left(id, n, e.Value)
				}
				break
			}
		}
		id = n.Right
		if left {
			id = n.Left
		}
		n = &t.Nodes[id]
	}
	return n.Value
}

// left tells whether a value goes left at a node of a tree with categories, as
// XGBoost's categorical.h, Decision: a value is cut down to a category, and one
// that can be no category goes left.
func (t *Tree) left(id int32, n *Node, value float32) bool {
	right := t.categories(id)
	if right == nil {
		return value < n.Value
	}
	if value < 0 || value >= maxCategory {
		return true
	}
	_, found := slices.BinarySearch(right, int32(value))
	return !found
}

// categories returns the categories that go right at a node, nil if its split
// is by a threshold.
func (t *Tree) categories(id int32) []int32 {
	i, found := slices.BinarySearchFunc(t.Categories, id, func(c Categories, id int32) int { return cmp.Compare(c.Node, id) })
	if !found {
		return nil
	}
	return t.Categories[i].Values
}

// maxCategory: categories are those that a float32 holds exactly, as XGBoost's
// categorical.h, OutOfRangeCat.
const maxCategory = 1 << 24

// prune turns the splits that gain less than gamma into leaves, from the
// bottom up, as XGBoost's updater_prune.cc, DoPrune and TryPruneLeaf: a node is
// pruned when both its children are leaves, and stays pruned.
func (t *Tree) prune(gamma, eta float32) {
	for id := range t.Nodes {
		n := &t.Nodes[id]
		for n.Leaf() && !n.Deleted && n.Parent >= 0 {
			up := &t.Nodes[n.Parent]
			l, r := &t.Nodes[up.Left], &t.Nodes[up.Right]
			if !l.Leaf() || !r.Leaf() || !(up.LossChange < gamma) {
				break
			}
			l.remove()
			r.remove()
			up.Left, up.Right = -1, -1
			up.Value = float32(eta * up.BaseWeight)
			n = up
		}
	}
}

// deletedFeature and DefaultLeft mark a pruned node in XGBoost's file, see
// tree_model.h, RegTree::Node::MarkDelete.
const deletedFeature = math.MaxInt32

func (n *Node) remove() {
	n.Deleted, n.Feature, n.DefaultLeft = true, deletedFeature, true
}
