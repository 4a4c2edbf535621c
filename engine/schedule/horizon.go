package schedule

import "time"

// Horizon says how far ahead runs are made: as few as possible, but at least
// MinRuns and as many as begin within MinAhead; and never more than MaxRuns, nor
// beyond MaxAhead.
type Horizon struct {
	MinRuns, MaxRuns   int
	MinAhead, MaxAhead time.Duration
}

// DefaultHorizon is Prefect's: a run a minute makes 60, one a month 3.
var DefaultHorizon = Horizon{MinRuns: 3, MaxRuns: 100, MinAhead: time.Hour, MaxAhead: 100 * day}

// Upcoming returns the instants after now that the horizon reaches, oldest first.
func (h Horizon) Upcoming(s Schedule, now time.Time) ([]time.Time, error) {
	all, err := s.Between(now, now.Add(h.MaxAhead), h.MaxRuns)
	if err != nil {
		return nil, err
	}
	for i, t := range all {
		if i >= h.MinRuns && t.After(now.Add(h.MinAhead)) {
			return all[:i], nil
		}
	}
	return all, nil
}

// Missed returns the instants after since and up to now that c does not skip,
// oldest first: at most the horizon's MaxRuns, the newest.
func (h Horizon) Missed(s Schedule, c CatchUp, since, now time.Time) ([]time.Time, error) {
	if c.OlderThan > 0 && now.Sub(since) > c.OlderThan {
		since = now.Add(-c.OlderThan - 1)
	}
	r, err := s.compile()
	if err != nil {
		return nil, err
	}
	keep := h.MaxRuns
	if c.Latest {
		keep = 1
	}
	// Backwards from now, as far as it takes: there may be a year of minutes behind it.
	for back := time.Minute; ; back *= 4 {
		from := now.Add(-back)
		if !from.After(since) || back > 100*365*day {
			from = since
		}
		list := between(r, from, now, 0)
		if len(list) >= keep || from.Equal(since) {
			return list[max(0, len(list)-keep):], nil
		}
	}
}
