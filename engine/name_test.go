package engine_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

func TestNamesTagsAndHooks(t *testing.T) {
	type params struct {
		Month string `json:"month"`
	}
	var mu sync.Mutex
	var told []string
	read := engine.Task[params, string]{
		Name: "Read", RunName: "Read {month}", Tags: []string{"io"},
		Func: func(_ context.Context, p params) (string, error) { return p.Month, nil },
		OnState: func(_ context.Context, r engine.TaskRun) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, "task "+r.State.Name)
		},
	}
	f := engine.Flow[params, string]{
		Name: "score", RunName: "{flow} {month} {else}", Tags: []string{"ml", "a"}, Description: "scores rides",
		Func: func(c *engine.Ctx, p params) (engine.Arg[string], error) { return read.Submit(c, engine.Val(p)), nil },
		OnState: func(_ context.Context, r engine.FlowRun) {
			mu.Lock()
			defer mu.Unlock()
			if told = append(told, "flow "+r.State.Name); r.State.Type == engine.TypeCompleted {
				panic("a hook's panic is only logged")
			}
		},
	}
	e := &engine.Engine{Version: "v7"}
	_, run, err := f.Start(t.Context(), e, params{"2021-01"}, engine.Options{Tags: []string{"adhoc", "a"}})
	if err != nil || run.Name != "score 2021-01 {else}" || !slices.Equal(run.Tags, []string{"a", "adhoc", "ml"}) || run.Version != "v7" {
		t.Errorf("%+v, %v", run, err)
	}
	if got := tasks(t, e, run)["read"]; got.RunName != "Read 2021-01" || got.Name != "Read" || !slices.Equal(got.Tags, []string{"io"}) {
		t.Errorf("%+v", got)
	}
	if want := "flow Running,task Running,task Completed,flow Completed"; strings.Join(told, ",") != want {
		t.Errorf("told %v, want %s", told, want)
	}
	f.RunName = ""
	if _, run, err = f.Start(t.Context(), e, params{}, engine.Options{}); err != nil || strings.Count(run.Name, "-") != 1 {
		t.Errorf("a name such as flashy-dove is %q, %v", run.Name, err)
	}
	if info := f.Info(); info.Name != "score" || info.Description != "scores rides" || info.Parameters.Properties["month"] == nil {
		t.Errorf("%+v", info)
	}
}

func TestNameTemplates(t *testing.T) {
	type params struct {
		Rows  int      `json:"rows"`
		Rate  float64  `json:"rate"`
		Taxis []string `json:"taxis"`
		Train struct {
			Month string `json:"month"`
		} `json:"train"`
	}
	p := params{Rows: 10_000_000, Rate: 0.1, Taxis: []string{"green"}}
	p.Train.Month = "2021-01"
	for template, want := range map[string]string{
		"{flow} of {train.month}": "flow of 2021-01", "{rows} rows at {rate}": "10000000 rows at 0.1", "{taxis}": `["green"]`,
		"{nobody} {train.nobody} {rows.x} {}": "{nobody} {train.nobody} {rows.x} {}", "{{rows}} {": "{10000000} {",
		strings.Repeat("{rate}", 100): strings.Repeat("0.1", 67)[:200] + "…",
	} {
		f := engine.Flow[params, string]{Name: "flow", RunName: template, Func: func(c *engine.Ctx, p params) (engine.Arg[string], error) {
			read := engine.Task[string, string]{Name: "Read", RunName: "{name} {input} as {key}", Func: func(_ context.Context, s string) (string, error) { return s, nil }}
			return read.Keyed("x").Submit(c, engine.Val(p.Train.Month)), nil
		}}
		e := &engine.Engine{}
		_, run, err := f.Start(t.Context(), e, p, engine.Options{})
		if err != nil || run.Name != want {
			t.Errorf("%s: %q, %v; want %q", template, run.Name, err, want)
		}
		if got := tasks(t, e, run)["read[x]"].RunName; got != "Read 2021-01 as read[x]" {
			t.Errorf("the call is named %q", got)
		}
	}
}
