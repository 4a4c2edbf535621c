// Package models holds what is trained, saved, loaded and served: a regressor
// together with the vectorizer it was trained on, and its MLflow model
// directory. It does not know how a regressor is fitted, nor where directories
// are kept.
package models

import (
	"errors"
	"fmt"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// Kinds of regressor.
const (
	Linear = "linear"
	GBT    = "gbt"
)

// Model predicts the minutes that rides last. It is read-only once made and
// may be used by many goroutines.
type Model struct {
	Kind       string // Linear or GBT
	Encoding   features.Encoding
	Vectorizer *matrix.Vectorizer

	// Exactly one is set, as Kind says.
	Linear *linear.Model
	Trees  *gbt.Ensemble

	compiled *compiled                // of Trees; nil in a Model that was not made by New… or read
	contents func() (contents, error) // of the files; nil: not prepared
}

// NewLinear returns the model of a fitted linear regressor. It is an error
// when the regressor reads another number of columns than v makes.
func NewLinear(e features.Encoding, v *matrix.Vectorizer, m *linear.Model) (*Model, error) {
	return checked(&Model{Kind: Linear, Encoding: e, Vectorizer: v, Linear: m})
}

// NewGBT returns the model of fitted trees; see NewLinear.
func NewGBT(e features.Encoding, v *matrix.Vectorizer, trees *gbt.Ensemble) (*Model, error) {
	return checked(&Model{Kind: GBT, Encoding: e, Vectorizer: v, Trees: trees})
}

func checked(m *Model) (*Model, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	m.compiled = &compiled{}
	return m, nil
}

// check tells whether the parts are there and belong together.
func (m *Model) check() error {
	if _, err := features.ParseEncoding(string(m.Encoding)); err != nil {
		return err
	}
	if m.Vectorizer == nil {
		return errors.New("model has no vectorizer")
	}
	var columns int
	switch {
	case m.Kind == Linear && m.Linear != nil && m.Trees == nil:
		columns = len(m.Linear.Weights)
	case m.Kind == GBT && m.Trees != nil && m.Linear == nil:
		columns = m.Trees.Features
	default:
		return fmt.Errorf("model of kind %q has linear %t, trees %t: want exactly the one of its kind",
			m.Kind, m.Linear != nil, m.Trees != nil)
	}
	if columns != m.Vectorizer.Width() {
		return fmt.Errorf("model reads %d columns, its vectorizer makes %d", columns, m.Vectorizer.Width())
	}
	// That the encoding is the one the vectorizer was fitted on shows in a
	// transform of no rides.
	if _, err := m.Vectorizer.Transform(features.FromRides(m.Encoding, nil)); err != nil {
		return fmt.Errorf("vectorizer is not for features %q: %w", m.Encoding, err)
	}
	return nil
}

// Predict writes the minutes predicted for each row of x, which m.Vectorizer
// made, to out, which is as long as x has rows. Where XGBoost loads the saved
// model, it predicts the same float32s. Trees are compiled at first use.
func (m *Model) Predict(x *matrix.Matrix, out []float32) {
	if m.Kind == Linear {
		m.Linear.Predict(x, out)
		return
	}
	if m.compiled == nil {
		m.Trees.Predict(x, out)
		return
	}
	m.ready().predictor.Predict(x, out)
}

// PredictRides writes the minutes predicted for each ride to out, which must
// be as long. Few rides it predicts without allocating, once trees are compiled
// (see gbt.Predictor) and the zones were seen before.
func (m *Model) PredictRides(rides []features.Ride, out []float32) error {
	if len(rides) != len(out) {
		return fmt.Errorf("predict %d rides into %d places", len(rides), len(out))
	}
	if len(rides) <= fewRides {
		done := 0
		for done < len(rides) && m.ride(rides[done], &out[done]) {
			done++
		}
		rides, out = rides[done:], out[done:]
		if len(rides) == 0 {
			return nil
		}
	}
	x, err := m.Vectorizer.Transform(features.FromRides(m.Encoding, rides))
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	m.Predict(x, out)
	return nil
}

// String says what the model is, such as "gbt, 100 trees on PU_DO, 13221 columns".
func (m *Model) String() string {
	what := string(m.Kind)
	switch {
	case m.Linear != nil && m.Linear.Solver != "":
		what += ", " + string(m.Linear.Solver)
	case m.Trees != nil:
		what += fmt.Sprintf(", %d trees", len(m.Trees.Trees))
	}
	if m.Vectorizer != nil {
		what += fmt.Sprintf(" on %s, %d columns", m.Encoding, m.Vectorizer.Width())
	}
	return what
}
