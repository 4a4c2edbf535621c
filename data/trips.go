package data

import "math"

// What stands in a column where the file has null.
const (
	NoZone int32 = -1            // in PickupZone and DropoffZone
	NoTime int64 = math.MinInt64 // in PickupMicros and DropoffMicros
)

// The rides that are kept last from minMinutes to maxMinutes, both inclusive.
const (
	minMinutes = 1
	maxMinutes = 60

	microsPerMinute = 60e6
)

// Trips are the rides of a month, column by column; row i of every column is one
// ride, and the columns are equally long. Times are microseconds of New York
// wall time counted from 1970-01-01T00:00:00 on the same clock: TLC records no
// zone, so a ride across a change of the clocks lasts what the clock says.
//
// The columns belong to whoever made the Trips. Once read they are shared and
// must not be written to; reading is safe from several goroutines.
type Trips struct {
	PickupMicros  []int64         // NoTime where missing
	DropoffMicros []int64         // NoTime where missing
	PickupZone    Column[int32]   // TLC zone id, 1 to 265; NoZone where missing
	DropoffZone   Column[int32]   // likewise
	Miles         Column[float64] // as the taximeter reported them; NaN where missing

	// Index is the row of each ride in its file, counted from 0. It is nil when
	// every ride stands at its own index.
	Index []int32
}

// Dropped counts the rides that Kept left out.
type Dropped struct {
	TooShort int `json:"too_short"` // under a minute, negative durations among them
	TooLong  int `json:"too_long"`  // over an hour
	NoTime   int `json:"no_time"`   // no pickup or no drop-off time
}

// Total is the number of rides left out for any reason.
func (d Dropped) Total() int { return d.TooShort + d.TooLong + d.NoTime }

// Len returns the number of rides.
func (t *Trips) Len() int { return len(t.PickupMicros) }

// Pickup returns when ride i began; see Trips for the unit.
func (t *Trips) Pickup(i int) int64 { return t.PickupMicros[i] }

// Dropoff returns when ride i ended.
func (t *Trips) Dropoff(i int) int64 { return t.DropoffMicros[i] }

// Row returns the row ride i has in its file, counted from 0.
func (t *Trips) Row(i int) int {
	if t.Index == nil {
		return i
	}
	return int(t.Index[i])
}

// Minutes returns how long ride i lasted, computed as pandas computes
// total_seconds() / 60, and NaN when a time is missing.
func (t *Trips) Minutes(i int) float64 {
	pickup, dropoff := t.PickupMicros[i], t.DropoffMicros[i]
	if pickup == NoTime || dropoff == NoTime {
		return math.NaN()
	}
	return float64(dropoff-pickup) / 1e6 / 60
}

// Kept returns the rides that lasted from 1 to 60 minutes, both inclusive, in
// their order and with the rows they had, and counts the others. The result
// shares nothing with t but what codes stand for.
func (t *Trips) Kept() (*Trips, Dropped) {
	var dropped Dropped
	keep := make([]int32, 0, t.Len())
	for i, pickup := range t.PickupMicros {
		dropoff := t.DropoffMicros[i]
		lasted := dropoff - pickup
		switch {
		case pickup == NoTime || dropoff == NoTime:
			dropped.NoTime++
		case lasted < minMinutes*microsPerMinute:
			dropped.TooShort++
		case lasted > maxMinutes*microsPerMinute:
			dropped.TooLong++
		default:
			keep = append(keep, int32(i))
		}
	}
	kept := &Trips{
		PickupMicros:  gather(t.PickupMicros, keep),
		DropoffMicros: gather(t.DropoffMicros, keep),
		PickupZone:    t.PickupZone.gather(keep),
		DropoffZone:   t.DropoffZone.gather(keep),
		Miles:         t.Miles.gather(keep),
		Index:         keep,
	}
	if t.Index != nil {
		kept.Index = gather(t.Index, keep)
	}
	return kept, dropped
}

// gather returns the values of column at the rows of keep.
func gather[T any](column []T, keep []int32) []T {
	out := make([]T, len(keep))
	for i, row := range keep {
		out[i] = column[row]
	}
	return out
}
