package serve_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/taximeter/taximeter/serve"
)

var everything = []serve.Mount{{Path: "/", Handler: path}}

func TestTokenGuardsEveryPathButHealth(t *testing.T) {
	url, _ := start(t, &serve.Server{Token: "s3cret", Mounts: []serve.Mount{
		{Path: "/health", Handler: path}, {Path: "/predict", Handler: path}, {Path: "/", Handler: path},
	}})
	for _, c := range []struct{ method, path string }{
		{"GET", "/"}, {"GET", "/predict"}, {"POST", "/predict"}, {"OPTIONS", "/predict"}, {"GET", "/version"},
		{"GET", "/health/"}, {"GET", "//health"}, {"GET", "/Health"}, {"GET", "/%68ealth"}, {"GET", "/health/../predict"},
		{"GET", "/ajax-api/2.0/mlflow/experiments/search"}, {"GET", "/nothing"}, {"POST", "/health"}, {"BREW", "/health"},
	} {
		got := ask(t, c.method, url+c.path, "")
		if got.status != 401 || len(got.header.Values("WWW-Authenticate")) != 2 {
			t.Errorf("%s %s without token = %d, WWW-Authenticate %q; want 401", c.method, c.path, got.status, got.header.Values("WWW-Authenticate"))
		}
	}
	for _, wrong := range []string{"Bearer wrong", "Bearer ", "Bearer", "s3cret", "Bearer s3cretx", "Basic !!", "Basic czNjcmV0Og==" /* s3cret: */} {
		if got := ask(t, "GET", url+"/predict", "", "Authorization", wrong); got.status != 401 {
			t.Errorf("Authorization %q = %d, want 401", wrong, got.status)
		}
	}
	for _, right := range []string{"Bearer s3cret", "bearer s3cret", "Basic YW55Ym9keTpzM2NyZXQ=" /* anybody:s3cret */, "Basic OnMzY3JldA==" /* :s3cret */} {
		if got := ask(t, "POST", url+"/predict", "{}", "Authorization", right); got.status != 200 {
			t.Errorf("Authorization %q = %d %s, want 200", right, got.status, got.body)
		}
	}
	if got := ask(t, "GET", url+"/health", ""); got.status != 200 {
		t.Errorf("GET /health = %d, want 200", got.status)
	}
}

func TestHostsOnLoopback(t *testing.T) {
	url, _ := start(t, &serve.Server{AllowedHosts: []string{"taxi.example", "*.cabs.example:5000"}, Mounts: everything})
	for host, want := range map[string]int{
		"green.cabs.example": 200, "a.b.CABS.example:80": 200, "cabs.example": 403, "cabs.example.evil.com": 403,
		"": 200, "localhost": 200, "LOCALHOST:5000": 200, "127.0.0.1:1": 200, "127.9.9.9": 200, "[::1]:5000": 200, "[::1]": 200,
		"taxi.example": 200, "Taxi.Example:443": 200,
		"evil.com": 403, "evil.com:5000": 403, "localhost.evil.com": 403, "127.0.0.1.evil.com": 403, "10.0.0.1": 403, "[fd00::1]:5000": 403,
	} {
		header := []string{"Host", host}
		if host == "" {
			header = nil // the client then sends the address it dialled
		}
		if got := ask(t, "GET", url+"/x", "", header...); got.status != want {
			t.Errorf("Host %q = %d %q, want %d", host, got.status, got.body, want)
		}
	}
	for path, want := range map[string]int{"/health": 200, "/version": 200, "/version/x": 403, "/%76ersion": 403} {
		if got := ask(t, "GET", url+path, "", "Host", "evil.com"); got.status != want {
			t.Errorf("GET %s with a foreign Host = %d, want %d", path, got.status, want)
		}
	}
}

func TestHostsElsewhere(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		token, host string
		allowed     []string
		want        int
	}{
		{"", "other.example", nil, 403}, {"", "10.evil.com", nil, 403}, {"", "", nil, 200},
		{"", "10.1.2.3:5000", nil, 200}, {"", "[fd00::1]:5000", nil, 200}, {"", "[fe80::1%25eth0]", nil, 200}, {"", "8.8.8.8", nil, 200},
		{"", own, nil, 200}, {"", own + ".local:80", nil, 200}, {"", own + ".evil.com", nil, 403},
		{"", "other.example", []string{"*"}, 200}, {"", "other.example", []string{"taxi.example"}, 403}, {"", "10.1.2.3", []string{"taxi.example"}, 200},
		{"t", "other.example", nil, 200}, {"t", "other.example", []string{"taxi.example"}, 403},
	} {
		url, _ := start(t, &serve.Server{Addr: "0.0.0.0:0", Token: c.token, Insecure: true, AllowedHosts: c.allowed, Mounts: everything})
		header := []string{"Authorization", "Bearer t"}
		if c.host != "" {
			header = append(header, "Host", c.host)
		}
		if got := ask(t, "GET", url, "", header...); got.status != c.want {
			t.Errorf("AllowedHosts %q, token %q: Host %s = %d, want %d", c.allowed, c.token, c.host, got.status, c.want)
		}
	}
}

