//go:build parity

package mlflow_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

// TestRealRoutes asks every route that MLflow 3.17.2's server has, with every
// method. None may be unknown here, and none may fail.
func TestRealRoutes(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(wire(t), "mlflow-endpoints-3.17.txt"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := mlflow.NewHandler(s)
	h.UI = os.DirFS("testdata/ui")
	route := regexp.MustCompile(`(?m)^\('(/[^']*)', \(([^)]*)\)\)$`)
	place := regexp.MustCompile(`<[^>]*>|\{[^}]*\}`)
	n := 0
	for _, m := range route.FindAllStringSubmatch(string(list), -1) {
		path := place.ReplaceAllString(m[1], "x")
		for method := range strings.SplitSeq(m[2], ",") {
			if method = strings.Trim(method, "' "); method == "" || method == "OPTIONS" || absent[method+" "+m[1]] != "" {
				continue
			}
			n++
			r := httptest.NewRequest(method, path, strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			answer := w.Body.String()
			if strings.Contains(answer, "ENDPOINT_NOT_FOUND") || strings.Contains(answer, "METHOD_NOT_ALLOWED") ||
				w.Code >= 500 && w.Code != http.StatusNotImplemented {
				t.Errorf("%s %s: %d %.200s", method, m[1], w.Code, answer)
			}
		}
	}
	if n < 400 {
		t.Fatalf("%d routes asked", n)
	}
	t.Logf("%d routes asked", n)
}

// absent says why a route of theirs is not here.
var absent = map[string]string{
	"GET /graphql":                      "mlflow.md §2.9: theirs answers 500",
	"GET /build/<path:filename>":        "the trace renderer of notebooks",
	"GET /static-files/<path:path>":     "there is no file x",
	"GET /static-files/<path:filename>": "there is no file x",
}
