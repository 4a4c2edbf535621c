package gbt

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// WriteJSON writes e as XGBoost 1.7's Booster.save_model writes what xgb.train
// made to a .json file, byte for byte; XGBoost 3 reads it as well. It writes the names as the model's
// feature names; there must be one a feature, or none at all. (A Booster that has
// names refuses a DMatrix that has none.)
func (e *Ensemble) WriteJSON(w io.Writer, names []string) error {
	if len(names) != 0 && len(names) != e.Features {
		return fmt.Errorf("write model: %d names for %d features", len(names), e.Features)
	}
	j := &jsonWriter{w: w}
	j.raw(`{"learner":{"attributes":{`)
	if best := len(e.Trees) - 1; best >= 0 {
		// Without early stopping, 1.7's xgb.train calls the last round the best.
		if e.BestIteration >= 0 {
			best = e.BestIteration
		}
		j.raw(`"best_iteration":"` + strconv.Itoa(best) + `","best_ntree_limit":"` + strconv.Itoa(best+1) + `"`)
		if e.BestIteration >= 0 {
			j.raw(`,"best_score":"` + pythonFloat(e.BestScore) + `"`)
		}
	}
	j.raw(`},"feature_names":`)
	array(j, names, func(s *string) { j.string(*s) })
	j.raw(`,"feature_types":`)
	types := e.FeatureTypes
	if len(types) != len(names) {
		types = slices.Repeat([]string{"float"}, len(names))
	}
	array(j, types, func(s *string) { j.string(*s) })
	trees := strconv.Itoa(len(e.Trees))
	j.raw(`,"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"` + trees + `","size_leaf_vector":"0"},"tree_info":`)
	array(j, e.Trees, func(*Tree) { j.raw("0") })
	j.raw(`,"trees":[`)
	for i := range e.Trees {
		if i > 0 {
			j.raw(",")
		}
		e.Trees[i].write(j, i, e.Features)
		j.flush()
	}
	j.raw(`]},"name":"gbtree"},"learner_model_param":{"base_score":"`)
	j.float(e.BaseScore)
	j.raw(`","boost_from_average":"0","num_class":"0","num_feature":"` + strconv.Itoa(e.Features) + `","num_target":"1"},`)
	j.raw(`"objective":{"name":"` + SquaredError + `","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[1,7,6]}`)
	j.flush()
	if j.err != nil {
		return fmt.Errorf("write model: %w", j.err)
	}
	return nil
}

func (t *Tree) write(j *jsonWriter, id, features int) {
	deleted := 0
	for i := range t.Nodes {
		if t.Nodes[i].Deleted {
			deleted++
		}
	}
	floats := func(name string, f func(*Node) float32) {
		j.raw(`"` + name + `":`)
		array(j, t.Nodes, func(n *Node) { j.float(f(n)) })
		j.raw(",")
	}
	ints := func(name string, f func(*Node) int32) {
		j.raw(`"` + name + `":`)
		array(j, t.Nodes, func(n *Node) { j.int(f(n)) })
		j.raw(",")
	}
	j.raw("{")
	floats("base_weights", func(n *Node) float32 { return n.BaseWeight })
	j.raw(`"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],`)
	ints("default_left", func(n *Node) int32 {
		if n.DefaultLeft {
			return 1
		}
		return 0
	})
	j.raw(`"id":` + strconv.Itoa(id) + ",")
	ints("left_children", func(n *Node) int32 { return n.Left })
	floats("loss_changes", func(n *Node) float32 { return n.LossChange })
	ints("parents", func(n *Node) int32 { return n.Parent & math.MaxInt32 }) // the root's -1 is 2147483647
	ints("right_children", func(n *Node) int32 { return n.Right })
	floats("split_conditions", func(n *Node) float32 { return n.Value })
	ints("split_indices", func(n *Node) int32 { return n.Feature })
	ints("split_type", func(*Node) int32 { return 0 })
	floats("sum_hessian", func(n *Node) float32 { return n.SumHessian })
	j.raw(`"tree_param":{"num_deleted":"` + strconv.Itoa(deleted) + `","num_feature":"` + strconv.Itoa(features) +
		`","num_nodes":"` + strconv.Itoa(len(t.Nodes)) + `","size_leaf_vector":"0"}}`)
}

// jsonWriter writes the tokens of XGBoost's JSON, when it is flushed.
type jsonWriter struct {
	w   io.Writer
	buf []byte
	err error // the first of w
}

func (j *jsonWriter) flush() {
	if j.err == nil {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

func (j *jsonWriter) raw(s string) { j.buf = append(j.buf, s...) }

func (j *jsonWriter) int(n int32) { j.buf = strconv.AppendInt(j.buf, int64(n), 10) }

// float writes the shortest digits that read back as f, always with an
// exponent: XGBoost takes 12 for an integer and refuses it.
func (j *jsonWriter) float(f float32) {
	if f-f != 0 { // as XGBoost spells what no sensible fit has
		switch {
		case f > 0:
			j.raw("Infinity")
		case f < 0:
			j.raw("-Infinity")
		default:
			j.raw("NaN")
		}
		return
	}
	b := strconv.AppendFloat(j.buf, float64(f), 'E', -1, 32)
	e := len(b) - 4 // of E+00, as Go pads exponents; XGBoost does not
	if b[e-1]&1 == 1 && f*(1<<16) == float32(math.Trunc(float64(f*(1<<16)))) {
		// If f lies midway between two shortest answers, Go takes the greater one
		// and XGBoost the even one. Such a float has few binary places, and its
		// exact digits are the shortest and a 5.
		start := len(j.buf)
		exact := strconv.AppendFloat(make([]byte, 0, 32), float64(f), 'E', -1, 64)
		if len(exact) == len(b)-start+1 && exact[e-start] == '5' {
			b[e-1]--
		}
	}
	if b[e+2] == '0' {
		b = append(b[:e+2], b[e+3])
	}
	if b[e+1] == '+' {
		b = append(b[:e+1], b[e+2:]...)
	}
	j.buf = b
}

// string quotes s as JSON; bytes that are not UTF-8 become U+FFFD.
func (j *jsonWriter) string(s string) {
	j.buf = append(j.buf, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			j.buf = append(j.buf, '\\', byte(r))
		case r < ' ':
			j.buf = fmt.Appendf(j.buf, `\u%04x`, r)
		default:
			j.buf = utf8.AppendRune(j.buf, r)
		}
	}
	j.buf = append(j.buf, '"')
}

func array[T any](j *jsonWriter, all []T, write func(*T)) {
	j.buf = append(j.buf, '[')
	for i := range all {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		write(&all[i])
	}
	j.buf = append(j.buf, ']')
}

// pythonFloat is repr(f), which is how XGBoost's Python package writes scores.
func pythonFloat(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if f == math.Trunc(f) {
		s += ".0"
	}
	return s
}
