package pipeline

import (
	"context"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
)

// Month is a month of rides that are kept, and of which file they are.
type Month struct {
	MonthFacts
	Trips *data.Trips
}

// MonthFacts are a month without its rides. They are stored in its place: the
// file's hash says what the rides are.
type MonthFacts struct {
	File     data.File    `json:"file"`
	RowsRead int          `json:"rows_read"`
	RowsKept int          `json:"rows_kept"`
	Dropped  data.Dropped `json:"dropped"`
}

// Split is what models are fitted on: two months as design matrices of the
// vectorizer that was fitted on the first.
type Split struct {
	Encoding     features.Encoding
	Vectorizer   *matrix.Vectorizer
	Train, Valid Part
}

// Part is one month of a Split.
type Part struct {
	MonthFacts
	X       *matrix.Matrix
	Minutes []float64 // the label
}

// splitFacts are a Split without its matrices, from which it can be made again.
type splitFacts struct {
	Encoding features.Encoding `json:"encoding"`
	Train    MonthFacts        `json:"train"`
	Valid    MonthFacts        `json:"valid"`
}

// rawSplit is a Split before its files are read.
type rawSplit struct {
	Train, Valid data.File
	Encoding     features.Encoding
}

func newRawSplit(train, valid data.File, e features.Encoding) rawSplit {
	return rawSplit{train, valid, e}
}

// locate is not cached: it is how a changed file is noticed. due is when the
// training was.
func (f *Flows) locate(p TrainParams, due time.Time) engine.Task[MonthRef, data.File] {
	return engine.Task[MonthRef, data.File]{
		Name:  "Locate month",
		Retry: networkRetry,
		Func: func(ctx context.Context, m MonthRef) (data.File, error) {
			if m.File != "" {
				return data.OpenFile(m.File)
			}
			file, err := f.Months.Locate(ctx, m.Taxi, m.Month)
			return file, p.putOff(err, due, time.Now())
		},
	}
}

// preprocess reads both months at once and turns them into matrices.
var preprocess = engine.Flow[rawSplit, Split]{
	Name: "preprocess",
	Func: func(c *engine.Ctx, raw rawSplit) (engine.Arg[Split], error) {
		train := readTrips.Keyed("train").Submit(c, engine.Val(raw.Train))
		valid := readTrips.Keyed("valid").Submit(c, engine.Val(raw.Valid))
		fitted := fitVectorizer.Submit(c, engine.Join2(train, engine.Val(raw.Encoding), newVectorizerInput))
		return transform.Submit(c, engine.Join3(train, valid, fitted, newTransformInput)), nil
	},
}

var readTrips = engine.Task[data.File, Month]{
	Name:    "Read taxi data",
	Cache:   cached,
	Timeout: 10 * time.Minute,
	Codec:   engine.Recipe("month/1", func(m Month) MonthFacts { return m.MonthFacts }, cookMonth),
	Func:    readMonth,
}

func readMonth(ctx context.Context, file data.File) (Month, error) {
	all, err := data.ReadTrips(ctx, file)
	if err != nil {
		return Month{}, err
	}
	kept, dropped := all.Kept()
	return Month{MonthFacts{file, all.Len(), kept.Len(), dropped}, kept}, nil
}

func cookMonth(ctx context.Context, m MonthFacts) (Month, error) { return readMonth(ctx, m.File) }

type vectorizerInput struct {
	Month    Month
	Encoding features.Encoding
}

func newVectorizerInput(m Month, e features.Encoding) vectorizerInput { return vectorizerInput{m, e} }

// encoder is a fitted vectorizer and the encoding of the columns it knows.
type encoder struct {
	Encoding   features.Encoding  `json:"encoding"`
	Vectorizer *matrix.Vectorizer `json:"vectorizer"`
}

var fitVectorizer = engine.Task[vectorizerInput, encoder]{
	Name:  "Fit vectorizer",
	Cache: cached,
	Func: func(_ context.Context, in vectorizerInput) (encoder, error) {
		v, err := features.Fit(in.Encoding, in.Month.Trips)
		return encoder{in.Encoding, v}, err
	},
}

type transformInput struct {
	Train, Valid Month
	Encoder      encoder
}

func newTransformInput(train, valid Month, e encoder) transformInput {
	return transformInput{train, valid, e}
}

var transform = engine.Task[transformInput, Split]{
	Name:  "Transform",
	Cache: cached,
	Codec: engine.Recipe("split/1",
		func(s Split) splitFacts { return splitFacts{s.Encoding, s.Train.MonthFacts, s.Valid.MonthFacts} }, cookSplit),
	Func: func(_ context.Context, in transformInput) (Split, error) { return in.split() },
}

func (in transformInput) split() (Split, error) {
	var train, valid Part
	err := atOnce(
		func() (err error) { train, err = in.Encoder.part(in.Train); return err },
		func() (err error) { valid, err = in.Encoder.part(in.Valid); return err },
	)
	return Split{in.Encoder.Encoding, in.Encoder.Vectorizer, train, valid}, err
}

func (e encoder) part(m Month) (Part, error) {
	x, err := e.Vectorizer.Transform(features.FromTrips(e.Encoding, m.Trips))
	if err != nil {
		return Part{}, err
	}
	minutes := make([]float64, m.Trips.Len())
	for i := range minutes {
		minutes[i] = m.Trips.Minutes(i)
	}
	return Part{m.MonthFacts, x, minutes}, nil
}

// encode makes a Split of further columns from files that were read before.
var encode = engine.Task[rawSplit, Split]{
	Name:  "Encode",
	Cache: cached,
	Codec: transform.Codec,
	Func:  func(ctx context.Context, raw rawSplit) (Split, error) { return raw.split(ctx) },
}

// cookSplit makes a Split again from the files it was made of.
func cookSplit(ctx context.Context, s splitFacts) (Split, error) {
	return rawSplit{s.Train.File, s.Valid.File, s.Encoding}.split(ctx)
}

// split does all that preprocess does.
func (raw rawSplit) split(ctx context.Context) (Split, error) {
	var train, valid Month
	err := atOnce(
		func() (err error) { train, err = readMonth(ctx, raw.Train); return err },
		func() (err error) { valid, err = readMonth(ctx, raw.Valid); return err },
	)
	if err != nil {
		return Split{}, err
	}
	v, err := features.Fit(raw.Encoding, train.Trips)
	if err != nil {
		return Split{}, err
	}
	return transformInput{train, valid, encoder{raw.Encoding, v}}.split()
}
