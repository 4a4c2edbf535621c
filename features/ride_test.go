package features

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features/matrix"
)

var rides = []Ride{
	{43, 151, 1.01},
	{166, 239, 2.53},
	{43, 151, 0},
	{data.NoZone, 151, math.NaN()},
	{1, 265, 244152.01},
}

func tripsOf(rides []Ride) *data.Trips {
	t := &data.Trips{}
	for _, r := range rides {
		t.PickupZone.Values = append(t.PickupZone.Values, r.PULocationID)
		t.DropoffZone.Values = append(t.DropoffZone.Values, r.DOLocationID)
		t.Miles.Values = append(t.Miles.Values, r.TripDistance)
	}
	return t
}

func TestNames(t *testing.T) {
	for e, want := range map[Encoding][]string{
		"":   {"PU_DO=-1_151", "PU_DO=166_239", "PU_DO=1_265", "PU_DO=43_151", "trip_distance"},
		Pair: {"PU_DO=-1_151", "PU_DO=166_239", "PU_DO=1_265", "PU_DO=43_151", "trip_distance"},
		Zones: {"DOLocationID=151", "DOLocationID=239", "DOLocationID=265",
			"PULocationID=-1", "PULocationID=1", "PULocationID=166", "PULocationID=43", "trip_distance"},
		IDs:           {"DOLocationID", "PULocationID", "trip_distance"},
		IDs.Clipped(): {"DOLocationID", "PULocationID", "trip_distance_clip50"},
	} {
		v, err := Fit(e, tripsOf(rides))
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Names(); !slices.Equal(got, want) {
			t.Errorf("%q: names %q, want %q", e, got, want)
		}
	}
}

// What is served must be what was trained on: rides and trips, one at a time
// or all at once, give the same rows.
func TestRidesEqualTrips(t *testing.T) {
	for _, e := range encodings {
		v, err := Fit(e, tripsOf(rides))
		if err != nil {
			t.Fatal(err)
		}
		all := append(slices.Clone(rides), Ride{44, 151, 1}, Ride{math.MaxInt32, math.MinInt32, 1})
		want := transform(t, v, FromTrips(e, tripsOf(all)))
		if got := transform(t, v, FromRides(e, all)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: rides give %v, trips %v", e, got, want)
		}
		for i := range all {
			if got := transform(t, v, FromRides(e, all[i:i+1])); !reflect.DeepEqual(got[0], want[i]) {
				t.Errorf("%s: ride %v alone gives %v, among others %v", e, all[i], got[0], want[i])
			}
		}
	}
}

type row struct {
	columns []int32
	values  []float64
}

func transform(t *testing.T, v *matrix.Vectorizer, cols []matrix.Column) []row {
	t.Helper()
	m, err := v.Transform(cols)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]row, m.Rows)
	for i := range rows {
		rows[i].columns, rows[i].values = m.AppendRow(i, nil, nil)
	}
	return rows
}

