package gbt

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// month is a synthetic problem of the shape of a month of green taxis: one
// block of 13,000 levels of very unequal size, and a rounded distance.
func month(seed uint64, rows int) Set {
	const levels = 13_000
	effects, r := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
	speed := make([]float64, levels)
	length := make([]float64, levels)
	for i := range levels {
		speed[i] = math.Exp(effects.NormFloat64() * 0.25)
		length[i] = math.Exp(effects.NormFloat64()*0.8 + 1)
	}
	s := Set{X: oneBlock(levels, make([]int32, rows)...), Y: make([]float64, rows)}
	n := matrix.Number{Name: "distance", Column: levels, Values: make([]float64, rows)}
	for i := range rows {
		code := int(levels * math.Pow(r.Float64(), 3))
		s.X.Blocks[0].Codes[i] = int32(code)
		n.Values[i] = math.Round(100*length[code]*math.Exp(r.NormFloat64()*0.3)) / 100
		s.Y[i] = min(60, max(1, 3+n.Values[i]*4*speed[code]*math.Exp(r.NormFloat64()*0.3)))
	}
	s.X.Numbers = []matrix.Number{n}
	s.X.Width++
	return s
}

// course is the parameters that the original project settled on.
var course = Params{
	LearningRate: 0.09585355369315604, MaxDepth: 30, MinChildWeight: 1.060597050922164,
	RegAlpha: 0.018060244040060163, RegLambda: 0.011658731377413597, BaseScore: 0.5, Rounds: 100,
}

// BenchmarkFit is a fit of 100 rounds, with a second month evaluated each round.
func BenchmarkFit(b *testing.B) {
	train, valid := month(1, 74_000), month(2, 62_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Fit(context.Background(), train, []Set{valid}, course, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPredict(b *testing.B) {
	train, all := month(1, 74_000), month(2, 136_000)
	for name, depth := range map[string]int{"depth=30": 30, "depth=100": 100} {
		p := course
		p.MaxDepth = depth
		e, err := Fit(context.Background(), train, nil, p, nil)
		if err != nil {
			b.Fatal(err)
		}
		out := make([]float32, all.X.Rows)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				e.Predict(all.X, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(out)), "ns/row")
		})
		b.Run(name+"/alone", func(b *testing.B) {
			var row []Entry
			for i := 0; b.Loop(); i++ {
				row = appendRow(row[:0], all.X, i%all.X.Rows)
				e.PredictRow(row)
			}
		})
	}
}
