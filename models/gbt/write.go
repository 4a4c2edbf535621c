package gbt

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
)

// Format says how a model file is spelled. The zero Format is JSON as XGBoost
// 1.7 writes it, without names.
type Format struct {
	// UBJSON is the binary format, which XGBoost expects in files named .ubj,
	// as it does JSON in .json.
	UBJSON bool

	// XGBoost3 is the spelling of 3.x, which 1.7 does not read. That of 1.7 is
	// read by both.
	XGBoost3 bool

	// Names are the model's feature names: one a feature, or none at all. (A
	// Booster that has names refuses a DMatrix that has none.) Those of a loaded
	// file keep their types; others are of type float.
	Names []string
}

// Write writes e as Booster.save_model writes what xgb.train made or load_model
// loaded, byte for byte, in the spelling of XGBoost 1.7.6 or 3.2.0; but that
// boost_from_average, which means nothing to who loads a model, is always 0.
func (e *Ensemble) Write(w io.Writer, f Format) error {
	out := &output{w: w}
	if err := e.writeTo(out, f); err != nil {
		return err
	}
	out.flush()
	if out.err != nil {
		return fmt.Errorf("write model: %w", out.err)
	}
	return nil
}

// Append appends to b what Write writes.
func (e *Ensemble) Append(b []byte, f Format) ([]byte, error) {
	out := &output{buf: slices.Grow(b, e.size(f))}
	err := e.writeTo(out, f)
	return out.buf, err
}

// size is about how many bytes a file takes.
func (e *Ensemble) size(f Format) int {
	nodes := 0
	for i := range e.Trees {
		nodes += len(e.Trees[i].Nodes)
	}
	each := 60 // bytes a node
	if f.UBJSON {
		each = 34
	}
	return 1<<10 + len(e.Trees)<<10 + nodes*each
}

func (e *Ensemble) writeTo(out *output, f Format) error {
	if len(f.Names) != 0 && len(f.Names) != e.Features {
		return fmt.Errorf("write model: %d names for %d features", len(f.Names), e.Features)
	}
	var to encoder = &jsonWriter{output: out}
	if f.UBJSON {
		to = &ubjWriter{output: out}
	}
	e.write(to, out, f)
	return nil
}

// WriteJSON writes e as JSON that XGBoost 1.7 and 3.x read; see Format.
func (e *Ensemble) WriteJSON(w io.Writer, names []string) error {
	return e.Write(w, Format{Names: names})
}

// encoder writes the values of a file one after the other, in either format.
// Lists of numbers are written by a function of the index.
type encoder interface {
	open()
	close()
	key(name string)
	text(s string)
	int(n int)
	list(n int, element func(i int))
	floats(n int, f func(i int) float32)
	ints(n int, f func(i int) int32)
	longs(n int, f func(i int) int32) // for UBJSON: as 64 bits
	bytes(n int, f func(i int) int32) // for UBJSON: as 8 bits
}

// output is what both formats write to.
type output struct {
	w   io.Writer // nil: it all stays in buf
	buf []byte
	err error // the first of w
}