func TestRow(t *testing.T) {
	v, err := Fit(Pair, tripsOf(rides))
	if err != nil {
		t.Fatal(err)
	}
	got := transform(t, v, FromRides(Pair, []Ride{{43, 151, 0}, {151, 43, 7}, {43, 151, math.NaN()}}))
	want := []row{{[]int32{3, 4}, []float64{1, 0}}, {[]int32{4}, []float64{7}}, {[]int32{3}, []float64{1}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rows are %v, want %v", got, want)
	}
}

func TestClippedIDs(t *testing.T) {
	v, err := Fit(IDs.Clipped(), tripsOf(rides))
	if err != nil {
		t.Fatal(err)
	}
	got := transform(t, v, FromRides(IDs.Clipped(), rides))
	want := []row{
		{[]int32{0, 1, 2}, []float64{151, 43, 1.01}},
		{[]int32{0, 1, 2}, []float64{239, 166, 2.53}},
		{[]int32{0, 1, 2}, []float64{151, 43, 0}},
		{[]int32{0}, []float64{151}}, // neither its pickup nor its distance is known
		{[]int32{0, 1, 2}, []float64{265, 1, 50}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rows are %v, want %v", got, want)
	}
	if rides[4].TripDistance != 244152.01 {
		t.Error("clipping changed the rides")
	}
}

// A vectorizer tells its own encoding from every other.
func TestEncodingsDoNotMix(t *testing.T) {
	for _, fitted := range encodings {
		v, err := Fit(fitted, tripsOf(rides))
		if err != nil {
			t.Fatal(err)
		}
		for _, given := range encodings {
			_, err := v.Transform(FromRides(given, nil))
			if (err == nil) != (given == fitted) {
				t.Errorf("fitted on %q, given %q: error %v", fitted, given, err)
			}
		}
	}
}

func TestParseEncoding(t *testing.T) {
	for s, want := range map[string]Encoding{
		"": Pair, "PU_DO": Pair, "PU,DO": Zones, "ids": IDs,
		"PU_DO+clip50": Pair.Clipped(), "PU,DO+clip50": Zones.Clipped(), "ids+clip50": IDs.Clipped(),
	} {
		if got, err := ParseEncoding(s); got != want || err != nil {
			t.Errorf("ParseEncoding(%q) = %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"PU", "+clip50", "ids+clip50+clip50", "IDs"} {
		if e, err := ParseEncoding(s); err == nil || !strings.Contains(err.Error(), `"PU_DO", "PU,DO"`) {
			t.Errorf("ParseEncoding(%q) = %q, %v", s, e, err)
		}
	}
	if got := Encoding("").Clipped(); got != Pair.Clipped() {
		t.Errorf("the zero encoding clipped is %q", got)
	}
	for _, e := range Encodings() {
		if got, err := ParseEncoding(string(e)); got != e || err != nil {
			t.Errorf("ParseEncoding(%q) = %q, %v", e, got, err)
		}
		if got := e.Clipped().Clipped(); got != e.Clipped() {
			t.Errorf("%q clipped twice is %q", e, got)
		}
		var names []string
		for _, c := range FromRides(e, nil) {
			switch c := c.(type) {
			case matrix.Categories:
				names = append(names, c.Name)
			case matrix.Values:
				names = append(names, c.Name)
			}
		}
		if got := e.Names(); !slices.Equal(got, names) {
			t.Errorf("names of %q are %q, its columns %q", e, got, names)
		}
	}
	if got := Encoding("PU").Names(); got != nil {
		t.Errorf("names of what is no encoding are %q", got)
	}
	if got := Zones.Names(); !slices.Equal(got, []string{"PULocationID", "DOLocationID", "trip_distance"}) {
		t.Errorf("names of Zones are %q", got)
	}
}

func TestNoTrips(t *testing.T) {
	v, err := Fit(Pair, &data.Trips{})
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Names(); !slices.Equal(got, []string{"trip_distance"}) {
		t.Errorf("names %q", got)
	}
}

// By a table or by a map, codes are the same.
func TestDictionary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows = 9123
	values := make([]uint64, rows)
	for i := range values {
		values[i] = uint64(r.IntN(1+i/4) % 3000)
	}
	keys := func(lo int, keys []uint64) { copy(keys, values[lo:]) }
	codes, firsts := dictionary(rows, 3000, keys)
	for i, code := range codes {
		if first := firsts[code]; values[first] != values[i] || int(first) > i {
			t.Fatalf("row %d has code %d, which row %d began", i, code, first)
		}
	}
	for code := 1; code < len(firsts); code++ {
		if firsts[code] <= firsts[code-1] {
			t.Fatalf("code %d begins at row %d, code %d at row %d", code-1, firsts[code-1], code, firsts[code])
		}
	}
	mapCodes, mapFirsts := dictionary(rows, maxTable+1, keys)
	if !slices.Equal(mapCodes, codes) || !slices.Equal(mapFirsts, firsts) {
		t.Error("a map gives other codes than a table")
	}
}
