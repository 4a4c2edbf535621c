package predict_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/serve/predict"
)

// serveModel stages m in a registry of its own and serves it.
func serveModel(t *testing.T, m *models.Model) string {
	t.Helper()
	h := newHouse(t)
	h.stage(m)
	l := &predict.Loader{Registry: h}
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return listen(t, l)
}

func listen(t *testing.T, l *predict.Loader) string {
	t.Helper()
	h := &predict.Handler{Loader: l}
	mux := http.NewServeMux()
	mux.Handle("/predict", h)
	mux.HandleFunc("/ping", h.Ping)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

type answer struct {
	Status   int
	Text     string
	Header   http.Header
	Duration float32 `json:"duration"`
	Version  string  `json:"model_version"`
	Error    struct{ Field, Message string }
}

func ask(t *testing.T, method, url, body string, header ...string) answer {
	t.Helper()
	a, err := send(method, url, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func send(method, url, body string, header ...string) (a answer, err error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return a, err
	}
	if method != http.MethodHead {
		err = json.Unmarshal(b, &a)
	}
	a.Status, a.Text, a.Header = res.StatusCode, string(b), res.Header
	return a, err
}

func TestAnswersWhatTheModelPredicts(t *testing.T) {
	m := train(t, 3.7)
	url := serveModel(t, m)
	for body, ride := range map[string]features.Ride{
		`{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}`:     {PULocationID: 43, DOLocationID: 151, TripDistance: 1.01},
		`{"PULocationID":"43","DOLocationID":"151","trip_distance":1.01}`: {PULocationID: 43, DOLocationID: 151, TripDistance: 1.01},
		`{"PULocationID":1,"DOLocationID":265,"trip_distance":0}`:         {PULocationID: 1, DOLocationID: 265},
	} {
		want := make([]float32, 1)
		if err := m.PredictRides([]features.Ride{ride}, want); err != nil {
			t.Fatal(err)
		}
		got := ask(t, "POST", url+"/predict", body)
		if got.Status != 200 || got.Duration != want[0] || got.Version != "1" || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("POST %s = %d %s, want the float32 %v of version 1", body, got.Status, got.Text, want[0])
		}
		if shortest := fmt.Sprintf(`{"duration":%v,"model_version":"1"}`+"\n", want[0]); got.Text != shortest {
			t.Errorf("POST %s = %q, want no more digits than tell a float32 apart: %q", body, got.Text, shortest)
		}
	}
}

func TestMistakesAre4xxAndNamed(t *testing.T) {
	url := serveModel(t, train(t, 3)) + "/predict"
	const good = `{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}`
	big := `{"PULocationID":43,"note":"` + strings.Repeat("x", 70_000) + `"}`
	for _, c := range []struct {
		method, query, kind, body string
		status                    int
		field                     string
	}{
		{"POST", "", "application/json", `{"PULocationID":0,"DOLocationID":151,"trip_distance":1}`, 400, "PULocationID"},
		{"POST", "", "application/json", `{"PULocationID":43,"DOLocationID":151}`, 400, "trip_distance"},
		{"POST", "", "application/json", `{"PULocationID":43,"DOLocationID":151,"trip_distance":NaN}`, 400, "trip_distance"},
		{"POST", "?strict=true", "application/json", `{"PULocationID":43,"DOLocationID":"x","trip_distance":1}`, 400, "DOLocationID"},
		{"POST", "?strict=perhaps", "application/json", good, 400, "strict"},
		{"POST", "?strict=%zz", "application/json", good, 400, "strict"},
		{"POST", "", "application/json", `{`, 400, ""},
		{"POST", "", "application/json", ``, 400, ""},
		{"POST", "", "application/json", big, 413, ""},
		{"POST", "", "multipart/form-data; boundary=x", good, 415, ""},
		{"POST", "", "text/csv", good, 415, ""},
		{"POST", "", "application/json; charset=utf-16", good, 415, ""},
		{"POST", "", "///", good, 415, ""},
		{"PUT", "", "application/json", good, 405, ""},
		{"DELETE", "", "", "", 405, ""},
		{"POST", "", "application/json", good, 200, ""},
		{"POST", "?strict=1", "application/json; charset=UTF-8", good, 200, ""},
		{"POST", "", "", good, 200, ""},
		{"POST", "", "application/x-www-form-urlencoded", good, 200, ""},
		{"POST", "", "text/plain", good, 200, ""},
		{"POST", "", "application/problem+json", good, 200, ""},
	} {
		got := ask(t, c.method, url+c.query, c.body, "Content-Type", c.kind)
		if got.Status != c.status || got.Error.Field != c.field || !strings.Contains(got.Error.Message, c.field) || (got.Error.Message == "") != (c.status == 200) {
			t.Errorf("%s %s %.60s (%s) = %d %s, want %d naming %q", c.method, c.query, c.body, c.kind, got.Status, got.Text, c.status, c.field)
		}
	}
	if got := ask(t, "PUT", url, ""); got.Header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("405 with Allow %q", got.Header.Get("Allow"))
	}
	if got := ask(t, "POST", url, good, "Content-Encoding", "gzip"); got.Status != 415 {
		t.Errorf("gzip = %d, want 415", got.Status)
	}
	res, err := http.Post(url, "application/json", io.MultiReader(strings.NewReader(big))) // its length is not told
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 413 {
		t.Errorf("a large chunked body = %d, want 413", res.StatusCode)
	}
}

