package xgbfile

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// learner is a whole file, but for the booster's model.
const learner = `{"learner":{"attributes":{"note":"a \"b\"","best_score":"1.5"},"feature_names":["x","y"],"feature_types":[],` +
	`"gradient_booster":{"model":{"weights":[1,2]},"name":"gblinear"},"learner_model_param":{"base_score":"5E-1","num_class":"0",` +
	`"num_feature":"2","num_target":"1"},"objective":{"name":"reg:squarederror"}},"version":[1,7,6]}`

func readLearner(file string) (Learner, []float32, error) {
	var weights []float32
	l, err := ReadLearner([]byte(file), "gblinear", func(d Decoder) error {
		return Members(d, map[string]func() error{"weights": Floats(d, &weights)})
	})
	return l, weights, err
}

func TestReadLearner(t *testing.T) {
	for _, change := range [][2]string{
		{}, {`"5E-1"`, `"[5E-1]"`}, {`"num_class":"0",`, ``}, {`,"num_target":"1"`, ``}, {`"num_target":"1"`, `"num_target":"0"`},
		{`squarederror`, `linear`}, {`{"model":{"weights":[1,2]},`, `{"model":{"weights":[7]},"model":{"weights":[1,2]},`},
	} {
		l, weights, err := readLearner(strings.Replace(learner, change[0], change[1], 1))
		if err != nil {
			t.Errorf("%s: %v", change[1], err)
			continue
		}
		if l.Booster != "gblinear" || l.Features != 2 || l.BaseScore != 0.5 || !slices.Equal(l.FeatureNames, []string{"x", "y"}) ||
			l.FeatureTypes == nil || len(l.FeatureTypes) != 0 || !maps.Equal(l.Attributes, map[string]string{"note": `a "b"`, "best_score": "1.5"}) {
			t.Errorf("%s: read %+v", change[1], l)
		}
		if !slices.Equal(weights, []float32{1, 2}) {
			t.Errorf("%s: weights are %v", change[1], weights)
		}
	}
	l, _, err := readLearner(strings.Replace(learner, `"attributes":{"note":"a \"b\"","best_score":"1.5"},"feature_names":["x","y"],"feature_types":[],`, ``, 1))
	if err != nil || l.Attributes == nil || l.FeatureNames != nil || l.FeatureTypes != nil {
		t.Errorf("without attributes and names: %+v, %v", l, err)
	}
}

func TestReadLearnerRefuses(t *testing.T) {
	for _, c := range [][3]string{
		{`"gblinear"`, `"gbtree"`, `booster is "gbtree", not gblinear`},
		{`squarederror`, `gamma`, `objective is "reg:gamma", not reg:squarederror`},
		{`"num_class":"0"`, `"num_class":"3"`, `it has 3 outputs`},
		{`"num_target":"1"`, `"num_target":"2"`, `it has 2 outputs`},
		{`"num_feature":"2"`, `"num_feature":"2147483648"`, `num_feature "2147483648" is not a count`},
		{`"num_feature":"2",`, ``, `num_feature "" is not a count`},
		{`"5E-1"`, `"[5E-1,1]"`, `base_score "[5E-1,1]" is not a number`},
		{`"5E-1"`, `"inf"`, `base_score "inf" is not a number`},
		{`"5E-1"`, `"1E39"`, `base_score "1E39" is not a number`},
		{`[1,2]`, `[1,"x"]`, `learner: gradient_booster: model: weights: want a number`},
		{`"version"`, `} "version"`, `want a string`},
		{`[1,7,6]}`, `[1,7,6]}}`, `want the end`},
	} {
		file := strings.Replace(learner, c[0], c[1], 1)
		if file == learner {
			t.Fatalf("nothing to change for %s", c[1])
		}
		if _, _, err := readLearner(file); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: error is %v, want one with %q", c[1], err, c[2])
		}
	}
}
