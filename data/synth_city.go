package data

import (
	"math"
	"math/rand/v2"
	"sort"
	"sync"
)

const (
	mappedZones  = 263 // zones with a place on the map
	unknownZone  = 264
	outsideZone  = 265
	citySeed     = 20130801 // the city does not depend on a month's seed
	roadsPerCrow = 1.25     // miles driven for a mile as the crow flies
)

// city is where the zones lie and who rides from which to which. Zone ids are
// indexes plus one.
type city struct {
	x, y  [mappedZones]float64 // miles
	slow  [mappedZones]float64 // factor on the time a ride there takes
	hails flows
	calls flows
}

// flows are the rides of one trade: cumulated weights of the pickup zones, and
// for each of them of the drop-off zones.
type flows struct {
	from []float64
	to   [][]float64
}

// trade is what makes the flows of a trade: how popularity falls with a zone's
// rank, and how far people go.
type trade struct {
	from, to  popularity
	near, far float64 // miles over which attraction falls by e
	farShare  float64 // weight of the far attraction
	within    float64 // factor on the attraction of the pickup zone itself
}

// popularity is a Zipf–Mandelbrot law: a zone's weight is (rank + flat)^-steep,
// and nothing past the given number of zones.
type popularity struct {
	flat, steep float64
	zones       int
}

// Fitted to the pickup and drop-off shares, the distances and the number of
// distinct pairs of green 2021-01.
var (
	hailTrade = trade{from: popularity{0.9, 1.55, 190}, to: popularity{5, 1.2, 235}, near: 0.95, far: 6, farShare: 0.005, within: 0.9}
	callTrade = trade{from: popularity{50, 2, 205}, to: popularity{30, 1.8, 225}, near: 2.5, far: 10, farShare: 0.045, within: 0.8}
)

// theCity is built once, on first use.
var theCity = sync.OnceValue(newCity)

func newCity() *city {
	r := rand.New(rand.NewPCG(citySeed, 0))
	c := &city{}
	// Five boroughs, each a cloud of zones around its middle.
	boroughs := []struct {
		x, y, spread float64
		zones        int
	}{{0, 0, 1.9, 69}, {2.5, 6.5, 2.1, 43}, {3, -6, 2.8, 61}, {8, 0, 3.4, 70}, {-6, -9, 2.2, 20}}
	ids := r.Perm(mappedZones)
	for _, b := range boroughs {
		for range b.zones {
			z := ids[0]
			ids = ids[1:]
			c.x[z] = b.x + b.spread*r.NormFloat64()
			c.y[z] = b.y + b.spread*r.NormFloat64()
			c.slow[z] = math.Exp(0.10 * r.NormFloat64())
		}
	}
	stands, homes := r.Perm(mappedZones), r.Perm(mappedZones) // cabs are hailed at some places, and called from where people go
	c.hails = c.flows(hailTrade, stands, homes)
	c.calls = c.flows(callTrade, homes, homes)
	return c
}

// flows follow from a trade and the zones in the order of their popularity.
func (c *city) flows(t trade, from, to []int) flows {
	f := flows{from: cumulate(t.from.weights(from))}
	attraction := t.to.weights(to)
	for a := range mappedZones {
		row := make([]float64, mappedZones)
		for b, popular := range attraction {
			miles := c.miles(a, b)
			row[b] = popular * (math.Exp(-miles/t.near) + t.farShare*math.Exp(-miles/t.far))
		}
		row[a] *= t.within
		f.to = append(f.to, cumulate(row))
	}
	return f
}

// weights weighs each zone by its rank.
func (p popularity) weights(ranked []int) []float64 {
	weights := make([]float64, mappedZones)
	for rank, zone := range ranked[:p.zones] {
		weights[zone] = math.Pow(float64(rank+1)+p.flat, -p.steep)
	}
	return weights
}

// miles is the road distance between the middles of two zones, and within a
// zone that of a typical ride.
func (c *city) miles(from, to int) float64 {
	if from == to {
		return 0.9
	}
	return 0.5 + roadsPerCrow*math.Hypot(c.x[from]-c.x[to], c.y[from]-c.y[to])
}

// draw picks an index with the odds that cumulated weights give it.
func draw(r *rand.Rand, cumulated []float64) int {
	at := r.Float64() * cumulated[len(cumulated)-1]
	return min(sort.SearchFloat64s(cumulated, at), len(cumulated)-1)
}

// cumulate turns weights into what draw wants.
func cumulate(weights []float64) []float64 {
	sums := make([]float64, len(weights))
	total := 0.0
	for i, w := range weights {
		total += w
		sums[i] = total
	}
	return sums
}
