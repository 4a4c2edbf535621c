package tune

import "math"

// function is one to minimise, of those that testdata/make_hyperopt.py has
// hyperopt minimise too.
type function struct {
	name  string
	space Space
	loss  func(p map[string]float64) float64
}

var functions = []function{
	{
		"branin",
		Space{{Name: "x", Prior: Uniform{-5, 10}}, {Name: "y", Prior: Uniform{0, 15}}},
		func(p map[string]float64) float64 {
			x, y := p["x"], p["y"]
			a := y - 5.1/(4*math.Pi*math.Pi)*x*x + 5/math.Pi*x - 6
			return a*a + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10
		},
	},
	{
		"sphere",
		Space{
			{Name: "x0", Prior: Uniform{-5, 5}}, {Name: "x1", Prior: Uniform{-5, 5}}, {Name: "x2", Prior: Uniform{-5, 5}},
			{Name: "x3", Prior: Uniform{-5, 5}}, {Name: "x4", Prior: Uniform{-5, 5}},
		},
		func(p map[string]float64) float64 {
			return square(p["x0"]-0.3) + square(p["x1"]+1.2) + square(p["x2"]-2.5) + square(p["x3"]-0.9) + square(p["x4"]+2.2)
		},
	},
	{
		"ackley",
		Space{
			{Name: "x0", Prior: Uniform{-10, 15}}, {Name: "x1", Prior: Uniform{-10, 15}},
			{Name: "x2", Prior: Uniform{-10, 15}}, {Name: "x3", Prior: Uniform{-10, 15}},
		},
		func(p map[string]float64) float64 {
			var squares, waves float64
			for _, x := range p {
				squares += x * x
				waves += math.Cos(2 * math.Pi * x)
			}
			return -20*math.Exp(-0.2*math.Sqrt(squares/4)) - math.Exp(waves/4) + 20 + math.E
		},
	},
	{
		"rates",
		Space{
			{Name: "depth", Prior: QUniform{4, 100, 1}}, {Name: "rate", Prior: LogUniform{-6, 0}},
			{Name: "alpha", Prior: LogUniform{-9, 0}}, {Name: "leaves", Prior: Int{0, 30}},
		},
		func(p map[string]float64) float64 {
			return 0.05*math.Abs(p["depth"]-23) + square(math.Log(p["rate"]/0.07)) +
				0.3*square(math.Log(p["alpha"]/0.002)) + 0.5*square(p["leaves"]-6)/25
		},
	},
	{
		"conditional",
		Space{
			{Name: "kind", Prior: Choice{[]string{"line", "tree", "net"}}},
			{Name: "slope", Prior: Uniform{-5, 5}, When: When{"kind", []float64{0}}},
			{Name: "depth", Prior: QUniform{1, 40, 1}, When: When{"kind", []float64{1}}},
			{Name: "rate", Prior: LogUniform{-7, 0}, When: When{"kind", []float64{1}}},
			{Name: "u", Prior: Uniform{-5, 5}, When: When{"kind", []float64{2}}},
			{Name: "v", Prior: Uniform{-5, 5}, When: When{"kind", []float64{2}}},
		},
		func(p map[string]float64) float64 {
			switch p["kind"] {
			case 0:
				return 3 + square(p["slope"]-1)
			case 1:
				return 1 + 0.02*math.Abs(p["depth"]-12) + square(math.Log(p["rate"]/0.1))
			}
			return 2 + square(p["u"]) + square(p["v"])
		},
	},
}

func square(x float64) float64 { return x * x }
