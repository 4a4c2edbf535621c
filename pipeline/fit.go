package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// Fit is a fitted model with what was measured of it.
type Fit struct {
	FitFacts
	Model *models.Model
}

// FitFacts are a Fit without the model.
type FitFacts struct {
	Kind          string             `json:"kind"`   // "linear" or "gbt"
	Name          string             `json:"name"`   // of the tracked run: "linear", "trial-1"
	Params        map[string]any     `json:"params"` // as logged
	Train         MonthFacts         `json:"train"`
	Valid         MonthFacts         `json:"valid"`
	Metrics       map[string]float64 `json:"metrics"`         // as logged
	Curves        Curves             `json:"curves,omitzero"` // of boosted trees
	Began         time.Time          `json:"began"`
	Ended         time.Time          `json:"ended"`
	InferenceTime float64            `json:"inference_time"` // seconds a row, where many are predicted
	RMSETrain     float64            `json:"rmse_train"`
	RMSEValid     float64            `json:"rmse_valid"`
	// WorseThanMean says that always answering the mean of the training rides
	// would have had a smaller error on the others.
	WorseThanMean bool   `json:"worse_than_mean"`
	Error         string `json:"error,omitempty"` // why there is no model
}

// Curves are the RMSE after each round.
type Curves struct {
	Train []float64 `json:"train"`
	Valid []float64 `json:"valid"`
}

type baselineInput struct {
	Split  Split
	Params linear.Params
}

func newBaselineInput(s Split, p linear.Params) baselineInput { return baselineInput{s, p} }

var fitBaseline = engine.Task[baselineInput, Fit]{
	Name:  "Fit baseline",
	Cache: cached,
	Codec: engine.Bytes("fit/2", encodeFit, decodeFit),
	Func: func(ctx context.Context, in baselineInput) (Fit, error) {
		began := now()
		m, err := linear.Fit(ctx, in.Split.Train.X, in.Split.Train.Minutes, in.Params)
		if err != nil {
			return Fit{}, err
		}
		model, err := models.NewLinear(in.Split.Encoding, in.Split.Vectorizer, m)
		if err != nil {
			return Fit{}, err
		}
		train, valid := make([]float32, in.Split.Train.X.Rows), make([]float32, in.Split.Valid.X.Rows)
		m.Predict(in.Split.Train.X, train)
		m.Predict(in.Split.Valid.X, valid)
		fit := in.Split.measure(model, began, rmse(train, in.Split.Train.Minutes), rmse(valid, in.Split.Valid.Minutes))
		fit.Name = "linear"
		fit.Params = map[string]any{"model": "linear", "solver": string(in.Params.Solver), "encoding": string(in.Split.Encoding)}
		if in.Params.Solver.Penalised() {
			fit.Params["alpha"] = m.Alpha
		}
		return fit, nil
	},
}

type treesInput struct {
	Split Split
	Trial Trial
}

func newTreesInput(s Split, t Trial) treesInput { return treesInput{s, t} }

var fitTrees = engine.Task[treesInput, Fit]{
	Name:  "Fit trees",
	Cache: cached,
	Codec: engine.Bytes("fit/2", encodeFit, decodeFit),
	Func: func(ctx context.Context, in treesInput) (Fit, error) {
		began, params, task := now(), in.Trial.Params, engine.From(ctx)
		train := gbt.Set{Name: "train", X: in.Split.Train.X, Y: in.Split.Train.Minutes}
		valid := gbt.Set{Name: "valid", X: in.Split.Valid.X, Y: in.Split.Valid.Minutes}
		var curves Curves
		trees, err := gbt.Fit(ctx, train, []gbt.Set{train, valid}, params, func(r gbt.Round) error {
			curves.Train, curves.Valid = append(curves.Train, r.Metrics[0]), append(curves.Valid, r.Metrics[1])
			task.Progress("rounds", int64(r.Index+1), int64(params.Rounds))
			return nil
		})
		if err != nil {
			return Fit{}, err
		}
		model, err := models.NewGBT(in.Split.Encoding, in.Split.Vectorizer, trees)
		if err != nil {
			return Fit{}, err
		}
		model.Prepare() // to be logged
		last := len(trees.Trees) - 1
		fit := in.Split.measure(model, began, curves.Train[last], curves.Valid[last])
		fit.Name, fit.Params, fit.Curves = in.Trial.Key(), in.Trial.logged(), curves
		fit.Metrics["best_iteration"] = float64(trees.BestIteration)
		fit.Metrics["best_score"] = trees.BestScore
		return fit, nil
	},
}

