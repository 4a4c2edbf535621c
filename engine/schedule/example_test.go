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