func TestNotStrictPredictsLikeTheVectorizer(t *testing.T) {
	m := train(t, 3)
	url := serveModel(t, m) + "/predict?strict=false"
	want := func(r features.Ride) float32 {
		out := make([]float32, 1)
		if err := m.PredictRides([]features.Ride{r}, out); err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	unseen := want(features.Ride{PULocationID: 200, DOLocationID: 200, TripDistance: 2})
	nothing := want(features.Ride{PULocationID: 200, DOLocationID: 200, TripDistance: math.NaN()})
	for body, want := range map[string]float32{
		`{}`:                                     nothing,
		`{"PULocationID":43,"DOLocationID":151}`: want(features.Ride{PULocationID: 43, DOLocationID: 151, TripDistance: math.NaN()}),
		`{"PULocationID":43,"trip_distance":2}`:  unseen,
		`{"PULocationID":9999,"DOLocationID":-5,"trip_distance":2}`:       unseen,
		`{"PULocationID":1e15,"DOLocationID":151,"trip_distance":2}`:      unseen,
		`{"PULocationID":43,"DOLocationID":151,"trip_distance":-2}`:       want(features.Ride{PULocationID: 43, DOLocationID: 151, TripDistance: -2}),
		`{"PULocationID":"43","DOLocationID":"151","trip_distance":1.01}`: want(features.Ride{PULocationID: 43, DOLocationID: 151, TripDistance: 1.01}),
	} {
		if got := ask(t, "POST", url, body); got.Status != 200 || got.Duration != want {
			t.Errorf("POST %s = %d %s, want %v", body, got.Status, got.Text, want)
		}
	}
	// Times three miles, this is no float32.
	if got := ask(t, "POST", url, `{"PULocationID":43,"DOLocationID":151,"trip_distance":3.4e38}`); got.Status != 400 || got.Error.Field != "trip_distance" {
		t.Errorf("a prediction that is infinite = %d %s, want 400", got.Status, got.Text)
	}
}

func TestNoModelIs503AndSaysHowToMakeOne(t *testing.T) {
	h := newHouse(t)
	l := &predict.Loader{Registry: h}
	url := listen(t, l)
	const ride = `{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}`
	if got := ask(t, "POST", url+"/predict", ride); got.Status != 503 {
		t.Errorf("before the first look = %d %s, want 503", got.Status, got.Text)
	}
	l.Refresh(t.Context())
	if got := ask(t, "POST", url+"/predict", ride); got.Status != 503 || !strings.Contains(got.Error.Message, "taximeter train --date latest") {
		t.Errorf("with an empty registry = %d %s, want 503 naming the command", got.Status, got.Text)
	}
	if got := ask(t, "POST", url+"/predict", `{}`); got.Status != 400 {
		t.Errorf("a wrong ride without a model = %d, want 400 all the same", got.Status)
	}
	if got := ask(t, "GET", url+"/ping", ""); got.Status != 503 {
		t.Errorf("GET /ping without a model = %d, want 503", got.Status)
	}
	if got := ask(t, "GET", url+"/predict", ""); got.Status != 200 || !strings.Contains(got.Text, `"ready":false`) || !strings.Contains(got.Text, "taximeter train") {
		t.Errorf("GET /predict without a model = %d %s", got.Status, got.Text)
	}

	h.stage(train(t, 3))
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, "POST", url+"/predict", ride); got.Status != 200 {
		t.Errorf("once a model is staged = %d %s", got.Status, got.Text)
	}
	if got := ask(t, "GET", url+"/ping", ""); got.Status != 200 {
		t.Errorf("GET /ping with a model = %d", got.Status)
	}
	var status struct {
		Ready    bool
		Model    string
		Version  string
		RunID    string    `json:"run_id"`
		LoadedAt time.Time `json:"loaded_at"`
	}
	got := ask(t, "GET", url+"/predict", "")
	if err := json.Unmarshal([]byte(got.Text), &status); err != nil || !status.Ready || status.Model != name || status.Version != "1" ||
		status.RunID != l.Current().RunID || status.LoadedAt.IsZero() {
		t.Errorf("GET /predict = %s (%v)", got.Text, err)
	}
}

// While versions are staged one after the other, no request fails, every client
// sees versions rise only, and each answer is that of the version it names.
func TestSwapUnderLoad(t *testing.T) {
	const versions, clients = 6, 4
	h := newHouse(t)
	const ride = `{"PULocationID":43,"DOLocationID":151,"trip_distance":10}`
	byVersion := make([]*models.Model, versions+1)
	want := make([]float32, versions+1)
	for v := 1; v <= versions; v++ {
		byVersion[v] = train(t, float64(v))
		if err := byVersion[v].PredictRides([]features.Ride{{PULocationID: 43, DOLocationID: 151, TripDistance: 10}}, want[v:v+1]); err != nil {
			t.Fatal(err)
		}
	}
	h.stage(byVersion[1])
	l := &predict.Loader{Registry: h, Every: time.Millisecond}
	if err := l.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	url := listen(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	for range clients {
		running.Go(func() {
			last, asked := 1, 0
			for ; ctx.Err() == nil || last < versions; asked++ {
				got, err := send("POST", url+"/predict", ride)
				version, _ := strconv.Atoi(got.Version)
				switch {
				case err != nil || got.Status != 200:
					t.Errorf("request failed: %d %s %v", got.Status, got.Text, err)
					return
				case version < last || version > versions:
					t.Errorf("version %q after version %d", got.Version, last)
					return
				case got.Duration != want[version]:
					t.Errorf("version %d answers %v, want %v", version, got.Duration, want[version])
					return
				}
				last = version
			}
			if asked < versions {
				t.Errorf("a client asked only %d times", asked)
			}
		})
	}
	for v := 2; v <= versions; v++ {
		if got := h.stage(byVersion[v]); got != fmt.Sprint(v) {
			t.Errorf("staged version %s, want %d", got, v)
		}
		waitFor(t, l, fmt.Sprint(v))
	}
	cancel()
	running.Wait()
}
