package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// recurrence is an RFC 5545 recurrence. The library counts wall time, in UTC;
// which instants those are is for instantOf, as with cron.
type recurrence struct {
	set *rrule.Set
	loc *time.Location
}

// defaultStart is where a rule without DTSTART begins, as Prefect's does.
var defaultStart = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// parseRRule reads lines of RRULE (the name may be left out where it is the only
// line), DTSTART, EXDATE and RDATE. A TZID of DTSTART is the schedule's time zone
// unless that is given.
func parseRRule(text string, loc *time.Location, zoneGiven bool) (*recurrence, error) {
	r, err := newRecurrence(text, loc, zoneGiven)
	if err != nil {
		return nil, fmt.Errorf("rrule %q: %w", text, err)
	}
	return r, nil
}

func newRecurrence(text string, loc *time.Location, zoneGiven bool) (*recurrence, error) {
	lines := strings.FieldsFunc(strings.ToUpper(text), func(c rune) bool { return c == '\n' || c == '\r' })
	start, rule := defaultStart, ""
	var except, extra []string
	for _, line := range lines {
		line = strings.TrimSpace(line)
		name, value, found := strings.Cut(line, ":")
		if !found {
			name, value = "RRULE", line
		}
		name, attributes, _ := strings.Cut(name, ";")
		if zone, ok := strings.CutPrefix(attributes, "TZID="); ok && name == "DTSTART" && !zoneGiven {
			var err error
			if loc, err = loadZone(zone, text); err != nil {
				return nil, err
			}
		}
		switch name {
		case "DTSTART":
			wall, err := parseWall(value, loc)
			if err != nil {
				return nil, err
			}
			start = wall
		case "RRULE":
			if rule != "" {
				return nil, errors.New("it has two rules: make them two schedules")
			}
			rule = value
		case "EXDATE":
			except = append(except, strings.Split(value, ",")...)
		case "RDATE":
			extra = append(extra, strings.Split(value, ",")...)
		case "":
		default:
			return nil, fmt.Errorf("what is %q? want RRULE, DTSTART, EXDATE or RDATE", name)
		}
	}
	r := &recurrence{set: &rrule.Set{}, loc: loc}
	if rule == "" {
		return nil, errors.New("it has no rule, such as FREQ=MONTHLY;BYMONTHDAY=15;BYHOUR=9")
	}
	if err := r.setRule(rule, start); err != nil {
		return nil, err
	}
	if err := eachWall(except, loc, r.set.ExDate); err != nil {
		return nil, err
	}
	return r, eachWall(extra, loc, r.set.RDate)
}

func eachWall(times []string, loc *time.Location, do func(time.Time)) error {
	for _, text := range times {
		wall, err := parseWall(text, loc)
		if err != nil {
			return err
		}
		do(wall)
	}
	return nil
}