func (o *output) flush() {
	if o.err == nil {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

func (e *Ensemble) write(to encoder, out *output, f Format) {
	pair := func(key, value string) { to.key(key); to.text(value) }
	texts := func(key string, all []string) {
		to.key(key)
		to.list(len(all), func(i int) { to.text(all[i]) })
	}
	features, trees := strconv.Itoa(e.Features), strconv.Itoa(len(e.Trees))
	to.open()
	to.key("learner")
	to.open()
	to.key("attributes")
	to.open()
	e.writeAttributes(pair, f)
	to.close()
	types := e.FeatureTypes
	if types == nil || !slices.Equal(f.Names, e.FeatureNames) {
		types = slices.Repeat([]string{"float"}, len(f.Names))
	}
	parallel := max(e.Parallel, 1)
	texts("feature_names", f.Names)
	texts("feature_types", types)
	to.key("gradient_booster")
	to.open()
	to.key("model")
	to.open()
	if f.XGBoost3 {
		to.key("cats")
		to.open()
		texts("enc", nil)
		to.key("feature_segments")
		to.ints(0, nil)
		to.key("sorted_idx")
		to.ints(0, nil)
		to.close()
	}
	to.key("gbtree_model_param")
	to.open()
	pair("num_parallel_tree", strconv.Itoa(parallel))
	pair("num_trees", trees)
	if !f.XGBoost3 {
		pair("size_leaf_vector", "0")
	}
	to.close()
	if f.XGBoost3 {
		to.key("iteration_indptr")
		to.list(len(e.Trees)/parallel+1, func(i int) { to.int(i * parallel) })
	}
	to.key("tree_info")
	to.list(len(e.Trees), func(int) { to.int(0) })
	to.key("trees")
	to.list(len(e.Trees), func(i int) {
		e.Trees[i].write(to, i, features, f.XGBoost3)
		if out.w != nil && len(out.buf) > 1<<16 {
			out.flush()
		}
	})
	to.close()
	pair("name", "gbtree")
	to.close()
	to.key("learner_model_param")
	to.open()
	base := string(appendFloat(nil, e.BaseScore))
	if f.XGBoost3 {
		base = "[" + base + "]"
	}
	pair("base_score", base)
	pair("boost_from_average", "0")
	pair("num_class", "0")
	pair("num_feature", features)
	pair("num_target", "1")
	to.close()
	to.key("objective")
	to.open()
	pair("name", SquaredError)
	to.key("reg_loss_param")
	to.open()
	pair("scale_pos_weight", "1")
	to.close()
	to.close()
	to.close()
	version := []int{1, 7, 6}
	if f.XGBoost3 {
		version = []int{3, 2, 0}
	}
	to.key("version")
	to.list(3, func(i int) { to.int(version[i]) })
	to.close()
}

// writeAttributes writes the attributes of a loaded model, or what xgb.train
// notes of early stopping.
func (e *Ensemble) writeAttributes(pair func(key, value string), f Format) {
	if e.Attributes != nil {
		for _, key := range slices.Sorted(maps.Keys(e.Attributes)) {
			pair(key, e.Attributes[key])
		}
		return
	}
	best := e.BestIteration
	if best < 0 {
		best = len(e.Trees) - 1
		if best < 0 || f.XGBoost3 {
			return
		}
		// Without early stopping, 1.7 calls the last round the best.
	}
	pair("best_iteration", strconv.Itoa(best))
	if !f.XGBoost3 {
		pair("best_ntree_limit", strconv.Itoa(best+1))
	}
	if e.BestIteration >= 0 {
		pair("best_score", pythonFloat(e.BestScore))
	}
}

func (t *Tree) write(to encoder, id int, features string, xgboost3 bool) {
	deleted := 0
	for i := range t.Nodes {
		if t.Nodes[i].Deleted {
			deleted++
		}
	}
	n, sets := len(t.Nodes), t.Categories
	var starts, values []int32
	for _, c := range sets {
		starts = append(starts, int32(len(values)))
		values = append(values, c.Values...)
	}
	vector := "0"
	if xgboost3 {
		vector = "1"
	}
	to.open()
	to.key("base_weights")
	to.floats(n, func(i int) float32 { return t.Nodes[i].BaseWeight })
	to.key("categories")
	to.ints(len(values), func(i int) int32 { return values[i] })
	to.key("categories_nodes")
	to.ints(len(sets), func(i int) int32 { return sets[i].Node })
	to.key("categories_segments")
	to.longs(len(sets), func(i int) int32 { return starts[i] })
	to.key("categories_sizes")
	to.longs(len(sets), func(i int) int32 { return int32(len(sets[i].Values)) })
	to.key("default_left")
	to.bytes(n, func(i int) int32 {
		if t.Nodes[i].DefaultLeft {
			return 1
		}
		return 0
	})
	to.key("id")
	to.int(id)
	to.key("left_children")
	to.ints(n, func(i int) int32 { return t.Nodes[i].Left })
	to.key("loss_changes")
	to.floats(n, func(i int) float32 { return t.Nodes[i].LossChange })
	to.key("parents")
	to.ints(n, func(i int) int32 { return t.Nodes[i].Parent & math.MaxInt32 }) // the root's -1 is 2147483647
	to.key("right_children")
	to.ints(n, func(i int) int32 { return t.Nodes[i].Right })
	to.key("split_conditions")
	to.floats(n, func(i int) float32 { return t.Nodes[i].Value })
	to.key("split_indices")
	to.ints(n, func(i int) int32 { return t.Nodes[i].Feature })
	to.key("split_type")
	to.bytes(n, func(i int) int32 {
		if len(sets) > 0 && sets[0].Node == int32(i) {
			sets = sets[1:]
			return 1
		}
		return 0
	})
	to.key("sum_hessian")
	to.floats(n, func(i int) float32 { return t.Nodes[i].SumHessian })
	to.key("tree_param")
	to.open()
	for _, p := range [][2]string{
		{"num_deleted", strconv.Itoa(deleted)}, {"num_feature", features},
		{"num_nodes", strconv.Itoa(n)}, {"size_leaf_vector", vector},
	} {
		to.key(p[0])
		to.text(p[1])
	}
	to.close()
	to.close()
}
