package gbt

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t testing.TB, model string) *Ensemble {
	t.Helper()
	e, err := ReadJSON(strings.NewReader(model))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stump is a model with one split: feature 1 below 2.5 or absent left, else right.
const stump = `{"learner":{"attributes":{},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{` +
	`"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1","size_leaf_vector":"0"},"tree_info":[0],"trees":[{` +
	`"base_weights":[0E0,-1E0,1E0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],` +
	`"default_left":[1,0,0],"id":0,"left_children":[1,-1,-1],"loss_changes":[9E0,0E0,0E0],"parents":[2147483647,0,0],` +
	`"right_children":[2,-1,-1],"split_conditions":[2.5E0,-1E-1,1E-1],"split_indices":[1,0,0],"split_type":[0,0,0],` +
	`"sum_hessian":[8E0,4E0,4E0],"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"3","size_leaf_vector":"0"}}]},` +
	`"name":"gbtree"},"learner_model_param":{"base_score":"5E-1","boost_from_average":"0","num_class":"0","num_feature":"2",` +
	`"num_target":"1"},"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[1,7,6]}`

func TestReadWhatXGBoostWrote(t *testing.T) {
	files, err := filepath.Glob("testdata/small-*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		model, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := written(t, read(t, string(model))); !bytes.Equal(got, model) {
			t.Errorf("%s is written again as\n%s\nwant\n%s", name, got, model)
		}
	}
}

