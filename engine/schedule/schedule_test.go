package schedule

import (
	"strings"
	"testing"
	"time"
)

// walls are the next n instants of s after from, as a clock in s's zone shows
// them, with its abbreviation of the zone.
func walls(t *testing.T, s Schedule, from string, n int) []string {
	t.Helper()
	loc, err := s.location()
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for range n {
		if at, err = s.Next(at); err != nil {
			t.Fatal(err)
		}
		if at.IsZero() {
			return append(list, "never")
		}
		list = append(list, at.In(loc).Format("2006-01-02 15:04 MST"))
	}
	return list
}

const newYork = "America/New_York"

func TestNext(t *testing.T) {
	anchor := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, test := range []struct {
		name string
		s    Schedule
		from string
		want string // joined by ;
	}{
		{"the homework's", Schedule{Cron: "0 9 15 * *"}, "2022-06-15T09:00:00Z",
			"2022-07-15 09:00 UTC;2022-08-15 09:00 UTC;2022-09-15 09:00 UTC"},
		{"twelve months in a zone", Schedule{Cron: "0 9 15 * *", TimeZone: newYork}, "2021-01-01T00:00:00Z",
			"2021-01-15 09:00 EST;2021-02-15 09:00 EST;2021-03-15 09:00 EDT;2021-04-15 09:00 EDT;2021-05-15 09:00 EDT;2021-06-15 09:00 EDT;" +
				"2021-07-15 09:00 EDT;2021-08-15 09:00 EDT;2021-09-15 09:00 EDT;2021-10-15 09:00 EDT;2021-11-15 09:00 EST;2021-12-15 09:00 EST"},
		{"the last of each month", Schedule{Cron: "0 0 L * *"}, "2024-01-30T00:00:00Z",
			"2024-01-31 00:00 UTC;2024-02-29 00:00 UTC;2024-03-31 00:00 UTC;2024-04-30 00:00 UTC"},
		{"the 31st where there is one", Schedule{Cron: "0 0 31 * *"}, "2023-01-31T00:00:00Z",
			"2023-03-31 00:00 UTC;2023-05-31 00:00 UTC"},
		{"29 February", Schedule{Cron: "0 0 29 2 *"}, "2096-03-01T00:00:00Z", "2104-02-29 00:00 UTC"},
		{"the day of month or of week", Schedule{Cron: "0 0 1 * fri"}, "2024-02-27T00:00:00Z",
			"2024-03-01 00:00 UTC;2024-03-08 00:00 UTC;2024-03-15 00:00 UTC"},
		{"the third Tuesday by day_or false", Schedule{Cron: "0 0 15-21 * 2", DayAnd: true}, "2024-01-01T00:00:00Z",
			"2024-01-16 00:00 UTC;2024-02-20 00:00 UTC;2024-03-19 00:00 UTC"},
		{"the third Tuesday by name", Schedule{Cron: "0 0 * * tue#3"}, "2024-01-01T00:00:00Z", "2024-01-16 00:00 UTC;2024-02-20 00:00 UTC"},
		{"the last Friday", Schedule{Cron: "30 18 * * L5"}, "2024-02-01T00:00:00Z", "2024-02-23 18:30 UTC;2024-03-29 18:30 UTC"},
		{"Sunday is 7 too", Schedule{Cron: "0 0 * * 5-7"}, "2024-03-01T00:00:00Z", "2024-03-02 00:00 UTC;2024-03-03 00:00 UTC;2024-03-08 00:00 UTC"},
		{"a range over midnight", Schedule{Cron: "0 22-1/2 * * *"}, "2024-03-01T12:00:00Z", "2024-03-01 22:00 UTC;2024-03-02 00:00 UTC;2024-03-02 22:00 UTC"},
		{"an alias", Schedule{Cron: "@monthly"}, "2024-01-31T00:00:00Z", "2024-02-01 00:00 UTC;2024-03-01 00:00 UTC"},

		// 2018-03-11 02:00 EST was 03:00 EDT; 2018-11-04 02:00 EDT was 01:00 EST.
		{"hourly in spring", Schedule{Cron: "0 * * * *", TimeZone: newYork}, "2018-03-11T05:00:00Z",
			"2018-03-11 01:00 EST;2018-03-11 03:00 EDT;2018-03-11 04:00 EDT"},
		{"hourly in autumn", Schedule{Cron: "0 * * * *", TimeZone: newYork}, "2018-11-04T04:00:00Z",
			"2018-11-04 01:00 EDT;2018-11-04 02:00 EST;2018-11-04 03:00 EST"},
		{"a time that is skipped", Schedule{Cron: "30 2 * * *", TimeZone: newYork}, "2018-03-10T12:00:00Z",
			"2018-03-11 03:00 EDT;2018-03-12 02:30 EDT"},
		{"what is skipped comes once", Schedule{Cron: "*/20 2,3 * * *", TimeZone: newYork}, "2018-03-11T06:59:59Z",
			"2018-03-11 03:00 EDT;2018-03-11 03:20 EDT;2018-03-11 03:40 EDT;2018-03-12 02:00 EDT"},
		{"a time that comes twice", Schedule{Cron: "30 1 * * *", TimeZone: newYork}, "2018-11-04T04:00:00Z",
			"2018-11-04 01:30 EDT;2018-11-05 01:30 EST"},
		{"after the first of the two", Schedule{Cron: "30 1 * * *", TimeZone: newYork}, "2018-11-04T05:30:00Z", "2018-11-05 01:30 EST"},
		{"half an hour of summer", Schedule{Cron: "15 2 * * *", TimeZone: "Australia/Lord_Howe"}, "2024-10-05T12:00:00Z",
			"2024-10-06 02:30 +11;2024-10-07 02:15 +11"},
		{"a day that was skipped", Schedule{Cron: "0 9 * * *", TimeZone: "Pacific/Apia"}, "2011-12-28T20:00:00Z",
			"2011-12-29 09:00 -10;2011-12-31 00:00 +14;2011-12-31 09:00 +14"},

		{"an hour of elapsed time, in autumn", Schedule{Interval: time.Hour, Anchor: anchor("2018-11-01T00:30:00Z"), TimeZone: newYork}, "2018-11-04T05:00:00Z",
			"2018-11-04 01:30 EDT;2018-11-04 01:30 EST;2018-11-04 02:30 EST"},
		{"a day of wall time, in spring", Schedule{Interval: day, Anchor: anchor("2018-03-08T14:00:00Z"), TimeZone: newYork}, "2018-03-10T00:00:00Z",
			"2018-03-10 09:00 EST;2018-03-11 09:00 EDT;2018-03-12 09:00 EDT"},
		{"a day of wall time, in autumn", Schedule{Interval: day, Anchor: anchor("2018-11-01T13:00:00Z"), TimeZone: newYork}, "2018-11-03T00:00:00Z",
			"2018-11-03 09:00 EDT;2018-11-04 09:00 EST;2018-11-05 09:00 EST"},
		{"two minutes, from the anchor", Schedule{Interval: 2 * time.Minute, Anchor: anchor("2024-01-01T00:01:00Z")}, "2024-05-05T10:00:30Z",
			"2024-05-05 10:01 UTC;2024-05-05 10:03 UTC"},
		{"without an anchor", Schedule{Interval: time.Hour}, "2024-05-05T10:20:00Z", "2024-05-05 11:00 UTC;2024-05-05 12:00 UTC"},
		{"before the anchor", Schedule{Interval: 36 * time.Hour, Anchor: anchor("2024-01-10T00:00:00Z")}, "2024-01-06T00:00:00Z",
			"2024-01-07 00:00 UTC;2024-01-08 12:00 UTC;2024-01-10 00:00 UTC"},

		{"a rule", Schedule{RRule: "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=9", TimeZone: newYork}, "2024-02-01T00:00:00Z",
			"2024-02-29 09:00 EST;2024-03-31 09:00 EDT"},
		{"the 31st by a rule", Schedule{RRule: "FREQ=MONTHLY;BYMONTHDAY=31"}, "2024-01-31T00:00:00Z", "2024-03-31 00:00 UTC;2024-05-31 00:00 UTC"},
		{"a rule that begins in years", Schedule{RRule: "DTSTART:20300131T090000\nRRULE:FREQ=MONTHLY"}, "2024-01-31T00:00:00Z", "2030-01-31 09:00 UTC;2030-03-31 09:00 UTC"},
		{"a rule with a start in a zone", Schedule{RRule: "DTSTART;TZID=America/New_York:20180310T023000\nRRULE:FREQ=DAILY"}, "2018-03-10T00:00:00Z",
			"2018-03-10 07:30 UTC;2018-03-11 07:00 UTC;2018-03-12 06:30 UTC"},
		{"a rule with exceptions", Schedule{RRule: "DTSTART:20240101T090000\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20240108T090000\nRDATE:20240110T090000"}, "2024-01-01T00:00:00Z",
			"2024-01-01 09:00 UTC;2024-01-10 09:00 UTC;2024-01-15 09:00 UTC;never"},
		{"a rule until", Schedule{RRule: "FREQ=HOURLY;INTERVAL=7;UNTIL=20240301T120000Z", TimeZone: newYork}, "2024-03-01T00:00:00Z",
			"2024-03-01 01:00 EST;never"},
		{"a rule of minutes, long after its start", Schedule{RRule: "FREQ=MINUTELY;INTERVAL=7"}, "2037-01-01T00:00:00Z", "2037-01-01 00:02 UTC;2037-01-01 00:09 UTC"},
		{"every other week keeps its phase", Schedule{RRule: "DTSTART:20200106T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"}, "2026-06-30T00:00:00Z",
			"2026-07-01 09:00 UTC;2026-07-13 09:00 UTC;2026-07-15 09:00 UTC"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := strings.Split(test.want, ";")
			if got := strings.Join(walls(t, test.s, test.from, len(want)), ";"); got != test.want {
				t.Errorf("%v after %s:\n%s\nwant\n%s", test.s, test.from, got, test.want)
			}
		})
	}
}

