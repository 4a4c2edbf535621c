package enginehttp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/taximeter/taximeter/engine/enginehttp"
)

// document is the OpenAPI document as a server gives it, and what was seen of it.
type document struct {
	t     *testing.T
	paths map[string]map[string]any
	all   map[string]any // its schemas

	mu   sync.Mutex
	seen map[string]bool // by operationId
}

func readDocument(t *testing.T, url string) *document {
	t.Helper()
	res, err := http.Get(url + enginehttp.Prefix + "openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var read struct {
		OpenAPI    string `json:"openapi"`
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.NewDecoder(res.Body).Decode(&read); err != nil || read.OpenAPI != "3.1.0" {
		t.Fatalf("version %q, %v", read.OpenAPI, err)
	}
	return &document{t: t, paths: read.Paths, all: read.Components.Schemas, seen: map[string]bool{}}
}

// operation finds what the document says about a request.
func (d *document) operation(method, path string) map[string]any {
	best, most := map[string]any(nil), -1
	for pattern, methods := range d.paths {
		o, ok := methods[strings.ToLower(method)].(map[string]any)
		if !ok {
			continue
		}
		want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
		literal := 0
		fits := len(want) == len(got) || len(want) < len(got) && strings.HasPrefix(want[len(want)-1], "{")
		for i := range want {
			if !fits {
				break
			}
			if strings.HasPrefix(want[i], "{") {
				continue
			}
			literal++
			fits = want[i] == got[i]
		}
		if fits && literal > most {
			best, most = o, literal
		}
	}
	return best
}

// RoundTrip lets the document judge each answer.
func (d *document) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, enginehttp.Prefix) {
		return res, err
	}
	o := d.operation(r.Method, r.URL.EscapedPath())
	if o == nil {
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMethodNotAllowed {
			d.t.Errorf("%s %s = %d, and the document does not know it", r.Method, r.URL.Path, res.StatusCode)
		}
		return res, nil
	}
	responses := o["responses"].(map[string]any)
	answer, ok := responses[fmt.Sprint(res.StatusCode)].(map[string]any)
	if !ok {
		if res.StatusCode < 400 || res.StatusCode >= 500 {
			d.t.Errorf("%s %s = %d", r.Method, r.URL.Path, res.StatusCode)
		}
		answer = responses["default"].(map[string]any)
	} else {
		d.mu.Lock()
		d.seen[o["operationId"].(string)] = true
		d.mu.Unlock()
	}
	content, _ := answer["content"].(map[string]any)
	kind := res.Header.Get("Content-Type")
	if _, ok := content[kind]; !ok && content != nil {
		d.t.Errorf("%s %s is %q, the document says %v", r.Method, r.URL.Path, kind, content)
	}
	if body, ok := content["application/json"].(map[string]any); ok {
		data, err := io.ReadAll(res.Body)
		if err != nil {
			return res, err
		}
		res.Body = io.NopCloser(bytes.NewReader(data))
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			d.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		if err := d.check("answer", body["schema"], v); err != nil {
			d.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
	} else if content == nil {
		if data, _ := io.ReadAll(res.Body); len(data) > 0 {
			d.t.Errorf("%s %s answers %q, the document says nothing", r.Method, r.URL.Path, data)
		}
	}
	return res, nil
}

// check holds v against a schema of the document.
func (d *document) check(at string, schema, v any) error {
	s, _ := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		target, ok := d.all[strings.TrimPrefix(ref, "#/components/schemas/")]
		if !ok {
			return fmt.Errorf("%s: %s leads nowhere", at, ref)
		}
		return d.check(at, target, v)
	}
	if list, ok := s["anyOf"].([]any); ok {
		var err error
		for _, one := range list {
			if err = d.check(at, one, v); err == nil {
				return nil
			}
		}
		return err
	}
	types, _ := s["type"].([]any)
	if one, ok := s["type"].(string); ok {
		types = []any{one}
	}
	if types != nil && !slices.Contains(types, any(typeOf(v))) && !(typeOf(v) == "integer" && slices.Contains(types, any("number"))) {
		return fmt.Errorf("%s: %v is %s, want %v", at, v, typeOf(v), types)
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, v) {
		return fmt.Errorf("%s: %v is none of %v", at, v, enum)
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if err := d.check(fmt.Sprintf("%s[%d]", at, i), s["items"], item); err != nil {
				return err
			}
		}
	case map[string]any:
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				return fmt.Errorf("%s: %v is missing", at, name)
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for name, value := range v {
			p, ok := properties[name]
			if !ok {
				if s["additionalProperties"] == false {
					return fmt.Errorf("%s: %s is not in the document", at, name)
				}
				p = s["additionalProperties"]
			}
			if err := d.check(at+"."+name, p, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
