package models

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// month is a small made-up month: some pairs of zones, each with its own time.
func month(rows int) (*data.Trips, []float64) {
	t := &data.Trips{}
	var minutes []float64
	state := uint64(7)
	below := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int((state >> 33) % uint64(n))
	}
	for range rows {
		pickup, dropoff := int32(1+below(9)*13), int32(1+below(9)*13)
		miles := float64(below(1500)) / 100
		t.PickupZone.Values, t.DropoffZone.Values = append(t.PickupZone.Values, pickup), append(t.DropoffZone.Values, dropoff)
		t.Miles.Values = append(t.Miles.Values, miles)
		minutes = append(minutes, 2+float64(pickup%7)+2.5*miles+float64(below(300))/100)
	}
	return t, minutes
}

// fitted returns one model of each kind.
func fitted(t testing.TB, e features.Encoding) []*Model {
	t.Helper()
	trips, y := month(2000)
	v, err := features.Fit(e, trips)
	if err != nil {
		t.Fatal(err)
	}
	x, err := v.Transform(features.FromTrips(e, trips))
	if err != nil {
		t.Fatal(err)
	}
	l, err := linear.Fit(context.Background(), x, y, linear.Params{})
	if err != nil {
		t.Fatal(err)
	}
	baseline, err := NewLinear(e, v, l)
	if err != nil {
		t.Fatal(err)
	}
	params := gbt.Defaults()
	params.Rounds = 8
	params.EarlyStopping = 3
	trees, err := gbt.Fit(context.Background(), gbt.Set{X: x, Y: y}, []gbt.Set{{X: x, Y: y}}, params, nil)
	if err != nil {
		t.Fatal(err)
	}
	boosted, err := NewGBT(e, v, trees)
	if err != nil {
		t.Fatal(err)
	}
	return []*Model{baseline, boosted}
}

var someRides = []features.Ride{
	{PULocationID: 1, DOLocationID: 14, TripDistance: 1.01},
	{PULocationID: 14, DOLocationID: 1, TripDistance: 0},
	{PULocationID: 40, DOLocationID: 53, TripDistance: 244152.01},
	{PULocationID: 264, DOLocationID: 265, TripDistance: 3},
	{PULocationID: data.NoZone, DOLocationID: 1, TripDistance: math.NaN()},
}

func predict(t testing.TB, m *Model) []float32 {
	t.Helper()
	out := make([]float32, len(someRides))
	if err := m.PredictRides(someRides, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPredictsSensibly(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		got := make([]float32, 2)
		rides := []features.Ride{{PULocationID: 1, DOLocationID: 14, TripDistance: 2}, {PULocationID: 1, DOLocationID: 14, TripDistance: 12}}
		if err := m.PredictRides(rides, got); err != nil {
			t.Fatal(err)
		}
		if !(got[0] > 4 && got[1] > got[0]+10) {
			t.Errorf("%s: 2 and 12 miles take %v minutes", m, got)
		}
	}
}

func TestRefusesPartsThatDoNotMatch(t *testing.T) {
	pair, zones := fitted(t, features.Pair), fitted(t, features.Zones)
	for want, m := range map[string]*Model{
		"model reads":                  {Kind: Linear, Encoding: features.Pair, Vectorizer: pair[0].Vectorizer, Linear: zones[0].Linear},
		"vectorizer is not for":        {Kind: Linear, Encoding: features.Zones, Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear},
		`kind "gbt" has linear true`:   {Kind: GBT, Encoding: features.Pair, Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear},
		`kind "linear" has linear tr`:  {Kind: Linear, Encoding: features.Pair, Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear, Trees: pair[1].Trees},
		"no vectorizer":                {Kind: Linear, Linear: pair[0].Linear},
		`unknown feature encoding "x"`: {Kind: Linear, Encoding: "x", Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear},
	} {
		if _, err := m.Files(Card{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Files: error %v, want %q in it", err, want)
		}
		if _, err := Encode(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Encode: error %v, want %q in it", err, want)
		}
	}
	if _, err := NewLinear(features.Zones, zones[0].Vectorizer, pair[0].Linear); err == nil {
		t.Error("NewLinear takes a model of another width")
	}
	if _, err := NewGBT(features.Zones, zones[0].Vectorizer, pair[1].Trees); err == nil {
		t.Error("NewGBT takes trees of another width")
	}
}

func TestPredictRidesRefusesLength(t *testing.T) {
	m := fitted(t, features.Pair)[0]
	if err := m.PredictRides(someRides, make([]float32, 1)); err == nil {
		t.Error("5 rides are predicted into 1 place")
	}
}
