package schedule_test

import (
	"fmt"
	"time"

	"github.com/taximeter/taximeter/engine/schedule"
)

// The monthly retraining keeps its hour when the clocks change.
func ExampleSchedule_Next() {
	monthly := schedule.Schedule{Cron: "0 9 15 * *", TimeZone: "America/New_York"}
	t := time.Date(2021, 2, 1, 0, 0, 0, 0, time.UTC)
	for range 3 {
		t, _ = monthly.Next(t)
		fmt.Println(t.Format(time.RFC3339))
	}
	// Output:
	// 2021-02-15T14:00:00Z
	// 2021-03-15T13:00:00Z
	// 2021-04-15T13:00:00Z
}

// A day_or of false asks for both: a Friday that is a 13th.
func ExampleSchedule_Between() {
	unlucky := schedule.Schedule{Cron: "0 0 13 * fri", DayAnd: true}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list, _ := unlucky.Between(from, from.AddDate(1, 0, 0), 0)
	for _, t := range list {
		fmt.Println(t.Format(time.DateOnly))
	}
	// Output:
	// 2026-02-13
	// 2026-03-13
	// 2026-11-13
}

func ExampleHorizon_Upcoming() {
	now := time.Date(2022, 6, 20, 0, 0, 0, 0, time.UTC)
	list, _ := schedule.DefaultHorizon.Upcoming(schedule.Schedule{Cron: "0 9 15 * *"}, now)
	fmt.Println(len(list), "runs are made ahead")
	// Output: 3 runs are made ahead
}

func ExampleHorizon_Missed() {
	back := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC) // after three days off
	list, _ := schedule.DefaultHorizon.Missed(schedule.Schedule{Cron: "@hourly"}, schedule.CatchUp{Latest: true}, back.AddDate(0, 0, -3), back)
	fmt.Println(list)
	// Output: [2024-03-01 12:00:00 +0000 UTC]
}

// A mistake says where it is and what may have been meant; nothing of the file is
// then applied.
func ExampleParseFile() {
	_, err := schedule.ParseFile("taximeter.yaml", []byte(`deployments:
  - name: often
    flow: train
    schedule:
      itnerval: 120
`))
	fmt.Println(err)
	// Output: taximeter.yaml:5:7: unknown field "itnerval", did you mean "interval"?
}

// An interval of days keeps its wall time; a shorter one counts what has passed.
func ExampleSchedule() {
	daily := schedule.Schedule{Interval: 24 * time.Hour, Anchor: time.Date(2021, 3, 12, 9, 0, 0, 0, time.UTC), TimeZone: "Europe/Berlin"}
	t := time.Date(2021, 3, 27, 0, 0, 0, 0, time.UTC)
	for range 2 {
		t, _ = daily.Next(t)
		fmt.Println(t.Format(time.RFC3339))
	}
	fmt.Println(schedule.Schedule{Interval: time.Minute, Cron: "@hourly"}.Validate())
	// Output:
	// 2021-03-27T09:00:00Z
	// 2021-03-28T08:00:00Z
	// want exactly one of interval, cron and rrule
}

// A recurrence says what cron cannot: the last working day of a month.
func ExampleSchedule_rRule() {
	payday := schedule.Schedule{RRule: "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"}
	list, _ := payday.Between(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC), 0)
	for _, t := range list {
		fmt.Println(t.Format(time.DateOnly))
	}
	// Output:
	// 2024-01-31
	// 2024-02-29
	// 2024-03-29
}

// A deployment in code: what is left out is filled in, and a schedule's parameters are
// laid over its own.
func ExampleDeployment() {
	d, err := schedule.Deployment{
		Flow: "train", Name: "monthly", Parameters: []byte(`{"taxi":"green","trials":3}`),
		Schedules: []schedule.Schedule{{Cron: "0 9 15 * *", Parameters: []byte(`{"trials":30}`)}},
	}.Normalize(time.Now())
	if err != nil {
		fmt.Println(err)
	}
	params, err := d.RunParameters(&d.Schedules[0], nil)
	fmt.Println(d.Ref(), d.Pool, d.Schedules[0].Slug, d.CatchUp, string(params), err)
	// Output: train/monthly default schedule-1 all {"taxi":"green","trials":30} <nil>
}

// What was missed is run, all of it, the newest only, or what is not too old.
func ExampleParseCatchUp() {
	for _, text := range []string{"all", "latest", "skip-older-than 1d12h", "sometimes"} {
		c, err := schedule.ParseCatchUp(text)
		fmt.Println(c.Latest, c.OlderThan, err)
	}
	// Output:
	// false 0s <nil>
	// true 0s <nil>
	// false 36h0m0s <nil>
	// false 0s catch_up "sometimes": want all, latest, or skip-older-than and a time, such as skip-older-than 6h
}
