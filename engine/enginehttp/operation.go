package enginehttp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

// operation is a row of the API's table.
type operation struct {
	method, path string // the path below Prefix
	tag          string // what it is listed under
	name         string // for programs: "listFlowRuns"
	summary      string
	query, body  *engine.Schema // nil: none
	answer       *engine.Schema // nil: no content
	status       int
	stream       string // what its events hold, where it answers with a stream of them
	bytes        bool   // it takes or answers bytes of any kind
	most         int64  // bytes of a body; 0: maxBody
	trusting     bool   // a body is only decoded: programs send it many times a second
	serve        http.HandlerFunc
}

// none is a query, a body or an answer that has nothing in it.
type none struct{}

// request is what a client asks, checked.
type request[Q, B any] struct {
	*http.Request
	Query Q
	Body  B
}

// add adds an operation that takes a query Q and a body B and answers with A.
// pattern is a method and a path below Prefix.
func add[Q, B, A any](h *handler, tag, pattern, name, summary string, do func(request[Q, B]) (A, error)) *operation {
	o := describe[Q, B, A](tag, pattern, name, summary)
	o.serve = func(w http.ResponseWriter, r *http.Request) {
		in := request[Q, B]{Request: r}
		err := o.decode(w, r, &in.Query, &in.Body)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		out, err := do(in)
		switch {
		case err != nil:
			h.fail(w, r, err)
		case o.answer == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			reply(w, o.status, out)
		}
	}
	h.operations = append(h.operations, o)
	return o
}

// addStream adds an operation that writes its answer itself.
func addStream[Q any](h *handler, tag, pattern, name, summary, events string, do func(w http.ResponseWriter, in request[Q, none]) error) {
	o := describe[Q, none, none](tag, pattern, name, summary)
	o.status, o.stream = http.StatusOK, events
	o.serve = func(w http.ResponseWriter, r *http.Request) {
		in := request[Q, none]{Request: r}
		err := o.decode(w, r, &in.Query, &in.Body)
		if err == nil {
			err = do(w, in)
		}
		if err != nil {
			h.fail(w, r, err)
		}
	}
	h.operations = append(h.operations, o)
}

// addBytes adds an operation that reads or writes bytes that are not JSON.
func addBytes(h *handler, tag, pattern, name, summary string, do func(w http.ResponseWriter, r *http.Request) error) {
	o := describe[none, none, none](tag, pattern, name, summary)
	o.bytes = true
	if o.method == http.MethodGet {
		o.status = http.StatusOK
	}
	o.serve = func(w http.ResponseWriter, r *http.Request) {
		if err := do(w, r); err != nil {
			h.fail(w, r, err)
		}
	}
	h.operations = append(h.operations, o)
}

func describe[Q, B, A any](tag, pattern, name, summary string) *operation {
	method, path, _ := strings.Cut(pattern, " ")
	o := &operation{method: method, path: path, tag: tag, name: name, summary: summary, status: http.StatusOK,
		query: schemaOf[Q](false), body: schemaOf[B](false), answer: schemaOf[A](true)}
	if o.answer == nil {
		o.status = http.StatusNoContent
	}
	return o
}

// maxBody is the most bytes of a body that are read, where its operation does not say.
const maxBody int64 = 4 << 20

// decode reads and checks what the client sent.
func (o *operation) decode(w http.ResponseWriter, r *http.Request, query, body any) error {
	if err := decodeQuery(o.query, r.URL.RawQuery, query); err != nil {
		return err
	}
	most := cmp.Or(o.most, maxBody)
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &Problem{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is larger than %d bytes", most), ""}
	case err != nil:
		return &Problem{http.StatusBadRequest, "malformed", "the body ended early", ""}
	case len(data) > 0:
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			return &Problem{http.StatusUnsupportedMediaType, "not_json", "send the body as JSON, with Content-Type: application/json", ""}
		}
	}
	if o.trusting {
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(body); err != nil {
			return &Problem{http.StatusBadRequest, "malformed", fmt.Sprintf("the body: %v", err), ""}
		}
		return nil
	}
	return decodeBody(o.body, data, body)
}

