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

// zones is a month whose levels are spelt out as pairs of zones: two blocks, or
// two numbers, and the distance.
func zones(seed uint64, rows int, numbers bool) Set {
	const count = 115
	s := month(seed, rows)
	distance := s.X.Numbers[0].Values
	x := &matrix.Matrix{Rows: rows}
	for i, name := range []string{"from", "to"} {
		codes, values := make([]int32, rows), make([]float64, rows)
		for row, pair := range s.X.Blocks[0].Codes {
			codes[row] = []int32{pair / count, pair % count}[i]
			values[row] = float64(codes[row])
		}
		if numbers {
			x.Numbers = append(x.Numbers, matrix.Number{Name: name, Column: int32(i), Values: values})
			x.Width++
			continue
		}
		b := matrix.Block{Name: name, Levels: make([]string, count), Codes: codes}
		for range count {
			b.Columns = append(b.Columns, int32(x.Width))
			x.Width++
		}
		x.Blocks = append(x.Blocks, b)
	}
	x.Numbers = append(x.Numbers, matrix.Number{Name: "distance", Column: int32(x.Width), Values: distance})
	x.Width++
	s.X = x
	return s
}

func zoneBlocks(seed uint64, rows int) Set { return zones(seed, rows, false) }
func zoneIDs(seed uint64, rows int) Set    { return zones(seed, rows, true) }

// course is the parameters that the original project settled on.
var course = Params{
	LearningRate: 0.09585355369315604, MaxDepth: 30, MinChildWeight: 1.060597050922164,
	RegAlpha: 0.018060244040060163, RegLambda: 0.011658731377413597, BaseScore: 0.5, Rounds: 100,
}

// BenchmarkFit is a fit with a second month evaluated each round, by each engine.
func BenchmarkFit(b *testing.B) {
	for _, c := range []struct {
		name   string
		rows   int
		rounds int
		depth  int
		choose func(joined, rule, float32) engine
		draw   func(seed uint64, rows int) Set
	}{
		{"grid/rows=74k/rounds=100", 74_000, 100, 30, newGrid, month},
		{"grid/rows=1M/rounds=10", 1_000_000, 10, 30, newGrid, month},
		{"general/rows=74k/rounds=100", 74_000, 100, 30, general, month},
		{"general/zones/rows=74k/rounds=100", 74_000, 100, 30, general, zoneBlocks},
		{"general/ids/rows=74k/rounds=100/depth=10", 74_000, 100, 10, general, zoneIDs},
		{"general/ids/rows=74k/rounds=100", 74_000, 100, 30, general, zoneIDs},
	} {
		b.Run(c.name, func(b *testing.B) {
			train, valid := c.draw(1, c.rows), c.draw(2, c.rows*62/74)
			p := course
			p.Rounds, p.MaxDepth = c.rounds, c.depth
			b.ReportAllocs()
			for b.Loop() {
				if _, err := fitBy(context.Background(), train, []Set{valid}, p, nil, c.choose); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkGrid is the parts of a fit by the grid: what comes before the first
// tree, and a round.
func BenchmarkGrid(b *testing.B) {
	for _, c := range []struct {
		name string
		rows int
	}{{"rows=74k", 74_000}, {"rows=1M", 1_000_000}} {
		train, valid := month(1, c.rows), month(2, c.rows*62/74)
		r := newRule(course)
		setUp := func(b *testing.B) engine {
			rows, err := joinRows(train, []Set{valid})
			if err != nil {
				b.Fatal(err)
			}
			return newGrid(rows, r, 0.5)
		}
		b.Run("set-up/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				setUp(b).close()
			}
		})
		b.Run("round/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			g := setUp(b)
			defer g.close()
			for b.Loop() {
				t := g.grow()
				t.prune(r.gamma, r.eta)
				g.add(t)
			}
		})
	}
}

func BenchmarkPredict(b *testing.B) {
	train, all := month(1, 74_000), month(2, 136_000)
	x := all.X
	e, err := Fit(context.Background(), train, nil, course, nil)
	if err != nil {
		b.Fatal(err)
	}
	out := make([]float32, x.Rows)
	rows := func(name string, predict func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				predict()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(x.Rows), "ns/row")
		})
	}
	p := e.Compile(x)
	rows("trees", func() { e.Predict(x, out) })
	rows("first", func() { e.Compile(x).Predict(x, out) })
	p.Predict(x, out)
	rows("again", func() { p.Predict(x, out) })
	b.Run("trees/alone", func(b *testing.B) {
		b.ReportAllocs()
		var row []Entry
		for i := 0; b.Loop(); i++ {
			row = appendRow(row[:0], x, i%x.Rows)
			e.PredictRow(row)
		}
	})
	b.Run("again/alone", func(b *testing.B) {
		b.ReportAllocs()
		codes, values := x.Blocks[0].Codes, x.Numbers[0].Values
		for i := 0; b.Loop(); i++ {
			row := i % x.Rows
			p.PredictRow(codes[row:row+1], values[row:row+1])
		}
	})
}
