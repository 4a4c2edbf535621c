package enginehttp

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"
)

//go:embed docs.html
var docsPage []byte

// docs shows the page, which reads the document that addDocs serves.
func docs(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'")
	_, _ = w.Write(docsPage) // only a connection that broke can fail it
}

func (h *handler) addDocs() {
	o := add(h, "About", "GET openapi.json", "getOpenAPI", "This description, as OpenAPI 3.1", func(request[none, none]) (map[string]any, error) { return nil, nil })
	text := sync.OnceValues(func() ([]byte, error) { return json.MarshalIndent(document(h.operations), "", "  ") })
	o.serve = func(w http.ResponseWriter, r *http.Request) {
		data, err := text()
		if err != nil {
			h.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data) // only a connection that broke can fail it
	}
}
