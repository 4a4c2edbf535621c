package data

import "math"

// The columns no model here reads, made up so that they look their part. Each
// takes what chance it needs from the ride's one draw.

func vendor(r *ride) float64 {
	if !r.dispatched && r.chance(0.18, 1) {
		return 1
	}
	return 2
}

func storedAndForwarded(r *ride) string {
	switch {
	case r.dispatched:
		return ""
	case r.chance(0.006, 2):
		return "Y"
	}
	return "N"
}

func passengers(r *ride) float64 {
	switch {
	case r.chance(0.90, 3):
		return 1
	case r.chance(0.60, 4):
		return 2
	}
	return 5
}

func ratecode(r *ride) float64 {
	if r.chance(0.035, 5) {
		return 5
	}
	return 1
}

func tripType(r *ride) float64 {
	if ratecode(r) == 5 {
		return 2
	}
	return 1
}

func payment(r *ride) float64 {
	if r.dispatched {
		return 0
	}
	if r.chance(0.60, 6) {
		return 1
	}
	return 2
}

func fare(r *ride) float64 {
	if r.dispatched {
		return cents(8 + 1.6*min(r.miles, 60) + 0.35*min(r.minutes(), 90))
	}
	return 2.5 + math.Round(5*min(r.miles, 60)+0.8*min(r.minutes(), 90)/2)/2
}

func extra(r *ride) float64 {
	if r.dispatched {
		return 0
	}
	switch hour := r.pickup / 3600 % 24; {
	case hour >= 16 && hour < 20:
		return 1
	case hour >= 20 || hour < 6:
		return 0.5
	}
	return 0
}

func mtaTax(r *ride) float64 {
	if r.dispatched {
		return 0
	}
	return 0.5
}

func tip(r *ride) float64 {
	if payment(r) != 1 {
		return 0
	}
	return cents(0.2 * fare(r))
}

func tolls(r *ride) float64 {
	if r.miles > 8 && r.chance(0.4, 7) {
		return 6.12
	}
	return 0
}

func congestion(r *ride) float64 {
	if r.chance(0.22, 8) {
		return 2.75
	}
	return 0
}

func totalAmount(r *ride) float64 {
	total := fare(r) + extra(r) + mtaTax(r) + tip(r) + tolls(r) + 0.3
	if !r.dispatched {
		total += congestion(r)
	}
	return cents(total)
}

// chance answers a question, numbered n, about the ride: yes with probability
// p, and always the same.
func (r *ride) chance(p float64, n int) bool {
	_, u := math.Modf(r.draw * (1 + 977*float64(n)))
	return u < p
}

func cents(dollars float64) float64 { return math.Round(dollars*100) / 100 }
