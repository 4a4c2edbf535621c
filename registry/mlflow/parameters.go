package mlflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

const seeDocs = "See the API docs for more information about request parameters."

func (r *request) missing(name string) {
	if r.err == nil {
		r.err = registry.Errorf(registry.InvalidParameterValue, "Missing value for required parameter '%s%s'. %s", r.prefix, name, seeDocs)
	}
}

func (r *request) invalid(name string, value any) {
	if r.err != nil {
		return
	}
	text, err := json.Marshal(value)
	if err != nil || len(text) > 200 {
		text = []byte(`"…"`)
	}
	r.err = registry.Errorf(registry.InvalidParameterValue, "Invalid value %s for parameter '%s%s' supplied:  Hint: Value was of type '%s'. %s",
		text, r.prefix, name, pythonType(value), seeDocs)
}

// pythonType is what Python calls the type of a JSON value.
func pythonType(value any) string {
	switch v := value.(type) {
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "float"
		}
		return "int"
	case bool:
		return "bool"
	case []any, []string:
		return "list"
	case map[string]any:
		return "dict"
	}
	return "str"
}

// value returns a parameter; nil if it is not there.
func (r *request) value(name string) any {
	value := r.fields[name]
	if list, ok := value.([]string); ok && r.query {
		if len(list) == 0 {
			return nil
		}
		return list[len(list)-1]
	}
	return value
}

func (r *request) has(name string) bool { return r.value(name) != nil }

// text returns a text parameter; "" if it is not there.
func (r *request) text(name string) string {
	switch value := r.value(name).(type) {
	case nil:
	case string:
		return value
	default:
		r.invalid(name, value)
	}
	return ""
}

// need returns a text parameter that must be there and not empty.
func (r *request) need(name string) string {
	text := r.text(name)
	if text == "" {
		r.missing(name)
	}
	return text
}

// runID returns the run's id, which has an older name too.
func (r *request) runID() string {
	if id := r.text("run_id"); id != "" {
		return id
	}
	if id := r.text("run_uuid"); id != "" {
		return id
	}
	return r.need("run_id")
}

// number returns a number parameter; 0 if it is not there.
func (r *request) number(name string) float64 {
	switch value := r.value(name).(type) {
	case nil:
		return 0
	case bool:
		if value {
			return 1
		}
		return 0
	case json.Number:
		if f, err := value.Float64(); err == nil || errors.Is(err, strconv.ErrRange) {
			return f
		}
	case string:
		if f, err := strconv.ParseFloat(value, 64); err == nil && !strings.ContainsAny(value, "xX_") {
			return f
		}
	}
	r.invalid(name, r.value(name))
	return 0
}

// integer returns a whole number parameter; 0 if it is not there. A fraction is
// cut off.
func (r *request) integer(name string) int64 {
	value := r.value(name)
	text := ""
	switch v := value.(type) {
	case nil:
		return 0
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f > -1<<63 && f < 1<<63 && !strings.ContainsAny(text, "xX_") {
		return int64(f)
	}
	r.invalid(name, value)
	return 0
}

// limit returns the parameter max_results, which must be positive; standard if
// it is not there, and then 0 is allowed.
func (r *request) limit(standard int) int {
	if !r.has("max_results") && standard >= 0 {
		return standard
	}
	n := r.integer("max_results")
	if n < 1 && r.err == nil {
		r.err = registry.Errorf(registry.InvalidParameterValue, "Invalid value %d for parameter 'max_results' supplied. It must be a positive integer", n)
	}
	return int(min(n, 1<<30))
}

// flag returns a boolean parameter; false if it is not there.
func (r *request) flag(name string) bool {
	switch value := r.value(name).(type) {
	case nil:
		return false
	case bool:
		return value
	case string:
		if strings.EqualFold(value, "true") || strings.EqualFold(value, "false") {
			return strings.EqualFold(value, "true")
		}
	}
	r.invalid(name, r.value(name))
	return false
}

// texts returns a parameter that is a list of texts.
func (r *request) texts(name string) []string {
	switch value := r.fields[name].(type) {
	case nil:
		return nil
	case []string:
		return value
	case []any:
		texts := make([]string, len(value))
		for i, v := range value {
			text, ok := v.(string)
			if !ok {
				r.invalid(fmt.Sprintf("%s[%d]", name, i), v)
			}
			texts[i] = text
		}
		return texts
	}
	r.invalid(name, r.fields[name])
	return nil
}

// objects returns what read makes of each object of a list parameter.
func objects[T any](r *request, name string, read func(*request) T) []T {
	switch value := r.fields[name].(type) {
	case nil:
		return nil
	case []any:
		items := make([]T, len(value))
		for i, v := range value {
			items[i] = object(r, fmt.Sprintf("%s[%d]", name, i), v, read)
		}
		return items
	}
	r.invalid(name, r.fields[name])
	var none []T
	return none
}

func object[T any](r *request, name string, value any, read func(*request) T) (item T) {
	fields, ok := value.(map[string]any)
	if !ok {
		r.invalid(name, value)
		return item
	}
	inner := &request{ctx: r.ctx, fields: fields, prefix: r.prefix + name + ".", err: snakeNames(fields)}
	item = read(inner)
	if r.err == nil {
		r.err = inner.err
	}
	return item
}

// enum returns a parameter that is a name or the number of one, 1 being the first.
func enum[T ~string](r *request, name string, names ...T) T {
	if !r.has(name) {
		return ""
	}
	if text, ok := r.value(name).(string); ok {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > len(names) {
			return T(text)
		} else {
			return names[n-1]
		}
	}
	if n := r.integer(name); n >= 1 && int(n) <= len(names) {
		return names[n-1]
	}
	r.invalid(name, r.value(name))
	return ""
}

func readTag(r *request) registry.Tag {
	return registry.Tag{Key: r.need("key"), Value: r.text("value")}
}

func readParam(r *request) registry.Param {
	return registry.Param{Key: r.need("key"), Value: r.text("value")}
}
