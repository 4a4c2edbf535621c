// Package ui is the web page: embedded files that show flow runs, tracked runs
// and models, and ask for predictions. It reaches the rest only through HTTP,
// by relative addresses, and knows none of the packages that answer.
package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var static embed.FS

// policy lets the page load its own files, talk to its own server, and nothing
// else: no inline script or style, no frames, no form that leaves the page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page at / and its files beside it. Everything in the page
// is addressed relative to it, so it works below a prefix that a proxy strips.
func Handler() http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the embedded folder is named above
	}
	tags := etags(files)
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		tag, there := tags[name]
		h := w.Header()
		switch {
		case !there || r.URL.Path == "/index.html": // the page has one address
			http.Error(w, "there is no such page", http.StatusNotFound)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD work here", http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache") // ask each time; the tag makes that cheap
		h.Set("ETag", tag)
		if path.Ext(name) == ".js" {
			h.Set("Content-Type", "text/javascript; charset=utf-8") // whatever the machine's MIME table says
		}
		serve.ServeHTTP(w, r)
	})
}

// etags maps each file's name to a tag made from its content.
func etags(files fs.FS) map[string]string {
	tags := map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		sum := sha256.Sum256(content)
		tags[name] = `"` + hex.EncodeToString(sum[:8]) + `"`
		return err
	})
	if err != nil {
		panic(err) // embedded files can be read
	}
	return tags
}
