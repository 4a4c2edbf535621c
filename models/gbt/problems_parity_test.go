//go:build parity

package gbt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/taximeter/taximeter/features/matrix"
)

// small is a random problem of a few rows.
type small struct {
	name        string
	train       Set
	valid       Set
	params      Params
	estimates   bool // base_score is left to XGBoost, which takes the mean since 2.0
	bothEngines bool
}

// draw makes the problem of a seed. All that a fit can meet comes up in some of
// them: no block or several, a number that stands first, missing values and
// levels, ties, columns that are constant, empty or twice there, numbers as close
// and as small as float32 has them, both zeros, a single row, rows of weight 0,
// labels that are all the same, and every parameter at its ends.
func draw(seed int) small {
	r := rand.New(rand.NewPCG(uint64(seed), 76))
	pick := func(of ...float64) float64 { return of[r.IntN(len(of))] }
	shape := [][2]int{{1, 1}, {1, 1}, {1, 1}, {2, 1}, {1, 2}, {3, 2}, {0, 1}, {0, 4}, {2, 0}, {1, 0}}[seed%10]
	depth := int(pick(0, 1, 3, 6, 30, 64))
	levels := make([]int, shape[0])
	for i := range levels {
		levels[i] = int(pick(1, 2, 9, 40, 300))
	}
	numberFirst := r.IntN(2) == 0
	kinds := make([]string, shape[1])
	for i := range kinds {
		kinds[i] = []string{"rounded", "rounded", "continuous", "holes", "few", "zeros", "constant", "marks", "close", "tiny", "wide", "empty", "again"}[r.IntN(13)]
		if (kinds[i] == "close" || kinds[i] == "tiny") && depth == 0 {
			kinds[i] = "few" // see search.parts: without a limit we do not do as XGBoost does
		}
	}
	effects := make([][]float64, len(levels))
	for b, n := range levels {
		for range n {
			effects[b] = append(effects[b], 4*r.NormFloat64())
		}
	}
	none, weighted, label := pick(0, 0, 0.1, 0.9), r.IntN(4) == 0, r.IntN(6)
	set := func(rows int) Set {
		x := &matrix.Matrix{Rows: rows}
		y := make([]float64, rows)
		addNumbers := func() {
			for i, kind := range kinds {
				n := matrix.Number{Column: int32(x.Width), Values: make([]float64, rows)}
				for row := range n.Values {
					n.Values[row] = value(r, kind)
					if kind == "again" && i > 0 {
						n.Values[row] = x.Numbers[i-1].Values[row]
					}
					if v := n.Values[row]; v == v {
						y[row] += math.Mod(v, 10)*float64(2-i) + math.Sin(3*v)
					}
				}
				x.Numbers = append(x.Numbers, n)
				x.Width++
			}
		}
		if numberFirst {
			addNumbers()
		}
		for b, n := range levels {
			block := matrix.Block{Levels: make([]string, n), Codes: make([]int32, rows)}
			for range n {
				block.Columns = append(block.Columns, int32(x.Width))
				x.Width++
			}
			for row := range block.Codes {
				code := int32(float64(n) * math.Pow(r.Float64(), 3))
				if r.Float64() < none {
					code = -1
				} else {
					y[row] += effects[b][code]
				}
				block.Codes[row] = code
			}
			x.Blocks = append(x.Blocks, block)
		}
		if !numberFirst {
			addNumbers()
		}
		s := Set{X: x, Y: y}
		for i := range y {
			switch v := 8 + y[i] + r.NormFloat64(); label {
			case 0:
				y[i] = math.Round(16*v) / 16
			case 1:
				y[i] = math.Round(60*v) / 60 // minutes
			case 2:
				y[i] = v
			case 3:
				y[i] = math.Round(v / 8)
			case 4: // so small that float32 has no more digits for less
				y[i] = math.Round(v) * 1e-30
			default: // nothing to learn
				y[i] = 7.25
			}
			if weighted {
				s.Weights = append(s.Weights, pick(0, 0.3, 1, 1, 2.5))
			}
		}
		return s
	}
	rows := 2 + r.IntN(500)
	if r.IntN(12) == 0 {
		rows = 1 + r.IntN(3)
	}
	p := small{train: set(rows), valid: set(1 + r.IntN(150))}
	if weighted {
		p.train.Weights[0], p.valid.Weights[0] = 1, 1
	}
	p.params = Params{
		LearningRate: pick(1e-6, 0.1, 0.3, 0.5, 1, 1.7), MaxDepth: depth, MinChildWeight: pick(0, 1e-9, 0.5, 1, 1.0000001, 1.0625, 3, 1e9),
		Gamma: pick(0, 0, 0.5, 8, 1e30), RegAlpha: pick(0, 1e-9, 0.018060244040060163, 0.75, 1e9), RegLambda: pick(0, 0, 0.011658731377413597, 1, 1e30),
		BaseScore: pick(0.5, 0, -3.75, 9.25), Rounds: int(pick(1, 4, 12)), EarlyStopping: int(pick(0, 0, 1, 2)),
	}
	if r.IntN(3) == 0 { // as a search proposes them
		p.params.LearningRate, p.params.MinChildWeight = math.Exp(-3*r.Float64()), math.Exp(4*r.Float64()-1)
		p.params.RegAlpha, p.params.RegLambda = math.Exp(12*r.Float64()-13), math.Exp(12*r.Float64()-13)
	}
	if p.estimates = seed%3 == 0; p.estimates {
		p.params.BaseScore = math.NaN()
	}
	p.bothEngines = shape == [2]int{1, 1} && !slices.Contains(p.train.Weights, 0)
	p.name = fmt.Sprintf("seed %d: %d rows, levels %v, numbers %v, weights %t, %+v", seed, rows, levels, kinds, weighted, p.params)
	return p
}