func decodeBody(s *engine.Schema, data []byte, into any) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		data = []byte("{}")
	}
	if !json.Valid(data) {
		var v any
		err := json.Unmarshal(data, &v)
		return &Problem{http.StatusBadRequest, "malformed", fmt.Sprintf("the body is no JSON: %v", err), ""}
	}
	if s == nil {
		s = &engine.Schema{Type: "object", Closed: true}
	}
	if err := known(s, data, ""); err != nil {
		return err
	}
	full, err := s.Resolve(data)
	if err != nil {
		return asField(err)
	}
	if err := json.Unmarshal(full, into); err != nil {
		return invalid("", err.Error())
	}
	return nil
}

// asField says of a field what a ParameterError says of a parameter.
func asField(err error) error {
	var p *engine.ParameterError
	if !errors.As(err, &p) {
		return err
	}
	message := strings.Replace(p.Error(), "parameter "+p.Parameter, p.Parameter, 1)
	if p.Parameter == "" {
		message = strings.Replace(message, "parameters", "the body", 1)
	}
	return invalid(p.Parameter, message)
}

// known refuses names that s does not have.
func known(s *engine.Schema, data json.RawMessage, path string) error {
	var object map[string]json.RawMessage
	var items []json.RawMessage
	switch {
	case s == nil:
	case s.Type == "array" && json.Unmarshal(data, &items) == nil:
		for i, item := range items {
			if err := known(s.Items, item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case s.Type == "object" && json.Unmarshal(data, &object) == nil:
		for name, value := range object {
			at := strings.TrimPrefix(path+"."+name, ".")
			p, ok := s.Properties[name]
			if !ok && s.Closed {
				return invalid(at, fmt.Sprintf("there is no field %q%s", at, suggestion(name, s.Order)))
			}
			if err := known(p, value, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func suggestion(name string, there []string) string {
	if len(there) == 0 {
		return " here: the body is empty"
	}
	return schedule.Suggest(name, there)
}

// decodeQuery reads the query of an address. Lists are given several times, or
// separated by commas.
func decodeQuery(s *engine.Schema, raw string, into any) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return &Problem{http.StatusBadRequest, "malformed", fmt.Sprintf("the query %q: %v", raw, err), ""}
	}
	if s == nil {
		s = &engine.Schema{Type: "object", Closed: true}
	}
	given := map[string]json.RawMessage{}
	for name, texts := range values {
		p := s.Properties[name]
		switch {
		case p == nil && len(s.Order) == 0:
			return badQuery(name, "this takes no query parameters")
		case p == nil:
			return badQuery(name, fmt.Sprintf("there is no query parameter %q%s", name, schedule.Suggest(name, s.Order)))
		case p.Type == "array":
			var list []json.RawMessage
			for _, text := range strings.Split(strings.Join(texts, ","), ",") {
				list = append(list, typed(p.Items, text))
			}
			given[name], _ = json.Marshal(list) // of what typed has made
		case len(texts) > 1:
			return badQuery(name, name+" is given twice")
		default:
			given[name] = typed(p, texts[0])
		}
	}
	data, err := json.Marshal(given)
	if err != nil {
		return err
	}
	full, err := s.Resolve(data)
	var p *Problem
	if err != nil && errors.As(asField(err), &p) {
		return badQuery(p.Field, p.Message)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(full, into); err != nil {
		return badQuery("", err.Error())
	}
	return nil
}

func badQuery(field, message string) error {
	return &Problem{http.StatusBadRequest, "invalid", message, field}
}

// typed is text as JSON of the type that p wants.
func typed(p *engine.Schema, text string) json.RawMessage {
	one := engine.Schema{Properties: map[string]*engine.Schema{"v": p}}
	var v struct{ V json.RawMessage }
	object, err := one.FromText(map[string]string{"v": text})
	if err != nil || json.Unmarshal(object, &v) != nil {
		return json.RawMessage("null")
	}
	if !json.Valid(v.V) { // a number that is none: the check says so
		v.V, _ = json.Marshal(text)
	}
	return v.V
}

// parameters are the names in braces of a path.
func (o *operation) parameters() (names []string) {
	for part := range strings.SplitSeq(o.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimRight(name, ".}"))
		}
	}
	return slices.Clip(names)
}
