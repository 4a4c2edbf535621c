package linear

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

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
		if w-w != 0 { // which is all that most weights need
			return check("weight "+strconv.Itoa(i), w)
		}
	}
	return nil
}

// Read reads a gblinear model for squared error, in JSON or UBJSON, that WriteJSON
// or XGBoost (1.7 to 3.x) wrote. Any other file is an error that says what it is.
func Read(r io.Reader) (*Model, error) {
	file, err := xgbfile.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	var weights []float32
	l, err := xgbfile.ReadLearner(file, "gblinear", func(d xgbfile.Decoder) error {
		return xgbfile.Members(d, map[string]func() error{"weights": xgbfile.Floats(d, &weights)})
	})
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	m, err := model(l, weights)
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	return m, nil
}

func model(l xgbfile.Learner, weights []float32) (*Model, error) {
	n := l.Features
	if len(weights) != n+1 {
		return nil, fmt.Errorf("%d weights for %d features, want one each and the bias", len(weights), n)
	}
	m := &Model{BaseScore: l.BaseScore, Bias: weights[n], Weights: weights[:n:n]}
	if err := m.checkFinite(); err != nil {
		return nil, err
	}
	solver := Solver(l.Attributes[solverAttribute])
	if !slices.Contains(solvers, solver) {
		return m, nil
	}
	m.Solver = solver
	var err error
	if solver.Penalised() {
		if m.Alpha, err = strconv.ParseFloat(l.Attributes[alphaAttribute], 64); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", alphaAttribute, err)
		}
	}
	if m.Iterations, err = strconv.Atoi(l.Attributes[iterationsAttribute]); err != nil {
		return nil, fmt.Errorf("attribute %s: %w", iterationsAttribute, err)
	}
	return m, nil
}
