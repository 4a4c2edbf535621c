package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry"
)

// request gives the parameters of an API call, whether they came as JSON or in
// the query, by MLflow's rules: what is unknown is ignored, numbers may be
// strings. The first parameter that is missing or of a wrong type stays in err;
// after it, the values are zero.
type request struct {
	ctx    context.Context
	fields map[string]any // JSON values; lists of texts from a query
	query  bool           // from a query: every value is a list of texts
	prefix string         // of the parameters' names in messages
	batch  *loggedBatch   // the whole body, if that is a usual one of runs/log-batch
	err    error
}

// readRequest reads the parameters of a call.
func readRequest(c echo.Context) (*request, error) {
	hr := c.Request()
	r := &request{ctx: hr.Context(), fields: map[string]any{}}
	query := hr.URL.Query()
	if slices.Contains(reading, hr.Method) && len(query) > 0 {
		r.addQuery(query)
	} else if err := r.readBody(c); err != nil {
		return nil, err
	}
	if hr.Method == http.MethodDelete && len(r.fields) == 0 {
		r.addQuery(query)
	}
	for _, name := range c.ParamNames() {
		value := c.Param(name)
		if unescaped, err := url.PathUnescape(value); err == nil && hr.URL.RawPath != "" {
			value = unescaped
		}
		if r.query {
			r.fields[name] = []string{value}
		} else {
			r.fields[name] = value
		}
	}
	return r, nil
}

func (r *request) addQuery(query url.Values) {
	r.query = true
	for name, values := range query {
		r.fields[name] = values
	}
}

// readBody reads a JSON body. The content type is insisted on because a browser
// cannot be made to send it to another origin without asking first.
func (r *request) readBody(c echo.Context) error {
	hr := c.Request()
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), hr.Body, MaxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return registry.Errorf(registry.InvalidParameterValue, "Bad Request. The body is larger than %d bytes.", MaxBody)
		}
		return registry.Errorf(registry.BadRequest, "read body: %w", err)
	}
	bare := slices.Contains(reading, hr.Method) || hr.Method == http.MethodDelete && len(body) == 0
	if contentType := hr.Header.Get("Content-Type"); !bare {
		if contentType == "" {
			return registry.Errorf(registry.InvalidParameterValue, "Bad Request. Content-Type header is missing.")
		}
		if mediaType, _, err := mime.ParseMediaType(contentType); err != nil || mediaType != "application/json" {
			return registry.Errorf(registry.InvalidParameterValue, "Bad Request. Content-Type must be one of ['application/json'].")
		}
	}
	if err := checkValues(body); err != nil {
		return err
	}
	if strings.HasSuffix(c.Path(), "/runs/log-batch") {
		if batch, ok := parseBatch(body); ok {
			r.batch = batch
			return nil
		}
	}
	value := decode(body)
	if text, ok := value.(string); ok { // some clients encode twice
		if err := checkValues([]byte(text)); err != nil {
			return err
		}
		value = decode([]byte(text))
	}
	switch value := value.(type) {
	case map[string]any:
		r.fields = value
		return snakeNames(value)
	case nil: // MLflow takes what it cannot parse for no parameters
	default:
		return registry.Errorf(registry.InvalidParameterValue, "Bad Request. The body must be a JSON object.")
	}
	return nil
}

// maxValues bounds the values in a body: each takes many times the memory that
// its text does. The largest batch has a tenth.
const maxValues = 100_000

// checkValues returns an error if the JSON in b has too many values.
func checkValues(b []byte) error {
	n, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	if n > maxValues {
		return registry.Errorf(registry.InvalidParameterValue, "Bad Request. The body has more than %d values.", maxValues)
	}
	return nil
}

// snakeNames gives fields in camel case, which Protocol Buffers allow in JSON,
// their other name.
func snakeNames(fields map[string]any) error {
	for name, value := range fields {
		snake := upper.ReplaceAllStringFunc(name, func(c string) string { return "_" + strings.ToLower(c) })
		if snake == name {
			continue
		}
		if _, both := fields[snake]; both {
			return registry.Errorf(registry.InvalidParameterValue, "Request specifies both '%.100s' and '%.100s'; provide only one of them.", snake, name)
		}
		fields[snake] = value
		delete(fields, name)
	}
	return nil
}

var upper = regexp.MustCompile(`[A-Z]`)

// decode returns the JSON value in b, nil if there is none.
func decode(b []byte) any {
	for _, text := range [][]byte{b, quoteNaN(b)} {
		var value any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&value); err == nil {
			return value
		}
	}
	return nil
}

// quoteNaN puts quotes around the bare words NaN, Infinity and -Infinity, which
// Python writes and JSON does not know.
func quoteNaN(b []byte) []byte {
	var out []byte
	inString := false
	for i := 0; i < len(b); i++ {
		switch {
		case inString && b[i] == '\\' && i+1 < len(b):
			out = append(out, b[i])
			i++
		case b[i] == '"':
			inString = !inString
		case !inString:
			if word := bareWord(b[i:]); word != "" {
				out = append(append(append(out, '"'), word...), '"')
				i += len(word) - 1
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func bareWord(b []byte) string {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return word
		}
	}
	return ""
}
