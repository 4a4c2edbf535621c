package serve_test

import (
	"net/http"
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
	url, _ := start(t, &serve.Server{AllowedHosts: []string{"taxi.example"}, Mounts: everything})
	for host, want := range map[string]int{
		"": 200, "localhost": 200, "LOCALHOST:5000": 200, "127.0.0.1:1": 200, "127.9.9.9": 200, "[::1]:5000": 200, "[::1]": 200,
		"taxi.example": 200, "Taxi.Example:443": 200,
		"evil.com": 403, "evil.com:5000": 403, "localhost.evil.com": 403, "127.0.0.1.evil.com": 403, "10.0.0.1": 403, "[fd00::1]:5000": 403,
	} {
		header := []string{"Host", host}
		if host == "" {
			header = nil // the client then sends the address it dialled
		}
		if got := ask(t, "GET", url+"/version", "", header...); got.status != want {
			t.Errorf("Host %q = %d %q, want %d", host, got.status, got.body, want)
		}
	}
	if got := ask(t, "GET", url+"/health", "", "Host", "evil.com"); got.status != 200 {
		t.Errorf("GET /health with a foreign Host = %d, want 200", got.status)
	}
}

func TestHostsElsewhere(t *testing.T) {
	for _, c := range []struct {
		allowed []string
		want    int
	}{{nil, 200}, {[]string{"*"}, 200}, {[]string{"taxi.example"}, 403}} {
		url, _ := start(t, &serve.Server{Addr: "0.0.0.0:0", Insecure: true, AllowedHosts: c.allowed, Mounts: everything})
		if got := ask(t, "GET", url, "", "Host", "other.example"); got.status != c.want {
			t.Errorf("AllowedHosts %q: Host other.example = %d, want %d", c.allowed, got.status, c.want)
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
		if got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("Origin %q is allowed to read answers", c.origin)
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
