package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

func TestArtifactsThatMakeNoSense(t *testing.T) {
	for _, a := range []engine.Artifact{
		{Type: "poster", Data: []byte(`"x"`)}, engine.Markdown("", ""), engine.Markdown("RMSE report", "x"), engine.Markdown("-a", "x"),
		engine.Table("t", "no rows"), engine.Table("t", func() {}), engine.Link("l", "", "text"), engine.Image("i", ""),
		engine.Percent("p", 101), engine.Percent("p", -1),
	} {
		if err := a.Check(); err == nil || !strings.Contains(err.Error(), "want ") {
			t.Errorf("%s: %v", a, err)
		}
	}
	type row struct{ Name string }
	for _, a := range []engine.Artifact{engine.Table("t", []row{{"a"}}), engine.Table("t", []row{}), engine.Percent("p-1", 99.5)} {
		if err := a.Check(); err != nil {
			t.Error(err)
		}
	}
}

// What bodies print is in the log, line by line, and all of it once the run has ended.
func TestPrint(t *testing.T) {
	h := &engine.MemoryHistory{}
	e := &engine.Engine{History: h}
	say := engine.Task[string, string]{Name: "Say", Func: func(ctx context.Context, s string) (string, error) {
		fmt.Fprintf(engine.From(ctx).Out(), "one %s\ntwo", s)
		return s, nil
	}}
	_, run, err := start(t, e, func(c *engine.Ctx, n int) (engine.Arg[string], error) {
		fmt.Fprintln(c.Out(), "hello", n)
		return say.Submit(c, engine.Val("fact")), nil
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := h.Logs(t.Context(), run.ID)
	var got []string
	for _, l := range lines {
		got = append(got, l.TaskKey+":"+l.Message)
	}
	if err != nil || strings.Join(got, "|") != ":hello 1|say:one fact|say:two" {
		t.Errorf("%q, %v", got, err)
	}
}

// A report that a run shows, and its versions.
func ExamplePublish() {
	h := &engine.MemoryHistory{}
	report := engine.Flow[float64, float64]{Name: "report", Func: func(c *engine.Ctx, rmse float64) (engine.Arg[float64], error) {
		_, err := engine.Publish(c, engine.Markdown("rmse-report", fmt.Sprintf("| rmse |\n|---|\n| %.2f |\n", rmse)))
		return engine.Val(rmse), err
	}}
	for _, rmse := range []float64{6.459, 5.199} {
		if _, _, err := report.Start(context.Background(), &engine.Engine{History: h}, rmse, engine.Options{}); err != nil {
			fmt.Println(err)
		}
	}
	list, _ := h.Artifacts(context.Background(), engine.ArtifactQuery{Key: "rmse-report"})
	for _, a := range list {
		fmt.Println(a, "version", a.Version, string(a.Data))
	}
	// Output:
	// markdown rmse-report version 2 "| rmse |\n|---|\n| 5.20 |\n"
	// markdown rmse-report version 1 "| rmse |\n|---|\n| 6.46 |\n"
}
