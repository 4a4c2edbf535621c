package linear

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// problem describes one that testdata/make_reference.py makes too.
type problem struct {
	Name                        string
	Seed                        uint64
	Rows, Numbers               int
	Blocks                      []int
	Absent, Collinear, Outliers bool

	Exact *struct {
		Bias    float64
		Weights []float64
	}
	LSQR struct {
		Bias   float64
		SHA256 string
	}
}

type reference struct {
	Problems []problem
	GBLinear struct {
		problem
		Model json.RawMessage
		Bits  []uint32
	}
}

func readReference(t *testing.T) reference {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.Problems) == 0 || len(ref.GBLinear.Bits) == 0 {
		t.Fatal("testdata/reference.json is empty")
	}
	return ref
}

// problemOf is problem in testdata/make_reference.py.
func problemOf(t *testing.T, p problem) (*matrix.Matrix, []float64) {
	t.Helper()
	state := p.Seed
	below := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int((state >> 33) % uint64(n))
	}
	blocks := make([]matrix.Categories, len(p.Blocks))
	for i, levels := range p.Blocks {
		blocks[i].Name = fmt.Sprint("b", i)
		for level := range levels {
			blocks[i].Levels = append(blocks[i].Levels, fmt.Sprint(level))
		}
	}
	numbers := make([][]float64, p.Numbers)
	if p.Collinear {
		numbers = append(numbers, nil)
	}
	var y []float64
	for range p.Rows {
		target := float64(below(3000)) / 100
		for i, levels := range p.Blocks {
			level := below(levels)
			code := int32(-1)
			if !(p.Absent && below(7) == 0) {
				code = int32(level)
				target += float64(level % 17)
			}
			blocks[i].Codes = append(blocks[i].Codes, code)
		}
		for i := range p.Numbers {
			number := float64(below(10000)) / 100
			if p.Outliers && below(997) == 0 {
				number *= 1000
			}
			if p.Absent && below(7) == 0 {
				number = math.NaN()
			} else {
				target += float64(0.25 * number)
			}
			numbers[i] = append(numbers[i], number)
			if p.Collinear && i+1 == p.Numbers {
				numbers[i+1] = append(numbers[i+1], 2*number)
			}
		}
		y = append(y, target)
	}
	var cols []matrix.Column
	for _, b := range blocks {
		cols = append(cols, b)
	}
	for i, values := range numbers {
		cols = append(cols, matrix.Values{Name: fmt.Sprint("n", i), Values: values})
	}
	v, err := matrix.Fit(cols)
	if err != nil {
		t.Fatal(err)
	}
	x, err := v.Transform(cols)
	if err != nil {
		t.Fatal(err)
	}
	return x, y
}

func TestExactEqualsNumpy(t *testing.T) {
	compared := 0
	for _, p := range readReference(t).Problems {
		if p.Exact == nil {
			continue
		}
		compared++
		t.Run(p.Name, func(t *testing.T) {
			x, y := problemOf(t, p)
			s, err := exact(context.Background(), x, y)
			if err != nil {
				t.Fatal(err)
			}
			const tolerance = 1e-9
			if math.Abs(s.bias-p.Exact.Bias) > tolerance {
				t.Errorf("bias %v, want %v", s.bias, p.Exact.Bias)
			}
			if len(s.weights) != len(p.Exact.Weights) {
				t.Fatalf("%d weights, want %d", len(s.weights), len(p.Exact.Weights))
			}
			for i, want := range p.Exact.Weights {
				if math.Abs(s.weights[i]-want) > tolerance {
					t.Errorf("weight %d is %v, want %v", i, s.weights[i], want)
				}
			}
		})
	}
	if compared < 5 {
		t.Errorf("only %d problems compared", compared)
	}
}

// Not within a tolerance: scikit-learn stops before convergence, where the
// digits are decided by rounding, so the sums must be made in the same order.
func TestLSQREqualsScikitLearn(t *testing.T) {
	for _, p := range readReference(t).Problems {
		t.Run(p.Name, func(t *testing.T) {
			x, y := problemOf(t, p)
			s, err := leastSquares(context.Background(), x, y, sklearnStop)
			if err != nil {
				t.Fatal(err)
			}
			hash := sha256.New()
			binary.Write(hash, binary.LittleEndian, s.weights)
			if got := hex.EncodeToString(hash.Sum(nil)); got != p.LSQR.SHA256 {
				t.Errorf("sha256 of the weights is %s, want %s (bias %v, want %v, after %d iterations)",
					got, p.LSQR.SHA256, s.bias, p.LSQR.Bias, s.iterations)
			}
			if math.Abs(s.bias-p.LSQR.Bias) > 1e-12*math.Abs(s.bias) {
				t.Errorf("bias %v, want %v", s.bias, p.LSQR.Bias)
			}
		})
	}
}

