package predict

import (
	"math"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
)

func TestParseRide(t *testing.T) {
	want := features.Ride{PULocationID: 43, DOLocationID: 151, TripDistance: 1.01}
	for _, body := range []string{
		`{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}`,
		`{"PULocationID":"43","DOLocationID":"151","trip_distance":1.01}`,
		`{"PULocationID":43.0,"DOLocationID":" 151 ","trip_distance":101e-2}`,
		`{"PULocationID":"43.0","DOLocationID":1.51e2,"trip_distance":1.01}`,
		` { "trip_distance" : 1.01 , "DOLocationID" : 151 , "PULocationID" : 43 , "VendorID": 2, "store_and_fwd_flag": null } `,
	} {
		for _, strict := range []bool{true, false} {
			if got, wrong := parseRide([]byte(body), strict); wrong != nil || got != want {
				t.Errorf("parseRide(%s, strict %v) = %v, %v", body, strict, got, wrong)
			}
		}
	}
}

func TestParseRideRefuses(t *testing.T) {
	for _, c := range []struct {
		body, field, message string
		lax                  bool // refused without strict too
	}{
		{`{"PULocationID":0,"DOLocationID":151,"trip_distance":1}`, "PULocationID", "1 to 265", false},
		{`{"PULocationID":266,"DOLocationID":151,"trip_distance":1}`, "PULocationID", "is 266", false},
		{`{"PULocationID":-43,"DOLocationID":151,"trip_distance":1}`, "PULocationID", "is -43", false},
		{`{"PULocationID":43,"DOLocationID":"266","trip_distance":1}`, "DOLocationID", `is "266"`, false},
		{`{"PULocationID":99999999999,"DOLocationID":1,"trip_distance":1}`, "PULocationID", "1 to 265", false},
		{`{"DOLocationID":151,"trip_distance":1}`, "PULocationID", "is missing", false},
		{`{"PULocationID":43,"trip_distance":1}`, "DOLocationID", "is missing", false},
		{`{"PULocationID":43,"DOLocationID":151}`, "trip_distance", "is missing", false},
		{`{"PULocationID":null,"DOLocationID":151,"trip_distance":1}`, "PULocationID", "is missing", false},
		{`{}`, "PULocationID", "is missing", false},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance":-0.1}`, "trip_distance", "0 or more", false},
		{`{"PULocationID":43.5,"DOLocationID":151,"trip_distance":1}`, "PULocationID", "is 43.5", true},
		{`{"PULocationID":"x43","DOLocationID":151,"trip_distance":1}`, "PULocationID", `is "x43"`, true},
		{`{"PULocationID":"","DOLocationID":151,"trip_distance":1}`, "PULocationID", `is ""`, true},
		{`{"PULocationID":"0x2b","DOLocationID":151,"trip_distance":1}`, "PULocationID", "number or a string", true},
		{`{"PULocationID":"inf","DOLocationID":151,"trip_distance":1}`, "PULocationID", "number or a string", true},
		{`{"PULocationID":true,"DOLocationID":151,"trip_distance":1}`, "PULocationID", "is true or false", true},
		{`{"PULocationID":43,"DOLocationID":[151],"trip_distance":1}`, "DOLocationID", "is an array", true},
		{`{"PULocationID":43,"DOLocationID":{},"trip_distance":1}`, "DOLocationID", "is an object", true},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance":"1.01"}`, "trip_distance", "is a string", true},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance":1e39}`, "trip_distance", "out of range", true},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance":1e999}`, "trip_distance", "out of range", true},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance":NaN}`, "trip_distance", "no NaN", true},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance":nan}`, "trip_distance", "no NaN", true},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance": -Infinity}`, "trip_distance", "no NaN", true},
		{`{"PULocationID":NaN,"DOLocationID":151,"trip_distance":1}`, "PULocationID", "no NaN", true},
		{``, "", "want one JSON object", true},
		{`{"PULocationID":43`, "", "not JSON", true},
		{`{"PULocationID":43,"DOLocationID":151,"trip_distance":1} {}`, "", "not JSON", true},
		{`[{"PULocationID":43,"DOLocationID":151,"trip_distance":1}]`, "", "want one JSON object", true},
		{`"ride"`, "", "want one JSON object", true},
		{strings.Repeat(`{"a":`, 20000), "", "not JSON", true},
	} {
		_, wrong := parseRide([]byte(c.body), true)
		if wrong == nil || wrong.Field != c.field || !strings.Contains(wrong.Message, c.message) || !strings.Contains(wrong.Message, c.field) {
			t.Errorf("parseRide(%.80s) refused with %+v, want field %q and %q", c.body, wrong, c.field, c.message)
		}
		if _, wrong := parseRide([]byte(c.body), false); (wrong != nil) != c.lax {
			t.Errorf("parseRide(%.80s) when not strict: %+v, want refused %v", c.body, wrong, c.lax)
		}
	}
}

func TestParseRideThatIsNotStrict(t *testing.T) {
	for body, want := range map[string]features.Ride{
		`{}`: {PULocationID: data.NoZone, DOLocationID: data.NoZone, TripDistance: math.NaN()},
		`{"PULocationID":null,"DOLocationID":300,"trip_distance":-2}`:   {PULocationID: data.NoZone, DOLocationID: 300, TripDistance: -2},
		`{"PULocationID":-99999999999,"DOLocationID":"99999999999999"}`: {PULocationID: math.MinInt32, DOLocationID: math.MaxInt32, TripDistance: math.NaN()},
	} {
		got, wrong := parseRide([]byte(body), false)
		same := got.TripDistance == want.TripDistance || math.IsNaN(got.TripDistance) && math.IsNaN(want.TripDistance)
		got.TripDistance, want.TripDistance = 0, 0
		if wrong != nil || !same || got != want {
			t.Errorf("parseRide(%s) = %+v, %v, want %+v", body, got, wrong, want)
		}
	}
}

func FuzzParseRide(f *testing.F) {
	for _, seed := range []string{`{"PULocationID":43,"DOLocationID":"151","trip_distance":1.01}`, `{"trip_distance": -Infinity}`, `[1e5]`, `{"PULocationID":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parseRide(body, false)
		ride, wrong := parseRide(body, true)
		if wrong != nil {
			if !strings.Contains(wrong.Message, "want ") {
				t.Errorf("%q: message %q does not say what is accepted", body, wrong.Message)
			}
			return
		}
		zones := ride.PULocationID >= 1 && ride.PULocationID <= 265 && ride.DOLocationID >= 1 && ride.DOLocationID <= 265
		if !zones || !(ride.TripDistance >= 0) || math.IsInf(ride.TripDistance, 0) {
			t.Errorf("%q passed as %+v", body, ride)
		}
	})
}
