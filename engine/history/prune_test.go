package history

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

func TestPruneKeepsWhatIsUsed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	e := &engine.Engine{History: s, Version: "v1"}
	whole := func(b []byte) ([]byte, error) { return b, nil }
	large := engine.Task[int, []byte]{Name: "Large", Codec: engine.Bytes("raw/1", whole, whole), Func: func(_ context.Context, n int) ([]byte, error) {
		return bytes.Repeat([]byte{byte(n)}, 2*inlineSize), nil
	}}
	kept := large
	kept.Name, kept.Cache = "Kept", engine.Cache{On: true}
	inner := engine.Flow[int, int]{Name: "inner", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		return engine.Val(n), errors.Join(large.Submit(c, engine.Val(n)).Wait(), kept.Submit(c, engine.Val(n+100)).Wait())
	}}
	outer := engine.Flow[int, int]{Name: "outer", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return inner.Submit(c, engine.Val(n)), nil }}
	var runs []engine.FlowRun
	for n := range 2 {
		_, run, err := outer.Start(t.Context(), e, n, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	files := func() (n int) {
		found, err := filepath.Glob(filepath.Join(dir, "results", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found { // older than what may be about to be used
			old := time.Now().Add(-2 * freshBlob)
			if err := os.Chtimes(f, old, old); err != nil {
				t.Fatal(err)
			}
		}
		return len(found)
	}
	if n := files(); n != 4 {
		t.Fatalf("%d files", n)
	}
	err := s.writer.write(func(b *batch) error { // the first run ended a year ago
		_, err := b.tx.ExecContext(context.Background(), `UPDATE flow_run SET end_time = end_time - 365*24*3600*1000000 WHERE root_id = ?`, runs[0].ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Prune(t.Context(), 30*24*time.Hour)
	if err != nil || p.Runs != 1 || p.Results != 1 || p.Bytes != 2*inlineSize {
		t.Errorf("%+v, %v", p, err)
	}
	if n := files(); n != 3 {
		t.Errorf("%d files are left, want one of the run that is left, and two in the cache", n)
	}
	if _, err := s.FlowRun(t.Context(), runs[0].ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the old run: %v", err)
	}
	tasks, err := s.TaskRuns(t.Context(), newest(t, s, engine.TypeCompleted).ID)
	if err != nil || len(tasks) != 1 {
		t.Errorf("the young run: %+v, %v", tasks, err)
	}
	if p, err := s.Prune(t.Context(), 30*24*time.Hour); err != nil || p != (Pruned{}) {
		t.Errorf("once more: %+v, %v", p, err)
	}
}
