package predict_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/serve/predict"
)

// BenchmarkHandler is the handler alone, without the network.
func BenchmarkHandler(b *testing.B) {
	h := newHouse(b)
	h.stage(train(b, 3))
	l := &predict.Loader{Registry: h}
	if err := l.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	handler := &predict.Handler{Loader: l}
	body := strings.NewReader("")
	req := httptest.NewRequest("POST", "/predict", io.NopCloser(body))
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(`{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}`)
		req.Body = io.NopCloser(body)
		handler.ServeHTTP(w, req)
	}
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
