package xgbfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// SquaredError is the objective of the models that are read.
const SquaredError = "reg:squarederror"

// IsSquaredError tells whether an objective is squared error by either of its
// names: reg:linear is what XGBoost called it before 0.90.
func IsSquaredError(objective string) bool {
	return objective == SquaredError || objective == "reg:linear"
}

// Learner is what a model file says whatever its booster.
type Learner struct {
	Booster                    string            // "gbtree" or "gblinear"
	Attributes                 map[string]string // what Booster.attributes() shows; never nil
	FeatureNames, FeatureTypes []string          // one a feature or none; never nil if the file has them
	Features                   int
	BaseScore                  float32 // finite
}

// ReadLearner reads a file in JSON or UBJSON, as XGBoost 1.x to 3.x write it: a
// booster of that name for one squared-error target. Anything else is an error
// that says what it is. The booster's own model is read by model, which is
// called when it comes by; a file may have none, or several, of which the last
// counts.
func ReadLearner(file []byte, booster string, model func(Decoder) error) (Learner, error) {
	l := Learner{Attributes: map[string]string{}}
	var objective, baseScore, features, classes, targets string
	d := NewDecoder(file)
	type fields = map[string]func() error
	object := func(f fields) func() error { return func() error { return Members(d, f) } }
	err := Members(d, fields{"learner": object(fields{
		"attributes": func() error {
			return d.Object(func(key string) (err error) {
				l.Attributes[key], err = d.Text()
				return err
			})
		},
		"feature_names": Texts(d, &l.FeatureNames),
		"feature_types": Texts(d, &l.FeatureTypes),
		"gradient_booster": object(fields{
			"name":  Text(d, &l.Booster),
			"model": func() error { return model(d) },
		}),
		"learner_model_param": object(fields{
			"base_score":  Text(d, &baseScore),
			"num_class":   Text(d, &classes),
			"num_feature": Text(d, &features),
			"num_target":  Text(d, &targets),
		}),
		"objective": object(fields{"name": Text(d, &objective)}),
	})})
	if err == nil {
		err = d.End()
	}
	if err != nil {
		return l, err
	}
	if l.Booster != booster {
		return l, fmt.Errorf("booster is %q, not %s", l.Booster, booster)
	}
	if !IsSquaredError(objective) {
		return l, fmt.Errorf("objective is %q, not %s", objective, SquaredError)
	}
	for _, outputs := range []string{classes, targets} { // 0 classes mean a regression; 1.x may leave both out
		if outputs != "" && outputs != "0" && outputs != "1" {
			return l, fmt.Errorf("it has %s outputs, where one is supported", outputs)
		}
	}
	if l.Features, err = Count("num_feature", features); err != nil {
		return l, err
	}
	// XGBoost 3 writes a vector: "[5E-1]".
	base, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(baseScore, "["), "]"), 32)
	if err != nil || math.IsNaN(base) || math.IsInf(base, 0) {
		return l, fmt.Errorf("base_score %q is not a number", baseScore)
	}
	l.BaseScore = float32(base)
	return l, nil
}

// Count is the whole number that a file gives, as a text, for what name says;
// it is neither negative nor beyond an int32.
func Count(name, value string) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s %q is not a count", name, value)
	}
	return int(n), nil
}