// The closed form and the converged iteration must agree where both apply.
func TestExactEqualsConverged(t *testing.T) {
	p := problem{Seed: 12, Rows: 5000, Blocks: []int{300}, Numbers: 1, Outliers: true, Absent: true}
	x, y := problemOf(t, p)
	closed, err := exact(context.Background(), x, y)
	if err != nil {
		t.Fatal(err)
	}
	iterated, err := leastSquares(context.Background(), x, y, converged)
	if err != nil {
		t.Fatal(err)
	}
	if closed.iterations != 0 || iterated.iterations == 0 {
		t.Errorf("%d and %d iterations: not the two ways", closed.iterations, iterated.iterations)
	}
	for i := range closed.weights {
		if math.Abs(closed.weights[i]-iterated.weights[i]) > 1e-8 {
			t.Fatalf("weight %d is %v by elimination, %v by iteration", i, closed.weights[i], iterated.weights[i])
		}
	}
}

func TestFitDefaults(t *testing.T) {
	x, y := problemOf(t, problem{Seed: 1, Rows: 50, Blocks: []int{5}, Numbers: 1})
	byDefault, err := Fit(context.Background(), x, y, Params{})
	if err != nil {
		t.Fatal(err)
	}
	if byDefault.Solver != Exact || byDefault.Iterations != 0 || len(byDefault.Weights) != x.Width {
		t.Errorf("got %+v, want the closed form and %d weights", byDefault, x.Width)
	}
	lsqr, err := Fit(context.Background(), x, y, Params{Solver: LSQR})
	if err != nil {
		t.Fatal(err)
	}
	if lsqr.Solver != LSQR || lsqr.Iterations == 0 {
		t.Errorf("got solver %q after %d iterations", lsqr.Solver, lsqr.Iterations)
	}
}

func TestUnseenPredictsMean(t *testing.T) {
	cols := []matrix.Column{matrix.Categories{Name: "c", Levels: []string{"a", "b"}, Codes: []int32{0, 0, 0, 1}}}
	v, err := matrix.Fit(cols)
	if err != nil {
		t.Fatal(err)
	}
	x, err := v.Transform(cols)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Fit(context.Background(), x, []float64{2, 3, 4, 9}, Params{})
	if err != nil {
		t.Fatal(err)
	}
	unseen, err := v.Transform([]matrix.Column{matrix.Categories{Name: "c", Levels: []string{"new", "b"}, Codes: []int32{0, 1, -1}}})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 3)
	m.Predict(unseen, got)
	if want := [3]float32{6, 9, 6}; [3]float32(got) != want {
		t.Errorf("predicted %v, want %v: what is unseen is the mean of the levels", got, want)
	}
}

func TestFitRefuses(t *testing.T) {
	one := &matrix.Matrix{Rows: 1, Width: 1, Numbers: []matrix.Number{{Name: "x", Values: []float64{1}}}}
	infinite := &matrix.Matrix{Rows: 1, Width: 1, Numbers: []matrix.Number{{Name: "x", Values: []float64{math.Inf(1)}}}}
	for want, fit := range map[string]func() (*Model, error){
		"no rows": func() (*Model, error) {
			return Fit(context.Background(), &matrix.Matrix{}, nil, Params{})
		},
		"2 targets for 1 rows": func() (*Model, error) {
			return Fit(context.Background(), one, []float64{1, 2}, Params{})
		},
		"target of row 0 is NaN": func() (*Model, error) {
			return Fit(context.Background(), one, []float64{math.NaN()}, Params{})
		},
		"x of row 0 is +Inf": func() (*Model, error) {
			return Fit(context.Background(), infinite, []float64{1}, Params{})
		},
		`unknown solver "qr"`: func() (*Model, error) {
			return Fit(context.Background(), one, []float64{1}, Params{Solver: "qr"})
		},
		"context canceled": func() (*Model, error) {
			x, y := problemOf(t, problem{Seed: 1, Rows: 50, Blocks: []int{5, 5}, Numbers: 1})
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return Fit(ctx, x, y, Params{})
		},
	} {
		m, err := fit()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v, want an error with %q", m, err, want)
		}
	}
}

func TestConstantTargets(t *testing.T) {
	x, y := problemOf(t, problem{Seed: 3, Rows: 40, Blocks: []int{4}, Numbers: 1})
	for i := range y {
		y[i] = 7
	}
	for _, solver := range []Solver{Exact, LSQR} {
		m, err := Fit(context.Background(), x, y, Params{Solver: solver})
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, x.Rows)
		m.Predict(x, out)
		for i, p := range out {
			if math.Abs(float64(p)-7) > 1e-6 {
				t.Fatalf("%s: row %d is %v, want 7", solver, i, p)
			}
		}
	}
}
