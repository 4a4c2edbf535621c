package enginehttp_test

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/enginetest"
	"github.com/taximeter/taximeter/engine/history"
)

// What a history promises to workers and planners in its own process, it promises
// to those who speak to it over the API.
func TestWorkOverTheAPI(t *testing.T) {
	train := engine.Flow[map[string]any, string]{Name: "train", Func: func(*engine.Ctx, map[string]any) (engine.Arg[string], error) {
		return engine.Val("done"), nil
	}}
	enginetest.Work(t, func(t *testing.T) enginetest.WorkStore {
		store, err := history.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		server := httptest.NewServer(enginehttp.NewHandler(store, slog.New(slog.DiscardHandler), train))
		t.Cleanup(server.Close)
		return &enginehttp.Client{URL: server.URL}
	})
}
