package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// interval is the instants a whole number of intervals from the anchor, before
// and after it. The days in it are days of the wall clock, the rest is elapsed
// time.
type interval struct {
	every  time.Duration
	anchor time.Time
	loc    *time.Location
}

const day = 24 * time.Hour

func (i interval) at(k int64) time.Time {
	days, rest := int64(i.every/day), i.every%day
	if days == 0 {
		return i.anchor.Add(time.Duration(k) * i.every).UTC()
	}
	wall := wallOf(i.anchor, i.loc).AddDate(0, 0, int(k*days))
	return instantOf(wall, i.loc).Add(time.Duration(k) * rest)
}

func (i interval) next(t time.Time) time.Time {
	if t.Sub(i.anchor) < -200*365*day || t.Sub(i.anchor) > 200*365*day {
		return time.Time{} // beyond what a duration counts
	}
	k := int64(t.Sub(i.anchor)/i.every) - 2 // a change of the clock may move an instant, but not by an interval
	for !i.at(k).After(t) {
		k++
	}
	return i.at(k)
}

// ParseInterval reads a number of seconds, or a duration such as 90s, 5m, 2h30m,
// 1d or 2w.
func ParseInterval(text string) (time.Duration, error) {
	d, err := parseInterval(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("interval %q: want seconds, or a duration such as 90s, 5m, 2h30m or 1d", text)
	}
	return d, nil
}

func parseInterval(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return time.ParseDuration(strconv.FormatFloat(seconds, 'f', -1, 64) + "s")
	}
	days, rest, found := strings.Cut(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseInt(days, 10, 16)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number of days", days)
	}
	if rest == "" {
		return time.Duration(n) * day, nil
	}
	more, err := time.ParseDuration(rest)
	return time.Duration(n)*day + more, err
}

// formatInterval writes what ParseInterval reads, in the shortest form.
func formatInterval(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if text == "" || !strings.ContainsAny(text[len(text)-1:], "hms") {
		return d.String()
	}
	return text
}