// Whatever the zone and the rule, instants grow, and asking from any moment
// between two gives the second: nothing fires twice, nothing is left out, and a
// clock that was put back makes the same instants again.
func TestInstantsDoNotDependOnWhenTheyAreAskedFor(t *testing.T) {
	for _, zone := range []string{"", newYork, "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu"} {
		for _, s := range []Schedule{
			{Cron: "*/30 * * * *"}, {Cron: "15 1-3 * * *"}, {Cron: "0 9 15 * *"}, {Interval: 5 * time.Hour}, {Interval: 24 * time.Hour},
			{Interval: 31 * time.Hour}, {RRule: "DTSTART:20100101\nRRULE:FREQ=DAILY;BYHOUR=2;BYMINUTE=30"}, {RRule: "DTSTART:20100101\nRRULE:FREQ=HOURLY;INTERVAL=5"},
		} {
			s.TimeZone = zone
			if s.Interval != 0 {
				s.Anchor = time.Date(2011, 10, 1, 0, 30, 0, 0, time.UTC)
			}
			from := time.Date(2011, 12, 25, 0, 0, 0, 0, time.UTC)
			list, err := s.Between(from, from.AddDate(0, 0, 100), 0)
			if err != nil || len(list) < 3 {
				t.Fatalf("%v: %d instants, %v", s, len(list), err)
			}
			for i := 1; i < len(list); i++ {
				if !list[i].After(list[i-1]) {
					t.Fatalf("%v: %v follows %v", s, list[i], list[i-1])
				}
				for _, at := range []time.Time{list[i-1], list[i-1].Add(time.Second), list[i].Add(-time.Second)} {
					if got, _ := s.Next(at); !got.Equal(list[i]) {
						t.Fatalf("%v: Next(%v) = %v, want %v", s, at, got, list[i])
					}
				}
			}
		}
	}
}

