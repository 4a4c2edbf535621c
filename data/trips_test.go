package data

import (
	"math"
	"slices"
	"testing"
)

// lasting makes rides from a time on that last so many seconds.
func lasting(seconds ...int64) *Trips {
	const start = 1_609_459_200_000_000 // 2021-01-01T00:00:00
	t := &Trips{}
	for i, s := range seconds {
		t.PickupMicros = append(t.PickupMicros, start)
		t.DropoffMicros = append(t.DropoffMicros, start+s*1_000_000)
		t.PickupZone.Values = append(t.PickupZone.Values, int32(i+1))
		t.DropoffZone.Values = append(t.DropoffZone.Values, int32(i+101))
		t.Miles.Values = append(t.Miles.Values, float64(i)/10)
	}
	return t
}

func TestKeptFromOneMinuteToSixty(t *testing.T) {
	for _, test := range []struct {
		name    string
		seconds int64
		want    Dropped
	}{
		{"0:59", 59, Dropped{TooShort: 1}},
		{"1:00", 60, Dropped{}},
		{"60:00", 3600, Dropped{}},
		{"60:01", 3601, Dropped{TooLong: 1}},
		{"nothing", 0, Dropped{TooShort: 1}},
		{"backwards", -600, Dropped{TooShort: 1}},
		{"a day", 86400, Dropped{TooLong: 1}},
	} {
		kept, got := lasting(test.seconds).Kept()
		if got != test.want || kept.Len() != 1-test.want.Total() {
			t.Errorf("%s: kept %d, dropped %+v; want %+v", test.name, kept.Len(), got, test.want)
		}
	}
	micro := lasting(60, 3600)
	micro.DropoffMicros[0]--
	micro.DropoffMicros[1]++
	if kept, _ := micro.Kept(); kept.Len() != 0 {
		t.Errorf("a microsecond beyond the bounds was kept")
	}
}

func TestKeptRemembersRows(t *testing.T) {
	trips := lasting(10, 120, 5000, 180, 240)
	trips.PickupMicros[3] = NoTime
	kept, dropped := trips.Kept()
	if want := (Dropped{TooShort: 1, TooLong: 1, NoTime: 1}); dropped != want {
		t.Errorf("dropped %+v; want %+v", dropped, want)
	}
	if !slices.Equal(kept.Index, []int32{1, 4}) || !slices.Equal(kept.PickupZone.All(), []int32{2, 5}) ||
		!slices.Equal(kept.DropoffZone.All(), []int32{102, 105}) || !slices.Equal(kept.Miles.All(), []float64{0.1, 0.4}) {
		t.Errorf("kept %+v", kept)
	}
	if kept.Minutes(0) != 2 || kept.Minutes(1) != 4 || !math.IsNaN(trips.Minutes(3)) {
		t.Errorf("minutes %v, %v, %v", kept.Minutes(0), kept.Minutes(1), trips.Minutes(3))
	}
	kept.PickupZone.Values[0] = 99
	if trips.PickupZone.At(1) != 2 {
		t.Error("the kept rides share columns with the others")
	}
	again, dropped := kept.Kept()
	if dropped.Total() != 0 || !slices.Equal(again.Index, kept.Index) || again.Row(1) != 4 || trips.Row(3) != 3 {
		t.Errorf("kept again: %+v, dropped %+v", again, dropped)
	}
}
