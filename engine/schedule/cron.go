package schedule

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is a parsed expression: sets of minutes, hours, days, months and weekdays
// as bits. It follows croniter, which Prefect uses, in what it accepts and in
// how it reads it.
type cron struct {
	minutes, hours, days, months, weekdays uint64

	lastDay    bool      // L: the last day of the month
	nth        [7]uint64 // 2#3: bit 3 of weekday 2; bit 0 is the last one, L2
	anyDay     bool      // the day of the month is not restricted
	anyWeekday bool      // the day of the week is not restricted
	dayAnd     bool
	loc        *time.Location
}

var aliases = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

var (
	monthNames   = strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")
	weekdayNames = strings.Fields("sun mon tue wed thu fri sat")
)

// parseCron reads "minute hour day-of-month month day-of-week", each a *, a list
// of numbers, names and ranges, with steps. A day of the month may be L, the last;
// a day of the week 2#3, the third Tuesday, or L5, the last Friday; 7 is Sunday.
func parseCron(text string, dayAnd bool, loc *time.Location) (*cron, error) {
	c, err := newCron(text, dayAnd, loc)
	if err != nil {
		return nil, fmt.Errorf("cron %q: %w", text, err)
	}
	if c.next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("cron %q: there is no such day", text)
	}
	return c, nil
}

func newCron(text string, dayAnd bool, loc *time.Location) (*cron, error) {
	if full, ok := aliases[strings.ToLower(strings.TrimSpace(text))]; ok {
		text = full
	}
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) != 5 {
		return nil, fmt.Errorf("it has %d fields, want 5: minute, hour, day of month, month, day of week", len(fields))
	}
	c := &cron{dayAnd: dayAnd, loc: loc}
	for i, f := range []struct {
		name     string
		set      *uint64
		from, to int
		names    []string
		special  func(string) (bool, error)
	}{
		{"minute", &c.minutes, 0, 59, nil, nil},
		{"hour", &c.hours, 0, 23, nil, nil},
		{"day of month", &c.days, 1, 31, nil, c.specialDay},
		{"month", &c.months, 1, 12, monthNames, nil},
		{"day of week", &c.weekdays, 0, 7, weekdayNames, c.specialWeekday},
	} {
		for part := range strings.SplitSeq(fields[i], ",") {
			if f.special != nil {
				special, err := f.special(part)
				if err != nil {
					return nil, fmt.Errorf("%s %q: %w", f.name, part, err)
				}
				if special {
					continue
				}
			}
			set, err := parseField(part, f.from, f.to, f.names)
			if err != nil {
				return nil, fmt.Errorf("%s %q: %w", f.name, part, err)
			}
			*f.set |= set
		}
	}
	if c.weekdays&(1<<7) != 0 {
		c.weekdays = c.weekdays&^(1<<7) | 1
	}
	c.anyDay = bits.OnesCount64(c.days) == 31
	c.anyWeekday = c.weekdays == 1<<7-1
	return c, nil
}

// parseField reads one part of a list: a number, a range, either with a step.
func parseField(part string, from, to int, names []string) (set uint64, err error) {
	span, stepText, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return 0, fmt.Errorf("want a step of at least 1 after /")
		}
	}
	first, last := from, to
	if span != "*" {
		low, high, isRange := strings.Cut(span, "-")
		if first, err = parseNumber(low, from, to, names); err != nil {
			return 0, err
		}
		switch {
		case isRange:
			if last, err = parseNumber(high, from, to, names); err != nil {
				return 0, err
			}
		case !stepped:
			last = first
		}
	} else if to == 7 {
		last = 6 // or Sunday would count twice
	}
	if first <= last {
		for n := first; n <= last; n += step {
			set |= 1 << n
		}
		return set, nil
	}
	// A range that wraps, such as fri-mon or 22-2.
	size := to - from + 1
	if to == 7 {
		size = 7
	}
	for n := first; n <= last+size; n += step {
		set |= 1 << (from + (n-from)%size)
	}
	return set, nil
}

func parseNumber(text string, from, to int, names []string) (int, error) {
	if i := slices.Index(names, text); i >= 0 {
		return from + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < from || n > to {
		return 0, fmt.Errorf("want %d to %d", from, to)
	}
	return n, nil
}

func (c *cron) specialDay(part string) (bool, error) {
	if part == "l" {
		c.lastDay = true
		return true, nil
	}
	return false, nil
}

func (c *cron) specialWeekday(part string) (bool, error) {
	if number, ok := strings.CutPrefix(part, "l"); ok {
		n, err := parseNumber(number, 0, 7, weekdayNames)
		if err != nil {
			return false, err
		}
		c.nth[n%7] |= 1
		return true, nil
	}
	weekday, nth, ok := strings.Cut(part, "#")
	if !ok {
		return false, nil
	}
	n, err := parseNumber(weekday, 0, 7, weekdayNames)
	if err != nil {
		return false, err
	}
	k, err := parseNumber(nth, 1, 5, nil)
	if err != nil {
		return false, err
	}
	c.nth[n%7] |= 1 << k
	return true, nil
}

// yearsLooked is how far a next instant is looked for: 29 February on a given
// weekday may be 40 years away.
const yearsLooked = 50

func (c *cron) next(t time.Time) time.Time {
	// Instants never decrease as wall times grow, so the first wall time that
	// lies after t is the next.
	wall := wallOf(t, c.loc).Truncate(time.Minute)
	for limit := wall.Year() + yearsLooked; wall.Year() <= limit; {
		wall = c.wallFrom(wall, limit)
		if wall.IsZero() {
			break
		}
		if at := instantOf(wall, c.loc); at.After(t) {
			return at
		}
		wall = wall.Add(time.Minute)
	}
	return time.Time{}
}

// wallFrom is the first wall time that fits, at wall or later.
func (c *cron) wallFrom(wall time.Time, limit int) time.Time {
	for wall.Year() <= limit {
		year, month, dayOfMonth := wall.Date()
		switch {
		case c.months&(1<<month) == 0:
			wall = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		case !c.fitsDay(wall):
			wall = time.Date(year, month, dayOfMonth+1, 0, 0, 0, 0, time.UTC)
		case c.hours&(1<<wall.Hour()) == 0:
			wall = time.Date(year, month, dayOfMonth, wall.Hour()+1, 0, 0, 0, time.UTC)
		case c.minutes&(1<<wall.Minute()) == 0:
			wall = wall.Add(time.Minute)
		default:
			return wall
		}
	}
	return time.Time{}
}

func (c *cron) fitsDay(wall time.Time) bool {
	last := time.Date(wall.Year(), wall.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	weekday := int(wall.Weekday())
	byDay := c.days&(1<<wall.Day()) != 0 || c.lastDay && wall.Day() == last
	byWeekday := c.weekdays&(1<<weekday) != 0 ||
		c.nth[weekday]&(1<<((wall.Day()+6)/7)) != 0 ||
		c.nth[weekday]&1 != 0 && wall.Day() > last-7
	switch {
	case c.anyDay:
		return byWeekday
	case c.anyWeekday:
		return byDay
	case c.dayAnd:
		return byDay && byWeekday
	}
	return byDay || byWeekday
}
