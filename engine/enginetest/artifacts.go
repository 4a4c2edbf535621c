package enginetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// artifacts checks what flows and tasks publish: a version of a key for each run,
// whatever is retried and resumed, and nothing left of a run that is deleted.
func artifacts(t *testing.T, h engine.History) {
	e := &engine.Engine{History: h, Version: "v1"}
	fails := true
	report := engine.Task[int, int]{Name: "Report", Retry: engine.Retry{Max: 1}, Func: func(ctx context.Context, n int) (int, error) {
		bar, err := engine.Publish(engine.From(ctx), engine.Percent("", 0))
		if err != nil {
			return 0, err
		}
		bar.Data = []byte("100")
		_, err = engine.Publish(engine.From(ctx), bar)
		if fails {
			fails = false
			return 0, errors.Join(err, errors.New("once"))
		}
		return n, err
	}}
	broken := errors.New("broken")
	f := engine.Flow[int, int]{Name: "report", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		for _, a := range []engine.Artifact{
			engine.Markdown("rmse-report", fmt.Sprintf("# attempt %d", c.Attempt())), engine.Markdown("rmse-report", "# again"),
			engine.Table("", []map[string]any{{"n": 1}}), engine.Link("site", "https://example.org", ""), engine.Image("plot", "data:image/png;base64,"),
		} {
			if _, err := engine.Publish(c, a); err != nil {
				return nil, err
			}
		}
		return report.Submit(c, engine.Val(n)), broken
	}}
	_, first, err := f.Start(t.Context(), e, 1, engine.Options{})
	if !errors.Is(err, broken) {
		t.Fatalf("Start = %v", err)
	}
	broken = nil
	if _, _, err := f.Resume(t.Context(), e, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Start(t.Context(), e, 1, engine.Options{}); err != nil {
		t.Fatal(err)
	}
	expect := func(q engine.ArtifactQuery, want string) {
		t.Helper()
		list, err := h.Artifacts(t.Context(), q)
		var got []string
		for i, a := range list {
			got = append(got, fmt.Sprintf("%s@%d %s", a, a.Version, a.Data))
			if i > 0 && a.Created.After(list[i-1].Created) || a.Updated.Before(a.Created) || a.ID == "" {
				t.Errorf("%+v", a)
			}
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("Artifacts(%+v) = %v, %v\nwant %s", q, got, err, want)
		}
	}
	expect(engine.ArtifactQuery{FlowRunID: first.ID, Key: "rmse-report"}, `[markdown rmse-report@2 "# again" markdown rmse-report@1 "# attempt 2"]`)
	expect(engine.ArtifactQuery{FlowRunID: first.ID, TaskKey: "report"}, `[progress@0 100]`)
	expect(engine.ArtifactQuery{Key: "rmse-report", Latest: true}, `[markdown rmse-report@4 "# again"]`)
	expect(engine.ArtifactQuery{Type: engine.ArtifactTable, Limit: 1}, `[table@0 [{"n":1}]]`)
	expect(engine.ArtifactQuery{Key: "site"}, `[link site@2 {"url":"https://example.org"} link site@1 {"url":"https://example.org"}]`)
	if list, err := h.Artifacts(t.Context(), engine.ArtifactQuery{}); err != nil || len(list) != 12 {
		t.Errorf("%d artifacts, %v; want 12", len(list), err)
	}
	if _, err := h.PutArtifact(t.Context(), engine.Artifact{ID: "a", Type: engine.ArtifactLink, FlowRunID: "nobody", Data: []byte("{}")}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("PutArtifact for a run that is not there = %v, want ErrNotFound", err)
	}
	if err := h.DeleteFlowRun(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	expect(engine.ArtifactQuery{FlowRunID: first.ID}, `[]`)
}
