package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// ParameterError says which parameter is not what its schema wants.
type ParameterError struct {
	Parameter string // "trials", "train.month", "months[2]"; "" for the whole
	Want      string // "an integer of at least 0"
	Got       string // the value as JSON; "" where it is missing
}

func (e *ParameterError) Error() string {
	name := "parameters"
	if e.Parameter != "" {
		name = "parameter " + e.Parameter
	}
	if e.Got == "" {
		return fmt.Sprintf("%s is missing: want %s", name, e.Want)
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

// fill puts the defaults of properties that are not given.
func (s *Schema) fill(value json.RawMessage) (json.RawMessage, error) {
	if s.Type != "object" || len(s.Properties) == 0 {
		return value, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil || object == nil {
		return value, nil // check says what is wrong
	}
	changed := false
	for name, p := range s.Properties {
		given, ok := object[name]
		switch {
		case !ok && p.Default != nil:
			object[name], changed = p.Default, true
		case ok:
			full, err := p.fill(given)
			if err != nil {
				return nil, err
			}
			if !bytes.Equal(full, given) {
				object[name], changed = full, true
			}
		}
	}
	if !changed {
		return value, nil
	}
	return marshal(object)
}

// check returns a ParameterError unless value, which is the parameter at path, is
// as described.
func (s *Schema) check(path string, value json.RawMessage) error {
	value = bytes.TrimSpace(value)
	bad := &ParameterError{path, s.want(), shortened(value)}
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
		for i, item := range items {
			if err := s.Items.check(fmt.Sprintf("%s[%d]", path, i), item); err != nil {
				return err
			}
		}
	case "object":
		return s.checkObject(path, value, bad)
	}
	if !ok {
		return bad
	}
	return nil
}

func (s *Schema) checkObject(path string, value json.RawMessage, bad error) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil {
		return bad
	}
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			return &ParameterError{at(name), s.Properties[name].want(), ""}
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
			return &ParameterError{at(name), "one of " + strings.Join(s.Order, ", "), shortened(object[name])}
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