// value draws a number of a kind.
func value(r *rand.Rand, kind string) float64 {
	if share := map[string]float64{"holes": 0.3, "marks": 0.5, "close": 0.1, "empty": 1}[kind]; r.Float64() < share {
		return math.NaN()
	}
	switch kind {
	case "few":
		return float64(r.IntN(3))
	case "zeros":
		return []float64{0, math.Copysign(0, -1), 1, -1}[r.IntN(4)]
	case "tiny": // denormal
		return math.Copysign(float64(math.Float32frombits(uint32(r.IntN(40)))), r.NormFloat64())
	case "constant", "marks": // XGBoost takes those for the columns of levels
		return 2.5
	case "close": // neighbours among the float32s
		return float64(math.Float32frombits(math.Float32bits(1) + uint32(r.IntN(6))))
	case "wide":
		return math.Copysign(math.Exp(80*r.Float64()-40), r.NormFloat64())
	case "continuous":
		return r.NormFloat64()
	}
	return math.Round(10*math.Exp(r.NormFloat64()))/10 - 0.5
}

// settings are the parameters for a version of XGBoost: 1.x does not take the
// mean of the labels by itself.
func (p *small) settings(version string) Params {
	q := p.params
	if p.estimates && strings.HasPrefix(version, "1.") {
		q.BaseScore = float64(baseScore(math.NaN(), p.train))
	}
	return q
}

// forXGBoost is the problem as fit_problems.py reads it.
func (p *small) forXGBoost(version string) map[string]any {
	q := p.settings(version)
	params := map[string]any{
		"learning_rate": q.LearningRate, "max_depth": q.MaxDepth, "min_child_weight": q.MinChildWeight, "gamma": q.Gamma,
		"reg_alpha": q.RegAlpha, "reg_lambda": q.RegLambda,
	}
	if q.BaseScore == q.BaseScore {
		params["base_score"] = q.BaseScore
	}
	if q.MaxDepth == 0 { // exact has no other way to say that there is no limit
		params["max_depth"] = 1000
	}
	var sets []map[string]any
	for _, s := range []Set{p.train, p.valid} {
		starts, columns, values := []int{0}, []int32{}, []float64{}
		for row := range s.X.Rows {
			columns, values = s.X.AppendRow(row, columns, values)
			starts = append(starts, len(columns))
		}
		sets = append(sets, map[string]any{"starts": starts, "columns": columns, "values": values, "y": s.Y, "weights": s.Weights})
	}
	return map[string]any{"params": params, "rounds": q.Rounds, "early_stopping": q.EarlyStopping, "width": p.train.X.Width, "sets": sets}
}
