package linear

import (
	"bytes"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// The file and the predictions are XGBoost's own.
func TestPredictsWhatXGBoostDoes(t *testing.T) {
	ref := readReference(t).GBLinear
	m, err := Read(bytes.NewReader(ref.Model))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := problemOf(t, ref.problem)
	out := make([]float32, x.Rows)
	m.Predict(x, out)
	for row, p := range out {
		if got := math.Float32bits(p); got != ref.Bits[row] {
			t.Errorf("row %d: predicted %v, want %v", row, p, math.Float32frombits(ref.Bits[row]))
		}
	}
}

func TestPredictAddsInOrderOfColumns(t *testing.T) {
	// The number's column comes first, though numbers are kept after blocks.
	x := &matrix.Matrix{
		Rows: 1, Width: 2,
		Blocks:  []matrix.Block{{Name: "b", Levels: []string{"x"}, Columns: []int32{1}, Codes: []int32{0}}},
		Numbers: []matrix.Number{{Name: "a", Column: 0, Values: []float64{1}}},
	}
	m := &Model{Weights: []float32{1 << 24, 1}, Bias: -(1 << 24)}
	out := make([]float32, 1)
	m.Predict(x, out)
	if out[0] != 1 {
		t.Errorf("predicted %v, want 1: (bias + a) + b", out[0])
	}
}

func TestRoundTrip(t *testing.T) {
	for _, m := range []*Model{
		{BaseScore: 0.5, Bias: 26.423096, Weights: []float32{12, -3.0846e-05, 0, 1e-45, math.MaxFloat32}, Solver: LSQR, Iterations: 27},
		{Weights: []float32{}, Solver: Exact},
		{Bias: 1, Weights: []float32{2}},
	} {
		var first, second bytes.Buffer
		if err := m.WriteJSON(&first); err != nil {
			t.Fatal(err)
		}
		back, err := Read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, m) {
			t.Errorf("read %+v, wrote %+v", back, m)
		}
		if err := back.WriteJSON(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("bytes changed: %s, then %s", &first, &second)
		}
	}
}

const small = `{"learner":{"attributes":{},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{"boosted_rounds":1,"weights":[1.2E1,5E-1]},"name":"gblinear"},"learner_model_param":{"base_score":"0E0","boost_from_average":"0","num_class":"0","num_feature":"1","num_target":"1"},"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[1,7,6]}`

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{small[100:], "", "cut short"},
		{small, "", "cut short"},
		{small, "[]", "want '{'"},
		{`"gblinear"`, `"gbtree"`, `booster is "gbtree"`},
		{`reg:squarederror`, `binary:logistic`, `objective is "binary:logistic"`},
		{`"num_class":"0"`, `"num_class":"3"`, "3 outputs"},
		{`"num_target":"1"`, `"num_target":"2"`, "2 outputs"},
		{`"num_feature":"1"`, `"num_feature":"9"`, "2 weights for 9 features"},
		{`"num_feature":"1"`, `"num_feature":"-1"`, `num_feature "-1" is not a count`},
		{`"weights":[1.2E1,5E-1]`, `"weights":[]`, "0 weights for 1 features"},
		{`"num_feature":"1"`, `"num_feature":""`, "num_feature"},
		{`"base_score":"0E0"`, `"base_score":"x"`, "base_score"},
		{`"base_score":"0E0"`, `"base_score":"nan"`, `base_score "nan" is not a number`},
		{`1.2E1`, `1E99`, "1E99"},
		{`"attributes":{}`, `"attributes":{"solver":"lsqr","iterations":"x"}`, "attribute iterations"},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		if text == small {
			t.Fatalf("%q is not in the file", c.old)
		}
		m, err := Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s to %s: got %v, %v, want an error with %q", c.old, c.new, m, err, c.want)
		}
	}
}

func TestReadRefusesNothing(t *testing.T) {
	text := strings.NewReplacer(`[1.2E1,5E-1]`, `[]`, `"num_feature":"1"`, `"num_feature":"-1"`).Replace(small)
	if m, err := Read(strings.NewReader(text)); err == nil {
		t.Errorf("read %+v from a file with no bias", m)
	}
}

func TestReadVersions(t *testing.T) {
	text := strings.Replace(small, `"base_score":"0E0"`, `"base_score":"[1.5E0]"`, 1)
	m, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if m.BaseScore != 1.5 || m.Bias != 0.5 || !slices.Equal(m.Weights, []float32{12}) {
		t.Errorf("read %+v", m)
	}
}

func TestWriteJSONRefusesNaN(t *testing.T) {
	err := (&Model{Weights: []float32{1, float32(math.NaN())}}).WriteJSON(new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "weight 1 is NaN") {
		t.Errorf("error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	for _, version := range []string{"1.7.6", "3.2.0"} {
		model, err := os.ReadFile("testdata/formats/" + version + ".ubj")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(model)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := m.WriteJSON(&out); err != nil {
			t.Fatalf("write what was read: %v", err)
		}
		back, err := Read(&out)
		if err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("read %+v, then %+v, %v", m, back, err)
		}
	})
}
