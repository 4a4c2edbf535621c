package ui_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/serve/ui"
)

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestPageAndEverythingItNames(t *testing.T) {
	server := httptest.NewServer(ui.Handler())
	defer server.Close()
	seen := map[string]bool{}
	names := regexp.MustCompile(`(?:\b(?:src|href)="|from "\./)([\w.-]+\.(?:js|css|svg))"`)
	var walk func(name, kind string)
	walk = func(name, kind string) {
		if seen[name] {
			return
		}
		seen[name] = true
		res, body := get(t, server.URL+"/"+name)
		if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) {
			t.Errorf("GET /%s = %d %s, want 200 %s", name, res.StatusCode, res.Header.Get("Content-Type"), kind)
		}
		for _, m := range names.FindAllStringSubmatch(body, -1) {
			walk(m[1], map[string]string{".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[filepath.Ext(m[1])])
		}
	}
	walk("", "text/html")
	files, err := filepath.Glob("static/*")
	if err != nil || len(seen) != len(files) {
		t.Errorf("the page uses %d files of %d in static (%v): %v", len(seen), len(files), err, seen)
	}
}

func TestHeaders(t *testing.T) {
	server := httptest.NewServer(ui.Handler())
	defer server.Close()
	for _, name := range []string{"/", "/app.js", "/style.css"} {
		res, _ := get(t, server.URL+name)
		policy := res.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("GET %s: policy %q lacks %q", name, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("GET %s: policy %q lets too much through", name, policy)
		}
		tag := res.Header.Get("ETag")
		if again, body := get(t, server.URL+name, "If-None-Match", tag); tag == "" || again.StatusCode != 304 || body != "" {
			t.Errorf("GET %s with its tag %q = %d and %d bytes, want 304", name, tag, again.StatusCode, len(body))
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	server := httptest.NewServer(ui.Handler())
	defer server.Close()
	for _, path := range []string{"/nothing", "/static/", "/static/app.js", "/index.html", "/app.js/", "/../ui.go", "/%2e%2e/ui.go", "/<script>alert(1)</script>"} {
		res, body := get(t, server.URL+path)
		if res.StatusCode != 404 || strings.Contains(body, "<") {
			t.Errorf("GET %s = %d %q, want 404 without markup", path, res.StatusCode, body)
		}
	}
	res, err := http.Post(server.URL+"/", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 405 || res.Header.Get("Allow") == "" {
		t.Errorf("POST / = %d, Allow %q, want 405", res.StatusCode, res.Header.Get("Allow"))
	}
}

// Names of runs, parameters and messages are other people's words. The page
// stays safe because no code in it can turn a string into markup or script,
// and because every address is relative.
func TestPageCannotTurnTextIntoMarkup(t *testing.T) {
	files, err := filepath.Glob("static/*")
	if err != nil || len(files) < 5 {
		t.Fatalf("found %d files: %v", len(files), err)
	}
	markup := regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|\beval\b|new Function|DOMParser|createContextualFragment|srcdoc|javascript:|data:`)
	handlers := regexp.MustCompile(`(?i)<[^>]*\s(on\w+|style)\s*=|<style|<script(?:>|[^>]*>[^<])`)
	absolute := regexp.MustCompile("(?:src|href|action)=\"(?:/|https?:)|[\"'`](?:/[a-z]|https?:)")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), `xmlns="http://www.w3.org/2000/svg"`, "")
		if m := markup.FindString(text); m != "" {
			t.Errorf("%s uses %s", name, m)
		}
		if m := handlers.FindString(text); m != "" && filepath.Ext(name) != ".js" {
			t.Errorf("%s has inline code or style: %s", name, m)
		}
		if m := absolute.FindString(text); m != "" {
			t.Errorf("%s has an address that is not relative: %s", name, m)
		}
	}
}
