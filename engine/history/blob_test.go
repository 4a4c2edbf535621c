package history

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/taximeter/taximeter/engine"
)

// A large result whose file was changed, though not in size, is made again and
// not believed.
func TestAChangedResultFileIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var runs atomic.Int64
	whole := func(b []byte) ([]byte, error) { return b, nil }
	large := engine.Task[int, []byte]{Name: "Large", Cache: engine.Cache{On: true}, Codec: engine.Bytes("raw/1", whole, whole),
		Func: func(_ context.Context, n int) ([]byte, error) {
			runs.Add(1)
			return bytes.Repeat([]byte("x"), n), nil
		}}
	f := engine.Flow[int, int]{Name: "flow", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
		count := engine.Task[[]byte, int]{Name: "Count", Func: func(_ context.Context, b []byte) (int, error) { return bytes.Count(b, []byte("x")), nil }}
		return count.Submit(c, large.Submit(c, engine.Val(n))), nil
	}}
	const n = 2 * inlineSize
	for i, want := range []int64{1, 1, 2} {
		if i == 2 {
			err := filepath.WalkDir(filepath.Join(dir, "results"), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				return os.WriteFile(path, bytes.Repeat([]byte("y"), n), 0o644)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		got, _, err := f.Start(t.Context(), &engine.Engine{History: s, Version: "v1"}, n, engine.Options{})
		if err != nil || got != n || runs.Load() != want {
			t.Errorf("%d: %d, %v after %d runs; want %d after %d", i, got, err, runs.Load(), n, want)
		}
	}
}