func TestReadOtherSpellings(t *testing.T) {
	for name, change := range map[string][2]string{
		"base score of 3.x":     {`"base_score":"5E-1"`, `"base_score":"[5E-1]"`},
		"booleans of 1.0":       {`"default_left":[1,0,0]`, `"default_left":[true,false,false]`},
		"bare scalars":          {`"num_nodes":"3"`, `"num_nodes":3`},
		"old name of objective": {`reg:squarederror`, `reg:linear`},
		"keys of 3.x":           {`"name":"gbtree"`, `"cats":{"enc":[]},"iteration_indptr":[0,1],"name":"gbtree"`},
		"white space":           {`[0E0,-1E0,1E0]`, "[ 0E0 ,\n -1E0, 1E0 ]"},
		"no number of classes":  {`"num_class":"0",`, ``},
		"attributes of others":  {`"attributes":{}`, `"attributes":{"best_score":"of all","best_iteration":"0"}`},
		"half an early stop":    {`"attributes":{}`, `"attributes":{"best_score":"1.5"}`},
	} {
		model := strings.Replace(stump, change[0], change[1], 1)
		if model == stump {
			t.Fatalf("%s: nothing to change", name)
		}
		e := read(t, model)
		for x, want := range map[float32]float32{2: 0.4, 3: 0.6} {
			if got := e.PredictRow([]Entry{{1, x}}); got != want {
				t.Errorf("%s: %v is predicted %v, want %v", name, x, got, want)
			}
		}
		if got := e.PredictRow([]Entry{{0, 1}}); got != 0.4 {
			t.Errorf("%s: an absent value is predicted %v, want 0.4", name, got)
		}
		if e.BestIteration != -1 || e.Features != 2 {
			t.Errorf("%s: best iteration %d of %d features, want -1 of 2", name, e.BestIteration, e.Features)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range [][3]string{
		{`"name":"gbtree"`, `"name":"dart"`, `booster is "dart"`},
		{`reg:squarederror`, `binary:logistic`, `objective is "binary:logistic"`},
		{`"num_class":"0"`, `"num_class":"3"`, `3 outputs`},
		{`"tree_info":[0]`, `"tree_info":[2]`, `output 2`},
		{`"num_trees":"1"`, `"num_trees":"2000000000"`, `num_trees is 2000000000, but there are 1`},
		{`"num_trees":"1"`, `"num_trees":"-1"`, `num_trees "-1" is not a count`},
		{`"num_trees":"1"`, `"num_trees":{}`, `gbtree_model_param: num_trees: want a number at byte 153, have "{}`},
		{`"num_nodes":"3"`, `"num_nodes":"2147483647"`, `tree 0: num_nodes is 2147483647, but base_weights has 3`},
		{`"num_nodes":"3"`, `"num_nodes":"9999999999999"`, `is not a count`},
		{`"base_score":"5E-1"`, `"base_score":"[5E-1,5E-1]"`, `base_score "[5E-1,5E-1]" is not a number`},
		{`"base_score":"5E-1"`, `"base_score":"nan"`, `base_score "nan" is not a number`},
		{`"left_children":[1,-1,-1]`, `"left_children":[0,-1,-1]`, `tree 0: node 0: child 0 is out of range`},
		{`"left_children":[1,-1,-1]`, `"left_children":[3,-1,-1]`, `node 0: child 3 is out of range`},
		{`"left_children":[1,-1,-1]`, `"left_children":[2,-1,-1]`, `node 2: deleted, or the child of two`},
		{`"left_children":[1,-1,-1]`, `"left_children":[1,2,-1]`, `node 1: its child 2 says its parent is 0`},
		{`"left_children":[1,-1,-1]`, `"left_children":[-1,-1,-1]`, `node 0: child -1 is out of range`},
		{`"parents":[2147483647,0,0]`, `"parents":[2147483647,0,1]`, `child 2 says its parent is 1`},
		{`"parents":[2147483647,0,0]`, `"parents":[1,0,0]`, `node 0 has parent 1`},
		{`"split_indices":[1,0,0]`, `"split_indices":[2,0,0]`, `feature 2 is not below num_feature 2`},
		{`"split_indices":[1,0,0]`, `"split_indices":[-1,0,0]`, `feature -1`},
		{`"split_indices":[1,0,0]`, `"split_indices":[1,0]`, `split_indices has 2`},
		{`"split_type":[0,0,0]`, `"split_type":[1,0,0]`, `1 nodes are categorical, but 0 have categories`},
		{`[0E0,-1E0,1E0]`, `[0E0,-1E0,"x"]`, `base_weights: want a number`},
		{`[0E0,-1E0,1E0]`, `[0E0,-1E0,1E99]`, `out of range`},
		{`[0E0,-1E0,1E0]`, `[0E0,-1E0,0x1p3]`, `"0x1p3" is not a number`},
		{`[0E0,-1E0,1E0]`, `[0E0,-1E0,nan]`, `"nan" is not a number`},
		{`[0E0,-1E0,1E0]`, `[0E0,-1E0,]`, `want a number`},
		{`[2.5E0,-1E-1,1E-1]`, `[NaN,-1E-1,1E-1]`, `node 0: its threshold is not a number`},
		{`[2.5E0,-1E-1,1E-1]`, `[2.5E0,-1E-1,NaN]`, `node 2: its leaf is not a number`},
		{`"version":[1,7,6]`, `"version":` + strings.Repeat("[", 99), `nested too deep`},
		{`"version":[1,7,6]}`, `"version":[1,7,6]} {`, `want the end`},
		{`"split_type":[0,0,0]`, `"split_type":[2,0,0]`, `split_type 2 is not known`},
		{`"categories_nodes":[]`, `"categories_nodes":[0]`, `have 1, 0 and 0`},
		{`[0E0,-1E0,1E0]`, `[0E0,[-1E0],1E0]`, `want a number`},
		{`[0E0,-1E0,1E0]`, `{}`, `want '['`},
		{`"num_nodes":"3","size_leaf_vector":"0"`, `"num_nodes":"3","size_leaf_vector":"2"`, `tree 0: its leaves have 2 outputs`},
		{`"num_parallel_tree":"1"`, `"num_parallel_tree":"2"`, `num_parallel_tree is 2, but there are 1 trees`},
		{`"num_parallel_tree":"1"`, `"num_parallel_tree":"-1"`, `num_parallel_tree "-1" is not a count`},
		{`"version"`, ``, `want a string at byte`},
	} {
		model := strings.Replace(stump, c[0], c[1], 1)
		if model == stump {
			t.Fatalf("nothing to change for %s", c[1])
		}
		if _, err := ReadJSON(strings.NewReader(model)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: error is %v, want one with %q", c[1], err, c[2])
		}
	}
	for n := range len(stump) { // truncated anywhere
		if _, err := ReadJSON(strings.NewReader(stump[:n])); err == nil {
			t.Errorf("no error from the first %d bytes", n)
		}
	}
}

func TestWriteNames(t *testing.T) {
	e := read(t, stump)
	var b bytes.Buffer
	if err := e.WriteJSON(&b, []string{"PU_DO=43_151", "a \"b\"\\\n"}); err != nil {
		t.Fatal(err)
	}
	if want := `"feature_names":["PU_DO=43_151","a \"b\"\\\n"],"feature_types":["float","float"]`; !strings.Contains(b.String(), want) {
		t.Errorf("written %s, want %s in it", b.String(), want)
	}
	if got := read(t, b.String()).FeatureNames; got[1] != "a \"b\"\\\n" {
		t.Errorf("name is read back as %q", got[1])
	}
	if err := e.WriteJSON(&b, []string{"one"}); err == nil {
		t.Error("no error from one name for two features")
	}
}

// The spelling of numbers is XGBoost's, which the digests of whole files prove;
// these are the cases that are easily got wrong.
func TestFloatSpelling(t *testing.T) {
	for want, f := range map[string]float32{
		"-0E0": float32(math.Copysign(0, -1)),
		"0E0":  0, "1E0": 1, "-1E1": -10, "1.05E2": 105, "1.234567E7": 12345670, "1.6777215E7": 1<<24 - 1, "-1.6777216E7": -1 << 24, "2.147483E9": 2147483008,
		"5E-1": 0.5, "1.2E1": 12, "-9.536743E-7": indicator, "2.4414062E-4": 1.0 / 4096,
		"3.4028235E38": 3.4028235e38, "1E-45": 1e-45, "1.1754944E-38": 1.1754944e-38, "1.6777216E7": 1 << 24,
	} {
		var b bytes.Buffer
		e := Ensemble{BaseScore: f, BestIteration: -1}
		if err := e.WriteJSON(&b, nil); err != nil {
			t.Fatal(err)
		}
		if s := `"base_score":"` + want + `"`; !strings.Contains(b.String(), s) {
			t.Errorf("%v is written %s, want %s", f, b.String(), s)
		}
	}
}

// Scores are spelled as Python does.
func TestScoreSpelling(t *testing.T) {
	for want, score := range map[string]float64{
		"2.0": 2, "0.1": 0.1, "1e-05": 1e-5, "1e+16": 1e16, "6.459853135541221": 6.459853135541221, "0.0": 0, "inf": math.Inf(1), "nan": math.NaN(),
	} {
		var b bytes.Buffer
		e := Ensemble{BestScore: score, Trees: []Tree{{Nodes: []Node{{Left: -1, Right: -1, Parent: -1}}}}}
		if err := e.WriteJSON(&b, nil); err != nil {
			t.Fatal(err)
		}
		if s := `"best_score":"` + want + `"`; !strings.Contains(b.String(), s) {
			t.Errorf("%v is written %.90s, want %s", score, b.String(), s)
		}
		if back := read(t, b.String()).BestScore; back != score && score == score {
			t.Errorf("%v is read back as %v", score, back)
		}
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(stump))
	files, _ := filepath.Glob("testdata/small-*.json")
	for _, name := range files {
		model, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(model)
	}
	f.Fuzz(func(t *testing.T, model []byte) {
		e, err := ReadJSON(bytes.NewReader(model))
		if err != nil {
			return
		}
		row := []Entry{{0, 1}, {1, 2.5}}
		want := e.PredictRow(row)
		again := read(t, string(written(t, e)))
		if got := again.PredictRow(row); got != want && want == want {
			t.Errorf("read again it predicts %v, want %v", got, want)
		}
	})
}
