package predict_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/serve/predict"
)

func mustParse(t *testing.T, s string) predict.Reference {
	t.Helper()
	r, err := predict.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryKindOfReferenceLoads(t *testing.T) {
	h := newHouse(t)
	m := train(t, 3)
	runs := []string{h.log(m, ""), h.log(m, ""), h.log(m, ""), h.log(m, "")}
	for _, run := range runs {
		h.register(run)
	}
	for version, stage := range map[string]string{"1": "Production", "3": "Staging"} {
		h.move(version, stage)
	}
	if _, err := h.TransitionStage(t.Context(), name, "2", "Staging", false); err != nil { // a lower one beside it
		t.Fatal(err)
	}
	if err := h.SetAlias(t.Context(), name, "shadow", "2"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                "3",
		"models:/" + name + "/Staging":    "3",
		"models:/" + name + "/production": "1",
		"models:/" + name + "/None":       "4",
		"models:/" + name + "/latest":     "4",
		"models:/" + name + "/2":          "2",
		"models:/" + name + "@shadow":     "2",
		"runs:/" + runs[3] + "/model":     runs[3],
	} {
		l := predict.Loader{Registry: h, Model: mustParse(t, text)}
		if err := l.Refresh(t.Context()); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		c := l.Current()
		if c.Version != want || c.RunID == "" || c.LoadedAt.IsZero() {
			t.Errorf("%q loads %+v, want version %s", text, c, want)
		}
	}
	for text, want := range map[string]string{
		"models:/other/Staging":                       "models:/other/Staging",
		"models:/" + name + "/Archived":               "in stage Archived",
		"models:/" + name + "/9":                      "no models:/" + name + "/9",
		"models:/" + name + "@nobody":                 "@nobody",
		"runs:/" + strings.Repeat("0", 32) + "/model": "run 0000",
		"runs:/" + runs[0] + "/elsewhere":             "elsewhere",
	} {
		l := predict.Loader{Registry: h, Model: mustParse(t, text)}
		err := l.Refresh(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || l.Current() != nil || l.Problem() != err {
			t.Errorf("%q: error %v, problem %v, want %q", text, err, l.Problem(), want)
		}
	}
}

func TestWithdrawnModelIsLetGoAtTheSecondLook(t *testing.T) {
	h := newHouse(t)
	version := h.stage(train(t, 3))
	l := predict.Loader{Registry: h}
	look := func() string {
		l.Refresh(t.Context())
		if c := l.Current(); c != nil {
			return c.Version
		}
		return "none"
	}
	if got := look(); got != version {
		t.Fatalf("serving %s, want %s", got, version)
	}
	h.move(version, "Archived")
	if got := look(); got != version {
		t.Errorf("after one look that found none: serving %s, want still %s", got, version)
	}
	h.move(version, "Staging")
	if got := look(); got != version {
		t.Errorf("staged again: serving %s, want %s", got, version)
	}
	h.move(version, "Archived")
	if got := look(); got != version {
		t.Errorf("after one look that found none again: serving %s, want still %s", got, version)
	}
	if got := look(); got != "none" {
		t.Errorf("after two looks that found none: serving %s", got)
	}
	h.move(version, "Staging")
	if got := look(); got != version {
		t.Errorf("staged at last: serving %s, want %s", got, version)
	}
}

func TestUnchangedModelIsNotLoadedAgain(t *testing.T) {
	h := newHouse(t)
	h.stage(train(t, 3))
	l := predict.Loader{Registry: h}
	l.Refresh(t.Context())
	first := l.Current()
	h.register(h.log(train(t, 4), "")) // a version that is not staged changes nothing
	if err := l.Refresh(t.Context()); err != nil || first == nil || l.Current() != first {
		t.Errorf("Refresh without a change: %v, model %p after %p", err, l.Current(), first)
	}
}

// A version that cannot be loaded is tried again, but not at every look: its
// files may be large and far away.
func TestBrokenVersionIsTriedAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		m := train(t, 3)
		run := h.log(m, "model.json")
		h.move(h.register(run), "Staging")
		l := predict.Loader{Registry: h}
		if err := l.Refresh(t.Context()); err == nil {
			t.Fatal("half a model was loaded")
		}
		time.Sleep(time.Second)
		if err := l.Refresh(t.Context()); err == nil {
			t.Fatal("half a model was loaded")
		}
		files, err := m.Files(models.Card{RunID: run})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := h.PutArtifact(t.Context(), run, "model/"+f.Name, bytes.NewReader(f.Bytes)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(1900 * time.Millisecond)
		if err := l.Refresh(t.Context()); err == nil {
			t.Error("after two failures it was tried again in less than two seconds")
		}
		time.Sleep(100 * time.Millisecond)
		if err := l.Refresh(t.Context()); err != nil || l.Current() == nil {
			t.Errorf("after two seconds: %v", err)
		}
	})
}

