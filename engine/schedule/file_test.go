package schedule

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

const twoDeployments = `# both at once
deployments:
  - name: monthly
    flow: train
    description: Retrain every month.
    parameters: &course
      taxi: green
      trials: 3
      when: 2021-03-05
    tags: [ml, "1"]
    work_pool: zoompool
    schedules:
      - {slug: fifteenth, cron: 0 9 15 * *, timezone: America/New_York}
      - rrule: FREQ=YEARLY
        active: false
        parameters: {trials: 10}
    catch_up: skip-older-than 1d12h
    on_crash: fail
  - name: often
    flow: train
    parameters: *course
    work_pool: {name: zoompool, work_queue_name: urgent}
    schedule:
      interval: 120
      anchor_date: 2024-01-01T00:00:00Z
    concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW}
    paused: true
`

func TestParseFile(t *testing.T) {
	got, err := ParseFile("taximeter.yaml", []byte(twoDeployments))
	if err != nil {
		t.Fatal(err)
	}
	course := json.RawMessage(`{"taxi":"green","trials":3,"when":"2021-03-05"}`)
	want := []Deployment{{
		Flow: "train", Name: "monthly", Description: "Retrain every month.", Parameters: course, Tags: []string{"ml", "1"}, Pool: "zoompool",
		Schedules: []Schedule{{Slug: "fifteenth", Cron: "0 9 15 * *", TimeZone: newYork}, {RRule: "FREQ=YEARLY", Inactive: true, Parameters: json.RawMessage(`{"trials":10}`)}},
		CatchUp:   CatchUp{OlderThan: 36 * time.Hour}, OnCrash: Fail,
	}, {
		Flow: "train", Name: "often", Parameters: course, Pool: "zoompool", Queue: "urgent", Paused: true, Limit: 2, Collision: CancelNew,
		Schedules: []Schedule{{Interval: 2 * time.Minute, Anchor: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, d := range got {
		d, err := d.Normalize(time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back Deployment
		if err := json.Unmarshal(encoded, &back); err != nil || !reflect.DeepEqual(back, d) {
			t.Errorf("%v: %s came back as %+v\nwas %+v", err, encoded, back, d)
		}
	}
}

func TestMistakesInAFile(t *testing.T) {
	one := "deployments:\n- name: a\n  flow: train\n"
	for _, test := range []struct{ text, want string }{
		{one + "  schedule:\n    itnerval: 60\n", `taximeter.yaml:5:5: unknown field "itnerval", did you mean "interval"?`},
		{one + "  schedules:\n  - corn: 0 9 * * *\n  - cron: 0 9 * * *\n    time_zone: UTC\n",
			`taximeter.yaml:5:5: unknown field "corn", did you mean "cron"?` + "\n" + `taximeter.yaml:7:5: unknown field "time_zone", did you mean "timezone"?`},
		{one + "  entrypoint: x.py:f\n", `taximeter.yaml:4:3: unknown field "entrypoint": the code is in the program; name the flow with "flow"`},
		{"deploy: []\n", `taximeter.yaml:1:1: unknown field "deploy": there are deployments`},
		{one + "  zebra: 1\n", `unknown field "zebra": there are flow, name,`},
		{one + "  schedule: {cron: 0 25 * * *}\n", `cron "0 25 * * *": hour "25": want 0 to 23`},
		{one + "  schedule: {interval: soon}\n", `taximeter.yaml:4:24: interval: interval "soon": want seconds`},
		{one + "  paused: maybe\n", "taximeter.yaml:4:11: paused: want true or false"},
		{one + "  tags: ml\n", "taximeter.yaml:4:9: tags: want a list of texts"},
		{one + "  parameters: 5\n", "taximeter.yaml:4:15: parameters: want names and values"},
		{one + "  concurrency_limit: 0\n", "want a number of runs, at least 1"},
		{one + "  catch_up: sometimes\n", "want all, latest, or skip-older-than"},
		{one + "  name: b\n", `taximeter.yaml:4:3: `},
		{one + "- name: a\n  flow: train\n", "deployment train/a is there twice, first in line 2"},
		{"deployments:\n- flow: train\n", `deployment name ""`},
		{"deployments: {a: b}\n", "want a list of deployments"},
		{"deployments:\n  - a: [\n", "taximeter.yaml:"},
		{"", `it declares no deployments`},
		{"a: &a\n  b: *a\n", "unknown field"},
	} {
		list, err := ParseFile("taximeter.yaml", []byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || list != nil {
			t.Errorf("%q: %+v, %v\nwant %s", test.text, list, err, test.want)
		}
	}
}

// What only the flow knows is said with its place too.
func TestFileChecksParameters(t *testing.T) {
	type params struct {
		Trials int      `json:"trials" min:"1"`
		Months []string `json:"months"`
	}
	train := engine.Flow[params, int]{Name: "train"}
	for text, want := range map[string]string{
		"deployments:\n- name: a\n  flow: trian\n":                                                                     `f:3:9: deployment trian/a: there is no flow "trian", did you mean "train"?`,
		"deployments:\n- name: a\n  flow: train\n  parameters:\n    months: [a]\n    trials: 0\n":                      `f:6:5: deployment train/a: parameter trials`,
		"deployments:\n- name: a\n  flow: train\n  parameters: {trails: 1}\n":                                          `f:4:16: deployment train/a: parameter trails is unknown, did you mean "trials"?`,
		"deployments:\n- name: a\n  flow: train\n  parameters: {months: [1]}\n":                                        `f:4:16: deployment train/a: parameter months[0]`,
		"deployments:\n- name: a\n  flow: train\n  schedules:\n  - cron: '@daily'\n    parameters:\n      trials: x\n": `f:7:7: deployment train/a: parameter trials`,
	} {
		if list, err := ParseFile("f", []byte(text), train); err == nil || !strings.HasPrefix(err.Error(), want) || list != nil {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
	if list, err := ParseFile("f", []byte("deployments:\n- {name: a, flow: train, parameters: {trials: 3}}\n"), train); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add(twoDeployments)
	f.Add("deployments:\n- &a {<<: *a}\n")
	f.Add("deployments: !!seq\n- flow: |\n    train\n  name: a\n  parameters: {a: {b: [1, .inf, null]}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseFile("f", []byte(text))
		if (err == nil) != (list != nil) {
			t.Errorf("%q: %v, %v", text, list, err)
		}
		for _, d := range list {
			if _, err := d.Normalize(time.Unix(0, 0)); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
