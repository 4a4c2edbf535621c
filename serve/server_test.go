package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taximeter/taximeter/serve"
)

// start runs a server on a free port of loopback and returns its URL and what
// ends it and hands over Run's error.
func start(t *testing.T, s *serve.Server) (url string, stop func() error) {
	t.Helper()
	if s.Addr == "" {
		s.Addr = "127.0.0.1:0"
	}
	ready := make(chan string, 1)
	s.Ready = func(url string) { ready <- url }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var result error
	go func() { result = s.Run(ctx); close(done) }()
	stop = func() error { cancel(); <-done; return result }
	t.Cleanup(func() { stop() })
	select {
	case url = <-ready:
	case <-done:
		t.Fatalf("server ended at once: %v", result)
	}
	return url, stop
}

// path answers with the path it was asked for.
var path = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })

type answer struct {
	status int
	body   string
	header http.Header
}

func ask(t *testing.T, method, url, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, string(b), res.Header}
}

func TestMountsBySubtreeAndByPath(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name) })
	}
	url, _ := start(t, &serve.Server{Mounts: []serve.Mount{
		{Path: "/", Handler: named("page")},
		{Path: "/predict", Handler: named("predict")},
		{Path: "/api/2.0/mlflow/", Handler: named("tracking")},
		{Path: "/api/2.0/mlflow-artifacts/", Handler: named("artifacts")},
	}})
	for path, want := range map[string]string{
		"/": "page", "/app.js": "page", "/predict": "predict", "/predict/x": "page",
		"/api/2.0/mlflow/runs/search": "tracking", "/api/2.0/mlflow-artifacts/artifacts/a%2Fb": "artifacts",
		"/api/2.0": "page", "//predict": "page",
	} {
		if got := ask(t, "GET", url+path, ""); got.status != 200 || got.body != want {
			t.Errorf("GET %s = %d %q, want %q", path, got.status, got.body, want)
		}
	}
	if got := ask(t, "PATCH", url+"/predict", "{}"); got.body != "predict" {
		t.Errorf("PATCH /predict = %d %q: methods are the handler's business", got.status, got.body)
	}
}

func TestUnknownPathIsJSON(t *testing.T) {
	url, _ := start(t, &serve.Server{Mounts: []serve.Mount{{Path: "/health", Handler: path}}})
	got := ask(t, "GET", url+"/<script>", "")
	var e map[string]string
	if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != 404 || e["error_code"] != "ENDPOINT_NOT_FOUND" {
		t.Errorf("unknown path = %d %q (%v)", got.status, got.body, err)
	}
	if strings.Contains(got.body, "script") {
		t.Errorf("the answer echoes the path: %q", got.body)
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		server serve.Server
		want   string // part of the error; empty: it runs
	}{
		{serve.Server{Addr: "0.0.0.0:0"}, "not loopback"},
		{serve.Server{Addr: ":0"}, "not loopback"},
		{serve.Server{Addr: "[::]:0"}, "--token"},
		{serve.Server{Addr: "0.0.0.0:0", Token: "t"}, ""},
		{serve.Server{Addr: "0.0.0.0:0", Insecure: true}, ""},
		{serve.Server{Addr: "localhost:0"}, ""},
		{serve.Server{Addr: "127.0.0.2:0"}, ""},
		{serve.Server{Addr: "5000"}, "want host:port"},
		{serve.Server{Addr: "127.0.0.1:nosuchport"}, "want host:port"},
		{serve.Server{Addr: "127.0.0.1:0", TrustedOrigins: []string{"example.org"}}, "want scheme://host"},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		c.server.Ready = func(string) { cancel() }
		err := c.server.Run(ctx)
		cancel()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("Run on %q (token %q, insecure %v) = %v, want %q", c.server.Addr, c.server.Token, c.server.Insecure, err, c.want)
		}
	}
}

func TestPortInUseSaysSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := serve.Server{Addr: l.Addr().String()}
	err = s.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()+" is in use") || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("Run on a taken port: %v", err)
	}
}

func TestShutdownLetsARequestFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "whole")
	})
	url, stop := start(t, &serve.Server{Mounts: []serve.Mount{{Path: "/slow", Handler: slow}}})
	got := make(chan string, 1)
	go func() {
		res, err := http.Get(url + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-entered
	time.AfterFunc(20*time.Millisecond, func() { close(release) })
	if err := stop(); err != nil {
		t.Errorf("Run = %v after its context ended, want nil", err)
	}
	if body := <-got; body != "whole" {
		t.Errorf("the running request got %q", body)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		t.Error("the address still accepts connections after Run returned")
	}
}

func TestShutdownCutsOffAfterGrace(t *testing.T) {
	entered := make(chan struct{})
	stuck := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	url, stop := start(t, &serve.Server{Grace: time.Millisecond, Mounts: []serve.Mount{{Path: "/", Handler: stuck}}})
	go http.Get(url)
	<-entered
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

func TestPanicBecomesJSONAndIsLogged(t *testing.T) {
	var log lockedBuffer
	boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail") })
	half := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic("later")
	})
	url, _ := start(t, &serve.Server{
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
		Mounts: []serve.Mount{{Path: "/boom", Handler: boom}, {Path: "/half", Handler: half}, {Path: "/", Handler: path}},
	})
	got := ask(t, "GET", url+"/boom", "")
	var e map[string]string
	if json.Unmarshal([]byte(got.body), &e); got.status != 500 || e["error_code"] != "INTERNAL_ERROR" {
		t.Errorf("a panic = %d %q", got.status, got.body)
	}
	if strings.Contains(got.body, "secret") {
		t.Errorf("the answer tells the panic: %q", got.body)
	}
	if !strings.Contains(log.String(), "secret detail") || !strings.Contains(log.String(), "goroutine") {
		t.Errorf("the log tells neither panic nor stack:\n%s", log.String())
	}
	if res, err := http.Get(url + "/half"); err == nil {
		if _, err = io.ReadAll(res.Body); err == nil {
			t.Error("half an answer looked complete")
		}
	}
	if got := ask(t, "GET", url+"/next", ""); got.body != "/next" {
		t.Errorf("after a panic = %d %q", got.status, got.body)
	}
}

func TestAccessLogIsQuietUnlessAskedFor(t *testing.T) {
	for level, want := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		var log lockedBuffer
		url, stop := start(t, &serve.Server{
			Log:    slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})),
			Mounts: []serve.Mount{{Path: "/", Handler: path}},
		})
		ask(t, "GET", url+"/asked?token=hidden", "")
		stop()
		if got := strings.Contains(log.String(), "path=/asked status=200"); got != want {
			t.Errorf("at %s the request is logged: %v, want %v\n%s", level, got, want, log.String())
		}
		if strings.Contains(log.String(), "hidden") {
			t.Errorf("the query is in the log:\n%s", log.String())
		}
	}
}

func TestBodies(t *testing.T) {
	count := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			w.WriteHeader(413)
			return
		}
		if err != nil {
			w.WriteHeader(400)
			return
		}
		json.NewEncoder(w).Encode(n)
	})
	url, _ := start(t, &serve.Server{Mounts: []serve.Mount{
		{Path: "/small", Handler: count, MaxBody: 10},
		{Path: "/any", Handler: count, MaxBody: -1},
		{Path: "/", Handler: count},
	}})
	big := strings.Repeat("x", serve.DefaultMaxBody+1)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/small", "0123456789", 200}, {"/small", "0123456789x", 413},
		{"/any", big, 200}, {"/other", big, 413}, {"/other", "", 200},
	} {
		if got := ask(t, "POST", url+c.path, c.body); got.status != c.status {
			t.Errorf("POST of %d bytes to %s = %d, want %d", len(c.body), c.path, got.status, c.status)
		}
	}

	// A chunked body hides its length; the handler meets the limit.
	res, err := http.Post(url+"/small", "text/plain", io.MultiReader(strings.NewReader("01234567"), strings.NewReader("89abc")))
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 413 {
		t.Errorf("chunked body over the limit = %d, want 413", res.StatusCode)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

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
