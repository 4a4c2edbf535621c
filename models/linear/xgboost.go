package linear

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
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

// file is the part of XGBoost's JSON that a gblinear model needs.
type file struct {
	Learner struct {
		Attributes      map[string]string `json:"attributes"`
		GradientBooster struct {
			Name  string `json:"name"`
			Model struct {
				Weights []float32 `json:"weights"`
			} `json:"model"`
		} `json:"gradient_booster"`
		ModelParam struct {
			BaseScore  string `json:"base_score"`
			NumClass   string `json:"num_class"`
			NumFeature string `json:"num_feature"`
			NumTarget  string `json:"num_target"`
		} `json:"learner_model_param"`
		Objective struct {
			Name string `json:"name"`
		} `json:"objective"`
	} `json:"learner"`
}

// ReadJSON reads a gblinear model for squared error that WriteJSON or XGBoost
// (1.7 to 3.x) wrote. Any other file is an error that says what it is.
func ReadJSON(r io.Reader) (*Model, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	m, err := f.model()
	if err != nil {
		return nil, fmt.Errorf("read linear model: %w", err)
	}
	return m, nil
}

func (f *file) model() (*Model, error) {
	l := &f.Learner
	if l.GradientBooster.Name != "gblinear" {
		return nil, fmt.Errorf("booster is %q, want %q", l.GradientBooster.Name, "gblinear")
	}
	switch l.Objective.Name {
	case "reg:squarederror", "reg:linear":
	default:
		return nil, fmt.Errorf("objective is %q, want %q", l.Objective.Name, "reg:squarederror")
	}
	// XGBoost writes 0 classes for a regression, and since 1.6 one target.
	if c := l.ModelParam.NumClass; c != "" && c != "0" && c != "1" {
		return nil, fmt.Errorf("it has %s classes", c)
	}
	if c := l.ModelParam.NumTarget; c != "" && c != "1" {
		return nil, fmt.Errorf("it has %s targets", c)
	}
	columns, err := strconv.Atoi(l.ModelParam.NumFeature)
	if err != nil {
		return nil, fmt.Errorf("num_feature: %w", err)
	}
	weights := l.GradientBooster.Model.Weights
	if columns < 0 || len(weights) != columns+1 {
		return nil, fmt.Errorf("%d weights for %d features, want one each and the bias", len(weights), columns)
	}
	m := &Model{Bias: weights[columns], Weights: weights[:columns:columns]}
	// XGBoost 3 writes "[5E-1]" where 1.7 writes "5E-1".
	text := strings.TrimSuffix(strings.TrimPrefix(l.ModelParam.BaseScore, "["), "]")
	base, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return nil, fmt.Errorf("base_score: %w", err)
	}
	m.BaseScore = float32(base)
	if err := m.checkFinite(); err != nil {
		return nil, err
	}
	if solver := Solver(l.Attributes[solverAttribute]); slices.Contains(solvers, solver) {
		m.Solver = solver
		if solver.Penalised() {
			if m.Alpha, err = strconv.ParseFloat(l.Attributes[alphaAttribute], 64); err != nil {
				return nil, fmt.Errorf("attribute %s: %w", alphaAttribute, err)
			}
		}
		if m.Iterations, err = strconv.Atoi(l.Attributes[iterationsAttribute]); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", iterationsAttribute, err)
		}
	}
	return m, nil
}
