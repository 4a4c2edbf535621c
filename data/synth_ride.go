package data

import (
	"math"
	"math/rand/v2"
	"time"
)

// ride is one row to be.
type ride struct {
	pickup, dropoff int64 // seconds of wall time since 1970
	from, to        int   // zone ids
	miles           float64
	dispatched      bool // by phone or app: no meter, and half of the columns null
	draw            float64
}

func (r *ride) minutes() float64 { return float64(r.dropoff-r.pickup) / 60 }

// Shares of the dirt among the rides, as counted in the green months of 2021 and
// 2023. Those of the meters are shares of the hailed rides.
const (
	dispatchedGreen  = 0.47
	dispatchedYellow = 0.07

	tooShortHailed = 0.035 // meter switched on and off again
	zeroSeconds    = 0.05  // of those
	wrapped        = 0.003 // meter switched off just before a day was full
	forgotten      = 0.003 // meter running on for hours
	noMilesHailed  = 0.029
	noMilesCalled  = 0.014
	outlierCalled  = 0.0018 // odometers off by thousands of miles
	nowhere        = 0.0035 // both zones unknown or outside
	elsewhere      = 0.0045 // drop-off outside
	misplaced      = 4e-5   // pickups outside the month
)

// Weights of the hours of a day, and the factor on street speed in each.
var (
	hailHours = cumulate([]float64{10, 6, 4, 3, 2, 6, 17, 36, 54, 61, 62, 62, 64, 70, 74, 80, 85, 76, 70, 57, 39, 27, 21, 16})
	callHours = cumulate([]float64{3, 2, 1, 2, 7, 17, 29, 56, 79, 100, 102, 91, 87, 88, 76, 65, 55, 40, 29, 26, 18, 11, 9, 5})
	hourSpeed = [24]float64{1.28, 1.25, 1.27, 1.4, 1.4, 1.4, 1.3, 1.1, 1.03, 1.05, 1.02, 1, 0.97, 0.95, 0.92, 0.91, 0.92, 0.93, 1, 1.07, 1.14, 1.16, 1.22, 1.24}
	daySpeed  = [7]float64{1.08, 1.02, 0.99, 0.98, 0.97, 0.96, 1.02} // from Sunday on
	dayWeight = [7]float64{0.70, 1.00, 1.02, 1.04, 1.06, 1.10, 0.90}
)

// driver draws the rides of one month.
type driver struct {
	random     *rand.Rand
	city       *city
	dispatched float64
	start      int64     // of the month, seconds
	days       []float64 // cumulated weights
	weekday    int       // of the first
}

func newDriver(r *rand.Rand, taxi Taxi, m Month) *driver {
	d := &driver{random: r, city: theCity(), dispatched: dispatchedGreen,
		start: m.Start().Unix(), weekday: int(m.Start().Weekday())}
	if taxi == Yellow {
		d.dispatched = dispatchedYellow
	}
	weights := make([]float64, int(m.Add(1).Start().Sub(m.Start()).Hours())/24)
	for day := range weights {
		weights[day] = dayWeight[(d.weekday+day)%7]
	}
	d.days = cumulate(weights)
	return d
}

// ride draws one ride, and what is wrong with it.
func (d *driver) ride() ride {
	r := ride{dispatched: d.chance(d.dispatched), draw: d.random.Float64()}
	hours, flows, scatter, overhead := hailHours, &d.city.hails, 0.24, 1.3
	if r.dispatched {
		hours, flows, scatter, overhead = callHours, &d.city.calls, 0.34, 2.0
	}
	day, hour := draw(d.random, d.days), draw(d.random, hours)
	r.pickup = d.start + int64(day)*86400 + int64(hour)*3600 + d.random.Int64N(3600)
	from := draw(d.random, flows.from)
	to := draw(d.random, flows.to[from])
	r.from, r.to = from+1, to+1

	r.miles = d.city.miles(from, to) * math.Exp(scatter*d.random.NormFloat64())
	speed := min(11+0.95*r.miles, 34) * hourSpeed[hour] * daySpeed[(d.weekday+day)%7]
	noise := math.Exp(0.29 * d.random.NormFloat64())
	minutes := overhead*(0.5+d.random.Float64()) + 60*r.miles/speed*noise*d.city.slow[from]*d.city.slow[to]
	r.miles = math.Round(r.miles*100) / 100

	seconds := d.soil(&r, int64(math.Round(minutes*60)))
	if r.dispatched { // dispatchers write whole minutes
		r.pickup -= r.pickup % 60
		seconds = max(60, (seconds+30)/60*60)
	}
	r.dropoff = r.pickup + seconds
	return r
}

// soil spoils some rides as TLC's are, and returns how many seconds the ride
// lasted then.
func (d *driver) soil(r *ride, seconds int64) int64 {
	switch u := d.random.Float64(); {
	case u < nowhere:
		r.from, r.to = unknownZone+d.random.IntN(2), unknownZone+d.random.IntN(2)
	case u < nowhere+elsewhere:
		r.to = outsideZone
	}
	if r.dispatched {
		switch u := d.random.Float64(); {
		case u < noMilesCalled:
			r.miles = 0
		case u < noMilesCalled+outlierCalled:
			v := d.random.Float64()
			r.miles = math.Round((100+120_000*v*v)*100) / 100
		}
		return seconds
	}
	u := d.random.Float64()
	step := func(share float64) bool { u -= share; return u < 0 }
	switch {
	case step(tooShortHailed):
		r.to = r.from
		r.miles = 0
		if d.chance(0.4) {
			r.miles = math.Round(d.random.Float64()*20) / 100
		}
		if d.chance(zeroSeconds) {
			return 0
		}
		return 1 + d.random.Int64N(58)
	case step(wrapped):
		return 86_399 - int64(1800*d.random.ExpFloat64())%86_000
	case step(forgotten):
		return 3660 + int64(7200*d.random.ExpFloat64())%72_000
	case step(noMilesHailed):
		r.miles = 0
	}
	return seconds
}

func (d *driver) chance(p float64) bool { return d.random.Float64() < p }

// misplace moves the pickups of a few rides out of the month, as clocks do that
// were never set: one in three to the start of 2009, the others to the evening
// before. There is at least one such ride.
func (d *driver) misplace(rides []ride) {
	if len(rides) == 0 {
		return
	}
	for i := range int(math.Ceil(misplaced * float64(len(rides)))) {
		r := &rides[d.random.IntN(len(rides))]
		lasted := r.dropoff - r.pickup
		r.pickup = d.start - 60 - d.random.Int64N(3600)
		if i%3 == 0 {
			r.pickup = time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).Unix() + d.random.Int64N(3600)
		}
		r.dropoff = r.pickup + lasted
	}
}
