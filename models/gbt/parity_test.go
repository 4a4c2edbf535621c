//go:build parity

package gbt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
// levels, ties, columns that are constant, empty or twice there, a single row,
// rows of weight 0, and every parameter.
func draw(seed int) small {
	r := rand.New(rand.NewPCG(uint64(seed), 76))
	pick := func(of ...float64) float64 { return of[r.IntN(len(of))] }
	shape := [][2]int{{1, 1}, {1, 1}, {1, 1}, {2, 1}, {1, 2}, {3, 2}, {0, 1}, {0, 4}, {2, 0}, {1, 0}}[seed%10]
	depth := int(pick(0, 1, 3, 6, 30))
	levels := make([]int, shape[0])
	for i := range levels {
		levels[i] = int(pick(1, 2, 9, 40, 300))
	}
	numberFirst := r.IntN(2) == 0
	kinds := make([]string, shape[1])
	for i := range kinds {
		kinds[i] = []string{"rounded", "rounded", "continuous", "holes", "few", "constant", "marks", "close", "wide", "empty", "again"}[r.IntN(11)]
		if kinds[i] == "close" && depth == 0 {
			kinds[i] = "few" // see search.parts: without a limit we do not do as XGBoost does
		}
	}
	effects := make([][]float64, len(levels))
	for b, n := range levels {
		for range n {
			effects[b] = append(effects[b], 4*r.NormFloat64())
		}
	}
	none, weighted, label := pick(0, 0, 0.1), r.IntN(4) == 0, r.IntN(4)
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
			default:
				y[i] = math.Round(v / 8)
			}
			if weighted {
				s.Weights = append(s.Weights, pick(0, 0.3, 1, 1, 2.5))
			}
		}
		return s
	}
	rows := 2 + r.IntN(500)
	if r.IntN(12) == 0 {
		rows = 1
	}
	p := small{train: set(rows), valid: set(1 + r.IntN(150))}
	if weighted {
		p.train.Weights[0], p.valid.Weights[0] = 1, 1
	}
	p.params = Params{
		LearningRate: pick(0.1, 0.3, 0.5, 1), MaxDepth: depth, MinChildWeight: pick(0, 0.5, 1, 1.0625, 3),
		Gamma: pick(0, 0, 0.5, 8), RegAlpha: pick(0, 0.018060244040060163, 0.75), RegLambda: pick(0, 0.011658731377413597, 1),
		BaseScore: pick(0.5, 0, 9.25), Rounds: int(pick(1, 4, 12)), EarlyStopping: int(pick(0, 0, 2)),
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

// forXGBoost is the problem as fit_problems.py reads it.
func (p *small) forXGBoost(version string) map[string]any {
	q := p.params
	params := map[string]any{
		"learning_rate": q.LearningRate, "max_depth": q.MaxDepth, "min_child_weight": q.MinChildWeight, "gamma": q.Gamma,
		"reg_alpha": q.RegAlpha, "reg_lambda": q.RegLambda, "base_score": q.BaseScore,
	}
	if q.MaxDepth == 0 { // exact has no other way to say that there is no limit
		params["max_depth"] = 1000
	}
	if p.estimates {
		params["base_score"] = baseScore(math.NaN(), p.train)
		if strings.HasPrefix(version, "3.") {
			delete(params, "base_score")
		}
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

// TestParityOfRandomProblems has both majors of XGBoost fit 200 small problems
// and compares what they made with ours, array by array.
func TestParityOfRandomProblems(t *testing.T) {
	problems := make([]small, 200)
	for seed := range problems {
		problems[seed] = draw(seed)
	}
	for version, python := range map[string]string{"1.7.6": "TAXIMETER_PYTHON", "3.2.0": "TAXIMETER_PYTHON_XGBOOST3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var all []any
			for i := range problems {
				all = append(all, problems[i].forXGBoost(version))
			}
			text, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "problems.json")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if os.Getenv(python) == "" {
				t.Fatalf("%s is not set; run make parity", python)
			}
			cmd := exec.Command(os.Getenv(python), "testdata/fit_problems.py", file, dir)
			cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1") // idle threads that spin take twelve times as long
			out, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != version {
				t.Fatalf("XGBoost %s: %v\n%s", version, err, out)
			}
			var logs []theirFit
			if text, err = os.ReadFile(filepath.Join(dir, "logs.json")); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &logs); err != nil {
				t.Fatal(err)
			}
			trees := 0
			for i := range problems {
				model, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i, ".json")))
				if err != nil {
					t.Fatal(err)
				}
				if logs[i].model, err = Read(bytes.NewReader(model)); err != nil {
					t.Errorf("%s: %v", problems[i].name, err)
					continue
				}
				problems[i].compare(t, "", engineFor, logs[i])
				if problems[i].bothEngines {
					problems[i].compare(t, "general engine, ", general, logs[i])
				}
				trees += len(logs[i].model.Trees)
			}
			t.Logf("XGBoost %s: %d problems, %d trees compared", version, len(problems), trees)
		})
	}
}

// theirFit is what XGBoost made of a problem.
type theirFit struct {
	RMSE        [2][]float64
	Predictions []uint32
	model       *Ensemble
}

func (p *small) compare(t *testing.T, engine string, choose func(joined, rule, float32) engine, want theirFit) {
	t.Helper()
	var log [2][]float64
	got, err := fitBy(t.Context(), p.train, []Set{p.train, p.valid}, p.params, func(r Round) error {
		for i, v := range r.Metrics {
			log[i] = append(log[i], v)
		}
		return nil
	}, choose)
	if err != nil {
		t.Errorf("%s%s: %v", engine, p.name, err)
		return
	}
	if err := sameTrees(got, want.model); err != nil {
		t.Errorf("%s%s: %v", engine, p.name, err)
		return
	}
	if got.BestIteration != want.model.BestIteration {
		t.Errorf("%s%s: best iteration %d, want %d", engine, p.name, got.BestIteration, want.model.BestIteration)
	}
	for set := range log {
		for round, v := range log[set] {
			if w := want.RMSE[set][round]; !(math.Abs(v-w) <= 1e-12*max(1, w)) {
				t.Errorf("%s%s: set %d, round %d: rmse %.17g, want %.17g", engine, p.name, set, round, v, w)
				return
			}
		}
	}
	out := make([]float32, p.valid.X.Rows)
	got.Compile(p.valid.X).Predict(p.valid.X, out)
	for i, v := range out {
		if math.Float32bits(v) != want.Predictions[i] {
			t.Errorf("%s%s: row %d is predicted %v, want %v", engine, p.name, i, v, math.Float32frombits(want.Predictions[i]))
			return
		}
	}
}

// sameTrees says where two ensembles differ first.
func sameTrees(got, want *Ensemble) error {
	if got.BaseScore != want.BaseScore || got.Features != want.Features || len(got.Trees) != len(want.Trees) {
		return fmt.Errorf("base score %v, %d features, %d trees; want %v, %d, %d",
			got.BaseScore, got.Features, len(got.Trees), want.BaseScore, want.Features, len(want.Trees))
	}
	for i := range got.Trees {
		a, b := got.Trees[i].Nodes, want.Trees[i].Nodes
		for id := range min(len(a), len(b)) {
			if a[id] != b[id] {
				return fmt.Errorf("tree %d, node %d: %+v, want %+v", i, id, a[id], b[id])
			}
		}
		if len(a) != len(b) {
			return fmt.Errorf("tree %d: %d nodes, want %d", i, len(a), len(b))
		}
	}
	return nil
}
