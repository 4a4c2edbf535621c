package features

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/taximeter/taximeter/data"
)

// What a file has as codes is encoded as if each row had its own value.
func TestCodesEqualValues(t *testing.T) {
	ids := []int32{data.NoZone, 43, 7, 265, 151} // 7 is of no ride
	miles := []float64{math.NaN(), 1.01, 0, 244152.01, math.Copysign(0, -1)}
	coded := &data.Trips{
		PickupZone:  data.Column[int32]{Values: ids, Codes: []uint16{1, 0, 3, 1, 4, 1}},
		DropoffZone: data.Column[int32]{Values: ids, Codes: []uint16{4, 4, 0, 4, 1, 3}},
		Miles:       data.Column[float64]{Values: miles, Codes: []uint16{1, 2, 0, 3, 4, 1}},
	}
	plain := &data.Trips{
		PickupZone:  data.Column[int32]{Values: coded.PickupZone.All()},
		DropoffZone: data.Column[int32]{Values: coded.DropoffZone.All()},
		Miles:       data.Column[float64]{Values: coded.Miles.All()},
	}
	mixed := &data.Trips{PickupZone: coded.PickupZone, DropoffZone: plain.DropoffZone, Miles: plain.Miles}
	for _, e := range encodings {
		v, err := Fit(e, plain)
		if err != nil {
			t.Fatal(err)
		}
		want := transform(t, v, FromTrips(e, plain))
		for name, trips := range map[string]*data.Trips{"codes": coded, "codes and values": mixed} {
			fitted, err := Fit(e, trips)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(fitted.Names(), v.Names()) {
				t.Errorf("%s: %s are fitted to %q, values to %q", e, name, fitted.Names(), v.Names())
			}
			if got := transform(t, v, FromTrips(e, trips)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s give %v, values %v", e, name, got, want)
			}
		}
	}
}