func (r *recurrence) setRule(rule string, start time.Time) error {
	var parts []string
	for part := range strings.SplitSeq(rule, ";") {
		if until, ok := strings.CutPrefix(part, "UNTIL="); ok { // an instant, or wall time already
			wall, err := parseWall(until, r.loc)
			if err != nil {
				return err
			}
			part = "UNTIL=" + wall.Format(rrule.DateTimeFormat)
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	option, err := rrule.StrToROption(strings.Join(parts, ";"))
	if err != nil {
		return err
	}
	if option.Freq == rrule.SECONDLY {
		return errors.New("FREQ=SECONDLY: an interval does that")
	}
	if !reachable(option, start) {
		return errors.New("its interval never comes to its hours and minutes")
	}
	option.Dtstart = start
	compiled, err := rrule.NewRRule(*option)
	if err != nil {
		return err
	}
	r.set.DTStart(start)
	r.set.RRule(compiled)
	return nil
}

// reachable reports whether steps of hours or minutes from start ever come to a
// time of day that the rule wants. The library would look for it for ever.
func reachable(o *rrule.ROption, start time.Time) bool {
	const minutesADay = 24 * 60
	size := map[rrule.Frequency]int{rrule.HOURLY: 60, rrule.MINUTELY: 1}[o.Freq]
	if size == 0 {
		return true
	}
	minute := start.Hour()*60 + start.Minute()
	for range minutesADay { // after so many steps the times of day come round
		hourFits := len(o.Byhour) == 0 || slices.Contains(o.Byhour, minute/60)
		if hourFits && (size == 60 || len(o.Byminute) == 0 || slices.Contains(o.Byminute, minute%60)) {
			return true
		}
		minute = (minute + size*max(1, o.Interval)) % minutesADay
	}
	return false
}

// loadZone finds a zone whose name has been put into capitals.
func loadZone(zone, text string) (*time.Location, error) {
	if i := strings.Index(strings.ToUpper(text), "TZID="+zone); i >= 0 {
		zone = text[i+len("TZID="):][:len(zone)]
	}
	return Schedule{TimeZone: zone}.location()
}

// parseWall reads 20240315T090000, 20240315T140000Z or 20240315 as what a clock
// in loc shows then.
func parseWall(text string, loc *time.Location) (time.Time, error) {
	if t, err := time.Parse(rrule.DateTimeFormat, text); err == nil {
		return wallOf(t, loc), nil
	}
	for _, form := range []string{rrule.LocalDateTimeFormat, rrule.DateFormat} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q: want 20240315T090000, 20240315T140000Z or 20240315", text)
}

// farthest is how far ahead a rule is followed to its next instant. One of
// minutes that fits less than once a year is written as a rule of days.
var farthest = map[rrule.Frequency]time.Duration{
	rrule.MINUTELY: 400 * day, rrule.HOURLY: 10 * 366 * day, rrule.DAILY: 60 * 366 * day, rrule.WEEKLY: 60 * 366 * day,
	rrule.MONTHLY: 60 * 366 * day, rrule.YEARLY: 60 * 366 * day,
}

func (r *recurrence) next(t time.Time) time.Time { return r.following(t)() }

// following is next again and again, without beginning anew each time.
func (r *recurrence) following(t time.Time) (next func() time.Time) {
	wall, found := wallOf(t, r.loc), false
	walls := r.near(wall).Iterator()
	return func() time.Time {
		for !t.IsZero() {
			at, ok := walls()
			switch {
			case !ok && !found: // nothing comes within what is farthest
				t = time.Time{}
			case !ok:
				wall, found = wallOf(t, r.loc), false
				walls = r.near(wall).Iterator()
			case at.Before(wall.Add(-day)): // no gap is longer: what such a wall time means is not looked at
			default:
				if instant := instantOf(at, r.loc); instant.After(t) {
					t, found = instant, true
					return t
				}
			}
		}
		return t
	}
}

// never reports whether the rule has no instant at all.
func (r *recurrence) never() bool {
	return r.next(instantOf(r.set.GetDTStart(), r.loc).Add(-2 * day)).IsZero()
}

// near is the set with its rule begun shortly before wall, in the same phase, so
// that it is not followed from its very beginning, and ended where it is in vain.
func (r *recurrence) near(wall time.Time) *rrule.Set {
	option := r.set.GetRRule().OrigOptions
	start := r.set.GetDTStart()
	period := map[rrule.Frequency]time.Duration{rrule.MINUTELY: time.Minute, rrule.HOURLY: time.Hour, rrule.DAILY: day, rrule.WEEKLY: 7 * day}[option.Freq]
	period *= time.Duration(max(1, option.Interval))
	if lead := wall.Add(-2 * day).Sub(start); period > 0 && option.Count == 0 && lead > period {
		option.Dtstart = start.Add(lead / period * period)
	}
	end := wall.Add(farthest[option.Freq])
	if start.After(wall) {
		end = start.Add(farthest[option.Freq])
	}
	if option.Until.IsZero() || option.Until.After(end) {
		option.Until = end
	}
	rule, err := rrule.NewRRule(option)
	if err != nil {
		return r.set // the same options were valid before
	}
	near := &rrule.Set{}
	near.DTStart(option.Dtstart)
	near.RRule(rule)
	near.SetExDates(r.set.GetExDate())
	near.SetRDates(r.set.GetRDate())
	return near
}