func TestBrokenVersionIsNotServed(t *testing.T) {
	for _, broken := range []string{"MLmodel", "model.json", "vectorizer.json"} {
		t.Run(broken, func(t *testing.T) {
			h := newHouse(t)
			good := h.stage(train(t, 3))
			var log lockedBuffer
			l := predict.Loader{Registry: h, Log: slog.New(slog.NewTextHandler(&log, nil))}
			if err := l.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			bad := h.register(h.log(train(t, 4), broken))
			h.move(bad, "Staging")
			for range 5 {
				if err := l.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "version "+bad) {
					t.Errorf("Refresh = %v, want what is wrong with version %s", err, bad)
				}
			}
			if got := l.Current().Version; got != good {
				t.Errorf("serving %s, want the last good version %s", got, good)
			}
			if n := strings.Count(log.String(), "level=WARN"); n != 1 {
				t.Errorf("the problem was logged %d times, want once:\n%s", n, log.String())
			}
			h.move(h.register(h.log(train(t, 4), broken)), "Staging")
			if l.Refresh(t.Context()); strings.Count(log.String(), "level=WARN") != 2 {
				t.Errorf("another broken version is another problem, and was not logged:\n%s", log.String())
			}
			better := h.stage(train(t, 5))
			if err := l.Refresh(t.Context()); err != nil || l.Current().Version != better || l.Problem() != nil {
				t.Errorf("after version %s: %v, serving %s, problem %v", better, err, l.Current().Version, l.Problem())
			}
		})
	}
}

func TestModelOutlivesItsRegistry(t *testing.T) {
	h := newHouse(t)
	version := h.stage(train(t, 3))
	tracking, gone := mlflow.NewHandler(h), atomic.Bool{}
	remote := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			panic(http.ErrAbortHandler) // cuts the connection off
		}
		tracking.ServeHTTP(w, r)
	}))
	defer remote.Close()
	var log lockedBuffer
	l := predict.Loader{Registry: &mlflow.Client{BaseURL: remote.URL, Retries: -1}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone.Store(true)
	for range 3 {
		if err := l.Refresh(t.Context()); err == nil || l.Problem() == nil {
			t.Errorf("Refresh of a registry that is gone = %v, problem %v", err, l.Problem())
		}
	}
	if c := l.Current(); c == nil || c.Version != version {
		t.Errorf("without a registry: serving %+v, want version %s", c, version)
	}

	gone.Store(false)
	next := h.stage(train(t, 4))
	if err := l.Refresh(t.Context()); err != nil || l.Current().Version != next || l.Problem() != nil {
		t.Errorf("once it is back: %v, serving %s, want %s", err, l.Current().Version, next)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "can be had again") {
		t.Errorf("the problem was logged %d times, want once, and its end:\n%s", n, log.String())
	}
}

func TestRunFollowsTheRegistryUntilStopped(t *testing.T) {
	h := newHouse(t)
	l := predict.Loader{Registry: h, Every: time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	for _, per := range []float64{3, 4} {
		version := h.stage(train(t, per))
		waitFor(t, &l, version)
	}
	cancel()
	<-done
	if l.Problem() != nil {
		t.Errorf("being stopped counts as a problem: %v", l.Problem())
	}
}

func waitFor(t *testing.T, l *predict.Loader, version string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if c := l.Current(); c != nil && c.Version == version {
			return
		}
	}
	t.Fatalf("version %s was not loaded: %v", version, l.Problem())
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*lockedBuffer)(nil)

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
