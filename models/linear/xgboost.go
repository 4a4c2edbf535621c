package linear

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/models/xgbfile"
)

// Names under which WriteJSON keeps how a model was fitted, among the
// attributes that XGBoost shows as Booster.attributes().
const (
	solverAttribute     = "solver"
	iterationsAttribute = "iterations"
	alphaAttribute      = "alpha" // of a solver with a penalty
)

// WriteJSON writes m as XGBoost 1.7 writes a gblinear model; later versions
// read it too. Equal models give equal bytes. No feature names are stored, so
// that XGBoost predicts for any matrix of the right width, named or not.
func (m *Model) WriteJSON(w io.Writer) error {
	if err := m.checkFinite(); err != nil {
		return fmt.Errorf("write linear model: %w", err)
	}
	b := []byte(`{"learner":{"attributes":{`)
	if m.Solver.Penalised() {
		b = append(b, `"`+alphaAttribute+`":"`...)
		b = strconv.AppendFloat(b, m.Alpha, 'g', -1, 64)
		b = append(b, `",`...)
	}
	if m.Solver != "" {
		b = append(b, `"`+iterationsAttribute+`":"`...)
		b = strconv.AppendInt(b, int64(m.Iterations), 10)
		b = append(b, `","`+solverAttribute+`":`...)
		b = strconv.AppendQuote(b, string(m.Solver))
	}
	b = append(b, `},"feature_names":[],"feature_types":[],"gradient_booster":{"model":{"boosted_rounds":1,"weights":[`...)
	for _, weight := range m.Weights {
		b = append(appendFloat(b, weight), ',')
	}
	b = appendFloat(b, m.Bias)
	b = append(b, `]},"name":"gblinear"},"learner_model_param":{"base_score":"`...)
	b = appendFloat(b, m.BaseScore)
	b = append(b, `","boost_from_average":"0","num_class":"0","num_feature":"`...)
	b = strconv.AppendInt(b, int64(len(m.Weights)), 10)
	b = append(b, `","num_target":"1"},"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[1,7,6]}`...)
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write linear model: %w", err)
	}
	return nil
}

// appendFloat writes the shortest number that reads back as v, always with an
// exponent: XGBoost takes 12 for an integer and refuses it.
func appendFloat(b []byte, v float32) []byte {
	return strconv.AppendFloat(b, float64(v), 'E', -1, 32)
}

func (m *Model) checkFinite() error {
	check := func(what string, v float32) error {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("%s is %v", what, v)
		}
		return nil
	}
	if err := errors.Join(check("bias", m.Bias), check("base score", m.BaseScore)); err != nil {
		return err
	}
	for i, w := range m.Weights {
		if err := check("weight "+strconv.Itoa(i), w); err != nil {
			return err
		}
	}
	return nil
}

// file is the part of XGBoost's format that a gblinear model needs.
type file struct {
	attributes                                  map[string]string
	booster, objective                          string
	weights                                     []float32
	baseScore, numClass, numFeature, numTargets string
}

// Read reads a gblinear model for squared error, in JSON or UBJSON, that WriteJSON
// or XGBoost (1.7 to 3.x) wrote. Any other file is an error that says what it is.
func Read(r io.Reader) (*Model, error) {
	data, err := xgbfile.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	f := file{attributes: map[string]string{}}
	if err := f.read(xgbfile.NewDecoder(data)); err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	m, err := f.model()
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	return m, nil
}

func (f *file) read(d xgbfile.Decoder) error {
	type fields = map[string]func() error
	object := func(f fields) func() error { return func() error { return xgbfile.Members(d, f) } }
	err := xgbfile.Members(d, fields{"learner": object(fields{
		"attributes": func() error {
			return d.Object(func(key string) (err error) {
				f.attributes[key], err = d.Text()
				return err
			})
		},
		"gradient_booster": object(fields{
			"name":  xgbfile.Text(d, &f.booster),
			"model": object(fields{"weights": xgbfile.Floats(d, &f.weights)}),
		}),
		"learner_model_param": object(fields{
			"base_score":  xgbfile.Text(d, &f.baseScore),
			"num_class":   xgbfile.Text(d, &f.numClass),
			"num_feature": xgbfile.Text(d, &f.numFeature),
			"num_target":  xgbfile.Text(d, &f.numTargets),
		}),
		"objective": object(fields{"name": xgbfile.Text(d, &f.objective)}),
	})})
	if err != nil {
		return err
	}
	return d.End()
}

func (f *file) model() (*Model, error) {
	if f.booster != "gblinear" {
		return nil, fmt.Errorf("booster is %q, want %q", f.booster, "gblinear")
	}
	switch f.objective {
	case "reg:squarederror", "reg:linear":
	default:
		return nil, fmt.Errorf("objective is %q, want %q", f.objective, "reg:squarederror")
	}
	// XGBoost writes 0 classes for a regression, and since 1.6 one target.
	if c := f.numClass; c != "" && c != "0" && c != "1" {
		return nil, fmt.Errorf("it has %s classes", c)
	}
	if c := f.numTargets; c != "" && c != "1" {
		return nil, fmt.Errorf("it has %s targets", c)
	}
	columns, err := strconv.Atoi(f.numFeature)
	if err != nil {
		return nil, fmt.Errorf("num_feature: %w", err)
	}
	weights := f.weights
	if columns < 0 || len(weights) != columns+1 {
		return nil, fmt.Errorf("%d weights for %d features, want one each and the bias", len(weights), columns)
	}
	m := &Model{Bias: weights[columns], Weights: weights[:columns:columns]}
	// XGBoost 3 writes "[5E-1]" where 1.7 writes "5E-1".
	text := strings.TrimSuffix(strings.TrimPrefix(f.baseScore, "["), "]")
	base, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return nil, fmt.Errorf("base_score: %w", err)
	}
	m.BaseScore = float32(base)
	if err := m.checkFinite(); err != nil {
		return nil, err
	}
	if solver := Solver(f.attributes[solverAttribute]); slices.Contains(solvers, solver) {
		m.Solver = solver
		if solver.Penalised() {
			if m.Alpha, err = strconv.ParseFloat(f.attributes[alphaAttribute], 64); err != nil {
				return nil, fmt.Errorf("attribute %s: %w", alphaAttribute, err)
			}
		}
		if m.Iterations, err = strconv.Atoi(f.attributes[iterationsAttribute]); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", iterationsAttribute, err)
		}
	}
	return m, nil
}
