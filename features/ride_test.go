package features

import (
	"math"
	"reflect"
	"slices"
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
		t.PickupZone = append(t.PickupZone, r.PULocationID)
		t.DropoffZone = append(t.DropoffZone, r.DOLocationID)
		t.Miles = append(t.Miles, r.TripDistance)
	}
	return t
}

func TestNames(t *testing.T) {
	for e, want := range map[Encoding][]string{
		"":   {"PU_DO=-1_151", "PU_DO=166_239", "PU_DO=1_265", "PU_DO=43_151", "trip_distance"},
		Pair: {"PU_DO=-1_151", "PU_DO=166_239", "PU_DO=1_265", "PU_DO=43_151", "trip_distance"},
		Zones: {"DOLocationID=151", "DOLocationID=239", "DOLocationID=265",
			"PULocationID=-1", "PULocationID=1", "PULocationID=166", "PULocationID=43", "trip_distance"},
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

func TestParseEncoding(t *testing.T) {
	for s, want := range map[string]Encoding{"": Pair, "PU_DO": Pair, "PU,DO": Zones} {
		if got, err := ParseEncoding(s); got != want || err != nil {
			t.Errorf("ParseEncoding(%q) = %q, %v", s, got, err)
		}
	}
	if e, err := ParseEncoding("PU"); err == nil {
		t.Errorf("ParseEncoding(PU) = %q", e)
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
