package schedule

import "time"

// wallOf is what a clock in loc shows at t, as fields of a time in UTC.
func wallOf(t time.Time, loc *time.Location) time.Time {
	_, offset := t.In(loc).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf is the first instant at which a clock in loc shows wall or, where it
// skips that, anything later. It never decreases as wall grows.
func instantOf(wall time.Time, loc *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), loc)
	begin, end := t.ZoneBounds()
	switch shown := wallOf(t, loc); {
	case shown.After(wall): // in a gap, and t is past it
		return begin.UTC()
	case shown.Before(wall): // in a gap, and t is before it
		return end.UTC()
	case !begin.IsZero():
		_, offset := begin.Add(-1).Zone()
		if earlier := wall.Add(-time.Duration(offset) * time.Second); earlier.Before(begin) {
			return earlier.UTC()
		}
	}
	return t.UTC()
}