// now is when something happened, for the record of it; it is no input of
// anything.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// measure returns the model with its errors on both months and its speed.
func (s Split) measure(m *models.Model, began time.Time, rmseTrain, rmseValid float64) Fit {
	fit := Fit{Model: m, FitFacts: FitFacts{
		Kind: m.Kind, Train: s.Train.MonthFacts, Valid: s.Valid.MonthFacts, Began: began,
		RMSETrain: rmseTrain, RMSEValid: rmseValid, InferenceTime: s.inferenceTime(m),
	}}
	fit.WorseThanMean = !(fit.RMSEValid <= linear.MeanRMSE(s.Train.Minutes, s.Valid.Minutes))
	fit.Metrics = map[string]float64{
		"rmse_train": fit.RMSETrain, "rmse_valid": fit.RMSEValid, "rmse": fit.RMSEValid,
		"inference_time": fit.InferenceTime, "unseen_rate": unseenRate(s.Valid.X),
	}
	fit.Ended = now()
	return fit
}

// inferenceTime is how long the model takes for a row, in seconds: the best of
// five passes over some rows of both months.
func (s Split) inferenceTime(m *models.Model) float64 {
	rows, took := 0, 0.0
	for _, part := range []Part{s.Train, s.Valid} {
		x := sample(part.X, 1024)
		out := make([]float32, x.Rows)
		m.Predict(x, out) // which compiles trees: that is not part of it
		best := time.Duration(math.MaxInt64)
		for range 5 {
			begin := time.Now()
			m.Predict(x, out)
			best = min(best, time.Since(begin))
		}
		rows, took = rows+x.Rows, took+best.Seconds()
	}
	return took / float64(rows)
}

// sample returns at most so many rows of x, evenly spread.
func sample(x *matrix.Matrix, most int) *matrix.Matrix {
	n := min(most, x.Rows)
	some := &matrix.Matrix{Rows: n, Width: x.Width}
	for _, b := range x.Blocks {
		b.Codes = spread(b.Codes, n)
		some.Blocks = append(some.Blocks, b)
	}
	for _, v := range x.Numbers {
		v.Values = spread(v.Values, n)
		some.Numbers = append(some.Numbers, v)
	}
	return some
}

func spread[T any](all []T, n int) []T {
	some := make([]T, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}

// rmse is the root of the mean squared error, in float64.
func rmse(predicted []float32, minutes []float64) float64 {
	var sum float64
	for i, p := range predicted {
		d := float64(p) - minutes[i]
		sum += float64(d * d) // the same on every machine
	}
	return math.Sqrt(sum / float64(len(minutes)))
}

// unseenRate is the share of rows with a category that training never saw.
func unseenRate(x *matrix.Matrix) float64 {
	unseen := 0
	for row := range x.Rows {
		for _, b := range x.Blocks {
			if b.Codes[row] < 0 {
				unseen++
				break
			}
		}
	}
	return float64(unseen) / float64(x.Rows)
}

// encodeFit writes the facts as JSON, their length before them, and then the
// model.
func encodeFit(f Fit) ([]byte, error) {
	facts, err := json.Marshal(f.FitFacts)
	if err != nil {
		return nil, err
	}
	return models.EncodeAfter(append(binary.LittleEndian.AppendUint32(nil, uint32(len(facts))), facts...), f.Model)
}

func decodeFit(b []byte) (f Fit, err error) {
	if len(b) < 4 {
		return f, errors.New("a stored fit is cut short")
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n > len(b)-4 {
		return f, errors.New("a stored fit is cut short")
	}
	if err := json.NewDecoder(bytes.NewReader(b[4 : 4+n])).Decode(&f.FitFacts); err != nil {
		return f, fmt.Errorf("read a stored fit: %w", err)
	}
	f.Model, err = models.Decode(b[4+n:])
	return f, err
}