func TestOrigins(t *testing.T) {
	url, _ := start(t, &serve.Server{TrustedOrigins: []string{"https://taxi.example"}, Mounts: everything})
	for _, c := range []struct {
		method, origin, site string
		want                 int
	}{
		{"POST", "", "", 200}, {"POST", url, "", 200}, {"POST", url, "same-origin", 200}, {"POST", "https://taxi.example", "cross-site", 200},
		{"POST", "http://evil.com", "", 403}, {"POST", "null", "", 403}, {"PUT", "http://evil.com", "", 403}, {"DELETE", "http://evil.com", "", 403},
		{"PATCH", "http://evil.com", "cross-site", 403}, {"POST", "http://localhost:1", "", 403},
		{"GET", "http://evil.com", "cross-site", 200},
	} {
		var header []string
		if c.origin != "" {
			header = append(header, "Origin", c.origin)
		}
		if c.site != "" {
			header = append(header, "Sec-Fetch-Site", c.site)
		}
		got := ask(t, c.method, url+"/ajax-api/2.0/mlflow/runs/search", "{}", header...)
		if got.status != c.want {
			t.Errorf("%s with Origin %q, Sec-Fetch-Site %q = %d, want %d", c.method, c.origin, c.site, got.status, c.want)
		}
		if shared := got.header.Get("Access-Control-Allow-Origin") != ""; shared != (c.origin == "https://taxi.example") {
			t.Errorf("Origin %q is allowed to read answers: %v", c.origin, shared)
		}
	}
}

// A browser asks first whether a page of another origin may.
func TestPreflight(t *testing.T) {
	for _, c := range []struct {
		trusted, origin     string
		status              int
		allowed, credential string
	}{
		{"https://taxi.example", "https://taxi.example", 204, "https://taxi.example", "true"},
		{"https://*.taxi.example", "https://a.taxi.example", 204, "https://a.taxi.example", "true"},
		{"https://*.taxi.example", "https://a.taxi.example.evil.com", 400, "", ""},
		{"https://*.taxi.example", "http://a.taxi.example", 400, "", ""},
		{"https://taxi.example", "https://taxi.example:8443", 400, "", ""},
		{"https://taxi.example", "null", 400, "", ""},
		{"http://localhost:*", "http://localhost:3000", 204, "http://localhost:3000", "true"},
		{"*", "http://evil.com", 204, "*", ""},
		{"", "http://evil.com", 400, "", ""},
	} {
		s := &serve.Server{Token: "t", Mounts: everything}
		if c.trusted != "" {
			s.TrustedOrigins = []string{c.trusted}
		}
		url, _ := start(t, s)
		got := ask(t, "OPTIONS", url+"/ajax-api/2.0/mlflow/runs/search", "", "Origin", c.origin, "Access-Control-Request-Method", "POST")
		if got.status != c.status || got.header.Get("Access-Control-Allow-Origin") != c.allowed || got.header.Get("Access-Control-Allow-Credentials") != c.credential {
			t.Errorf("trusting %s: preflight from %s = %d %v", c.trusted, c.origin, got.status, got.header)
		}
	}
}

func TestFrames(t *testing.T) {
	for options, want := range map[string]string{"": "SAMEORIGIN", "DENY": "DENY", "NONE": ""} {
		url, _ := start(t, &serve.Server{FrameOptions: options, Mounts: everything})
		if got := ask(t, "GET", url, "").header.Get("X-Frame-Options"); got != want {
			t.Errorf("FrameOptions %q: X-Frame-Options %q, want %q", options, got, want)
		}
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	url, _ := start(t, &serve.Server{Token: "t", Mounts: []serve.Mount{{Path: "/x", Handler: path}}})
	for _, header := range [][]string{nil, {"Host", "evil.com"}, {"Authorization", "Bearer t"}, {"Authorization", "Bearer t", "Origin", "null"}} {
		got := ask(t, http.MethodPost, url+"/x", "", header...)
		if got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("X-Frame-Options") != "SAMEORIGIN" {
			t.Errorf("answer %d to %q lacks headers: %v", got.status, header, got.header)
		}
	}
}
