package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ParameterError says which parameter is not what its schema wants.
type ParameterError struct {
	Parameter string // "trials", "train.month", "months[2]"; "" for the whole
	Want      string // "an integer of at least 0"
	Got       string // the value as JSON; "" where it is missing
	Reason    string // that the value's own type gives; "" where Want says it
	// Known, for a parameter that there is not, are those that there are.
	Known []string
}

func (e *ParameterError) Error() string {
	name := "parameters"
	if e.Parameter != "" {
		name = "parameter " + e.Parameter
	}
	switch {
	case e.Known != nil:
		return name + " is unknown" + Suggest(e.Parameter[strings.LastIndex(e.Parameter, ".")+1:], e.Known)
	case e.Got == "":
		return fmt.Sprintf("%s is missing: want %s", name, e.Want)
	case e.Reason != "":
		return fmt.Sprintf("%s: want %s, not %s: %s", name, e.Want, e.Got, e.Reason)
	}
	return fmt.Sprintf("%s: want %s, not %s", name, e.Want, e.Got)
}

// Resolve returns params (JSON; nothing is the empty object) with the defaults
// filled in, or a ParameterError about the first that is not as described.
func (s *Schema) Resolve(params json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(params)) == 0 {
		params = json.RawMessage("{}")
	}
	full, err := s.fill(params)
	if err == nil {
		err = s.check("", full)
	}
	if err != nil {
		return nil, err
	}
	return full, nil
}

// FromText returns parameters that were typed as text, such as trials=3: text
// that is JSON of the wanted type counts as such, and else is a string.
func (s *Schema) FromText(values map[string]string) (json.RawMessage, error) {
	params := map[string]json.RawMessage{}
	for name, text := range values {
		p := s.Properties[name]
		if p == nil {
			p = &Schema{}
		}
		value := json.RawMessage(text)
		if !json.Valid(value) || p.check(name, value) != nil && (p.Type == "string" || p.Type == "") {
			var err error
			if value, err = marshal(text); err != nil {
				return nil, err
			}
		}
		params[name] = value
	}
	return marshal(params)
}

// check returns a ParameterError unless value, which is the parameter at path, is
// as described.
func (s *Schema) check(path string, value json.RawMessage) error {
	value = bytes.TrimSpace(value)
	bad := &ParameterError{Parameter: path, Want: s.want(), Got: s.got(value)}
	if !json.Valid(value) {
		return bad
	}
	if string(value) == "null" {
		if s.Nullable || s.Type == "" {
			return nil
		}
		return bad
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e json.RawMessage) bool { return sameJSON(e, value) }) {
		return bad
	}
	ok := true
	switch s.Type {
	case "boolean":
		ok = value[0] == 't' || value[0] == 'f'
	case "integer", "number":
		ok = s.checkNumber(value)
	case "string":
		ok = s.checkString(value)
	case "array":
		var items []json.RawMessage
		if json.Unmarshal(value, &items) != nil {
			return bad
		}
		if s.MinItems != nil && len(items) < *s.MinItems || s.MaxItems != nil && len(items) > *s.MaxItems {
			return bad
		}
		for i, item := range items {
			if err := s.Items.check(fmt.Sprintf("%s[%d]", path, i), item); err != nil {
				return err
			}
		}
	case "object":
		if err := s.checkObject(path, value, bad); err != nil {
			return err
		}
	}
	if !ok {
		return bad
	}
	if bad.Reason = s.decode(value); bad.Reason != "" {
		return bad
	}
	return nil
}

// decode returns what the decoder of the value's type has against it.
func (s *Schema) decode(value json.RawMessage) string {
	if s.decoded == nil {
		return ""
	}
	err := json.Unmarshal(value, reflect.New(s.decoded).Interface())
	var misfit *json.UnmarshalTypeError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &misfit):
		return fmt.Sprintf("it does not fit a Go %s", misfit.Type)
	}
	return err.Error()
}

func (s *Schema) checkObject(path string, value json.RawMessage, bad error) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil {
		return bad
	}
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			return &ParameterError{Parameter: at(name), Want: s.Properties[name].want()}
		}
	}
	given := make([]string, 0, len(object))
	for name := range object {
		given = append(given, name)
	}
	slices.Sort(given)
	for _, name := range given {
		p := s.Properties[name]
		if p == nil {
			p = s.Values
		}
		if p == nil && s.Closed {
			known := append([]string{}, s.Order...)
			return &ParameterError{Parameter: at(name), Want: "one of " + strings.Join(known, ", "), Got: shortened(object[name]), Known: known}
		}
		if p == nil {
			continue
		}
		if err := p.check(at(name), object[name]); err != nil {
			return err
		}
	}
	return nil
}
