package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestNormalizeAndKeep(t *testing.T) {
	created := time.Date(2024, 1, 1, 10, 20, 30, 0, time.UTC)
	d := Deployment{Flow: "train", Name: "often", Tags: []string{"b", "a", "b"}, Schedules: []Schedule{{Cron: "@daily"}, {Interval: time.Minute}, {Slug: "x", Interval: time.Hour}}}
	first, err := d.Normalize(created)
	if err != nil {
		t.Fatal(err)
	}
	if first.Pool != DefaultPool || first.Queue != DefaultQueue || first.Collision != Enqueue || first.OnCrash != Resume || fmt.Sprint(first.Tags) != "[a b]" {
		t.Errorf("normalized: %+v", first)
	}
	if first.Schedules[1].Slug != "schedule-2" || !first.Schedules[1].Anchor.Equal(created) || d.Schedules[1].Slug != "" {
		t.Errorf("schedules: %+v, of %+v", first.Schedules, d.Schedules)
	}
	d.Schedules[2].Interval = 2 * time.Hour
	second, err := d.Keep(first, created.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if !second.Schedules[1].Anchor.Equal(created) || !second.Schedules[2].Anchor.Equal(created.Add(time.Hour)) {
		t.Errorf("an interval that stays keeps its anchor, one that changes does not: %+v", second.Schedules)
	}
}

func TestInvalidDeployments(t *testing.T) {
	for want, change := range map[string]func(*Deployment){
		"wants a flow":         func(d *Deployment) { d.Flow = "" },
		`name "a/b"`:           func(d *Deployment) { d.Name = "a/b" },
		"concurrency limit -1": func(d *Deployment) { d.Limit = -1 },
		`collision "both"`:     func(d *Deployment) { d.Collision = "both" },
		`on_crash "cry"`:       func(d *Deployment) { d.OnCrash = "cry" },
		"want an object":       func(d *Deployment) { d.Parameters = []byte(`"x"`) },
		"two schedules": func(d *Deployment) {
			d.Schedules = []Schedule{{Slug: "x", Cron: "@daily"}, {Slug: "x", Cron: "@daily"}}
		},
		"schedule schedule-1: ": func(d *Deployment) { d.Schedules = []Schedule{{}} },
		`work pool " "`:         func(d *Deployment) { d.Pool = " " },
	} {
		d := Deployment{Flow: "train", Name: "monthly"}
		change(&d)
		if _, err := d.Normalize(time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestRunParameters(t *testing.T) {
	d := Deployment{Parameters: []byte(`{"taxi":"green","trials":3}`)}
	s := &Schedule{Parameters: []byte(`{"trials":10}`)}
	got, err := d.RunParameters(s, []byte(`{"date":"2021-03-05"}`))
	if err != nil || string(got) != `{"date":"2021-03-05","taxi":"green","trials":10}` {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := d.RunParameters(nil, nil); err != nil || string(got) != `{"taxi":"green","trials":3}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := d.RunParameters(nil, []byte("[]")); err == nil {
		t.Error("a list was taken for parameters")
	}
}

// The horizon is Prefect's: the homework's answer for a monthly deployment is 3.
func TestUpcoming(t *testing.T) {
	now := time.Date(2022, 6, 20, 12, 0, 30, 0, time.UTC)
	for _, test := range []struct {
		s    Schedule
		want int
	}{
		{Schedule{Cron: "0 9 15 * *"}, 3}, {Schedule{Cron: "* * * * *"}, 60}, {Schedule{Interval: 5 * time.Minute, Anchor: now}, 12},
		{Schedule{Cron: "@hourly"}, 3}, {Schedule{Cron: "@daily"}, 3}, {Schedule{Interval: time.Second, Anchor: now}, 100}, {Schedule{Cron: "@yearly"}, 0},
	} {
		list, err := DefaultHorizon.Upcoming(test.s, now)
		if err != nil || len(list) != test.want {
			t.Errorf("%v: %d runs ahead, %v; want %d", test.s, len(list), err, test.want)
		}
	}
}

func TestMissed(t *testing.T) {
	hourly := Schedule{Cron: "@hourly"}
	now := time.Date(2024, 1, 10, 12, 30, 0, 0, time.UTC)
	since := now.Add(-10 * time.Hour)
	for _, test := range []struct{ catchUp, want string }{
		{"all", "03 04 05 06 07 08 09 10 11 12"}, {"latest", "12"}, {"skip-older-than 2h", "11 12"}, {"skip-older-than 30m", "12"}, {"skip-older-than 10m", ""},
	} {
		c, err := ParseCatchUp(test.catchUp)
		if err != nil {
			t.Fatal(err)
		}
		list, err := DefaultHorizon.Missed(hourly, c, since, now)
		var got []string
		for _, at := range list {
			got = append(got, at.Format("15"))
			if c.Skips(at, now.Truncate(time.Hour), now) {
				t.Errorf("%s: %v is missed and skipped", test.catchUp, at)
			}
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, %v; want %s", test.catchUp, got, err, test.want)
		}
	}
	if list, err := (Horizon{MaxRuns: 3}).Missed(hourly, CatchUp{}, since, now); err != nil || len(list) != 3 || list[2].Hour() != 12 {
		t.Errorf("the newest three: %v, %v", list, err)
	}
	// Behind the newest there may be millions that nobody looks at.
	for _, s := range []Schedule{{Interval: time.Second}, {Cron: "* * * * *", TimeZone: newYork}, {RRule: "FREQ=MINUTELY", TimeZone: newYork}} {
		list, err := DefaultHorizon.Missed(s, CatchUp{}, now.AddDate(-3, 0, 0), now)
		if err != nil || len(list) != 100 || !list[99].Equal(now) || list[99].Sub(list[0]) > 99*time.Minute {
			t.Errorf("%v: %d runs missed, %v", s, len(list), err)
		}
	}
	yearly := Schedule{Cron: "@yearly"}
	if list, err := DefaultHorizon.Missed(yearly, CatchUp{}, now.AddDate(-300, 0, 0), now); err != nil || len(list) != 100 || list[99].Year() != 2024 {
		t.Errorf("in 300 years: %d, %v", len(list), err)
	}
	if list, err := DefaultHorizon.Missed(hourly, CatchUp{}, now.Add(time.Hour), now); err != nil || len(list) != 0 {
		t.Errorf("a clock that was put back misses %v, %v", list, err)
	}
}