func TestInvalidSchedules(t *testing.T) {
	for _, test := range []struct {
		s    Schedule
		want string
	}{
		{Schedule{}, "want exactly one of interval, cron and rrule"},
		{Schedule{Cron: "0 9 * * *", RRule: "FREQ=DAILY"}, "want exactly one"},
		{Schedule{Cron: "0 9 15 *"}, "it has 4 fields, want 5"},
		{Schedule{Cron: "0 24 * * *"}, `hour "24": want 0 to 23`},
		{Schedule{Cron: "*/0 * * * *"}, "want a step of at least 1"},
		{Schedule{Cron: "0 0 31 2 *"}, "there is no such day"},
		{Schedule{Cron: "0 0 * * 2#6"}, "want 1 to 5"},
		{Schedule{Cron: "@never"}, "want 5"},
		{Schedule{Interval: time.Millisecond}, "want at least a second"},
		{Schedule{Interval: time.Hour, DayAnd: true}, "day_or goes with cron"},
		{Schedule{Cron: "0 9 * * *", Anchor: time.Unix(0, 0)}, "an anchor goes with an interval"},
		{Schedule{Cron: "0 9 * * *", TimeZone: "Mars/Olympus"}, "there is none of that name"},
		{Schedule{RRule: "FREQ=SOMETIMES"}, "SOMETIMES"},
		{Schedule{RRule: "FREQ=SECONDLY"}, "an interval does that"},
		{Schedule{RRule: "FREQ=MINUTELY;INTERVAL=60;BYMINUTE=30"}, "never comes to its hours"},
		{Schedule{RRule: "FREQ=HOURLY;INTERVAL=24;BYHOUR=3"}, "never comes to its hours"},
		{Schedule{RRule: "FREQ=MINUTELY;INTERVAL=6;BYHOUR=3;BYMINUTE=5"}, "never comes to its hours"},
		{Schedule{RRule: "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"}, "there is no such time"},
		{Schedule{RRule: "DTSTART:tomorrow\nRRULE:FREQ=DAILY"}, "want 20240315T090000"},
		{Schedule{Slug: "A b", Cron: "0 9 * * *"}, "slug"},
		{Schedule{Cron: "0 9 * * *", Parameters: []byte("[1]")}, "want an object"},
	} {
		if err := test.s.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.s, err, test.want)
		}
	}
}

func FuzzCron(f *testing.F) {
	for _, s := range []string{"0 9 15 * *", "*/5 1-3,22-2 L * mon#2,L5", "@daily", "0 0 29 2 1", "59 23 31 12 7"} {
		f.Add(s, true, int64(1541307600))
	}
	f.Fuzz(func(t *testing.T, text string, and bool, unix int64) {
		s := Schedule{Cron: text, DayAnd: and, TimeZone: newYork}
		from := time.Unix(unix%4e9, 0)
		next, err := s.Next(from)
		if err == nil && !next.IsZero() && !next.After(from) {
			t.Errorf("%q after %v is %v", text, from, next)
		}
	})
}
