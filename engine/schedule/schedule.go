package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Schedule is one rule by which runs of a deployment are due: exactly one of
// Interval, Cron and RRule is set.
type Schedule struct {
	// Slug is the schedule's identity within its deployment. Normalize gives one
	// that is empty its place in the list.
	Slug string

	Interval time.Duration // from Anchor; at least a second
	Anchor   time.Time     // of an interval: one of its instants; zero: 2020-01-01, unless whoever keeps the deployment sets it
	Cron     string        // five fields, or @monthly and its like
	DayAnd   bool          // of cron: day of the month and day of the week must both fit; else either will do
	RRule    string        // RFC 5545: RRULE, with or without DTSTART, EXDATE, RDATE; no DTSTART: 2020-01-01

	TimeZone   string          // such as "America/New_York"; empty: UTC
	Inactive   bool            // makes no runs
	Parameters json.RawMessage // object laid over the deployment's parameters; nil: none
}

// Zones are embedded by programs that import time/tzdata; a Schedule only asks
// for them by name.
func (s Schedule) location() (*time.Location, error) {
	if s.TimeZone == "" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "Local" {
		return nil, fmt.Errorf("time zone %q: there is none of that name; want one such as Europe/Berlin", s.TimeZone)
	}
	return loc, nil
}

// rule is a compiled schedule.
type rule interface {
	// next is the first instant after t; zero: there is none.
	next(t time.Time) time.Time
}

var slugForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)

// Validate says what is wrong with the schedule.
func (s Schedule) Validate() error {
	if s.Slug != "" && !slugForm.MatchString(s.Slug) {
		return fmt.Errorf("slug %q: want lower-case letters, digits and dashes", s.Slug)
	}
	if err := validParameters(s.Parameters); err != nil {
		return err
	}
	r, err := s.compile()
	if err != nil {
		return err
	}
	if rule, ok := r.(*recurrence); ok && rule.never() {
		return fmt.Errorf("rrule %q: there is no such time", s.RRule)
	}
	return nil
}

func (s Schedule) compile() (rule, error) {
	loc, err := s.location()
	if err != nil {
		return nil, err
	}
	kinds := 0
	for _, set := range []bool{s.Interval != 0, s.Cron != "", s.RRule != ""} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return nil, errors.New("want exactly one of interval, cron and rrule")
	case s.Interval == 0 && !s.Anchor.IsZero():
		return nil, errors.New("an anchor goes with an interval only")
	case s.Cron == "" && s.DayAnd:
		return nil, errors.New("day_or goes with cron only")
	case s.Interval != 0 && s.Interval < time.Second:
		return nil, fmt.Errorf("interval %v: want at least a second", s.Interval)
	case s.Interval != 0 && s.Anchor.IsZero():
		return interval{s.Interval, defaultStart, loc}, nil
	case s.Interval != 0:
		return interval{s.Interval, s.Anchor, loc}, nil
	case s.Cron != "":
		return parseCron(s.Cron, s.DayAnd, loc)
	}
	return parseRRule(s.RRule, loc, s.TimeZone != "")
}

// Next returns the first instant after t, in UTC, whether the schedule is active
// or not. The zero time means that there is none; the error that the schedule is
// not valid.
func (s Schedule) Next(t time.Time) (time.Time, error) {
	r, err := s.compile()
	if err != nil {
		return time.Time{}, err
	}
	return r.next(t), nil
}

// Between returns the instants after from up to and including to, oldest first.
// No more than most are returned, the oldest; most 0 means all.
func (s Schedule) Between(from, to time.Time, most int) ([]time.Time, error) {
	r, err := s.compile()
	if err != nil {
		return nil, err
	}
	return between(r, from, to, most), nil
}

func between(r rule, from, to time.Time, most int) (list []time.Time) {
	next := following(r, from)
	for t := next(); !t.IsZero() && !t.After(to) && (most == 0 || len(list) < most); t = next() {
		list = append(list, t)
	}
	return list
}

// following returns what gives the instants after t, one with each call, and then the
// zero time.
func following(r rule, t time.Time) (next func() time.Time) {
	if rule, ok := r.(*recurrence); ok {
		return rule.following(t)
	}
	return func() time.Time {
		t = r.next(t)
		return t
	}
}

// String says the rule as people write it: "cron 0 9 15 * *, America/New_York".
func (s Schedule) String() string {
	text := ""
	switch {
	case s.Cron != "":
		text = "cron " + s.Cron
		if s.DayAnd {
			text += " (day of month and week)"
		}
	case s.RRule != "":
		text = "rrule " + s.RRule
	default:
		text = "every " + formatInterval(s.Interval)
	}
	if s.TimeZone != "" {
		text += ", " + s.TimeZone
	}
	return text
}

func validParameters(p json.RawMessage) error {
	if len(p) == 0 {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(p, &object); err != nil || object == nil {
		return fmt.Errorf("parameters: want an object of names and values, not %s", p)
	}
	return nil
}
