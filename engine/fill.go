package engine

import (
	"bytes"
	"encoding/json"
	"time"
)

// fill puts the defaults of properties that are not given, at any depth, and writes
// durations as the numbers that they are.
func (s *Schema) fill(value json.RawMessage) (json.RawMessage, error) {
	switch {
	case s.Format == "duration" && s.Type == "integer":
		var text string
		if json.Unmarshal(value, &text) == nil {
			if d, err := time.ParseDuration(text); err == nil {
				return marshal(d)
			}
		}
	case s.Type == "array" && s.Items.fills():
		return s.fillItems(value)
	case s.Type == "object" && s.fills():
		return s.fillObject(value)
	}
	return value, nil // check says what is wrong with it
}

// fills reports whether fill may change a value.
func (s *Schema) fills() bool {
	if s == nil {
		return false
	}
	for _, p := range s.Properties {
		if p.Default != nil || p.fills() {
			return true
		}
	}
	return s.Format == "duration" || s.Items.fills() || s.Values.fills()
}

func (s *Schema) fillItems(value json.RawMessage) (json.RawMessage, error) {
	var items []json.RawMessage
	if json.Unmarshal(value, &items) != nil || items == nil {
		return value, nil
	}
	for i, item := range items {
		var err error
		if items[i], err = s.Items.fill(item); err != nil {
			return nil, err
		}
	}
	return marshal(items)
}

func (s *Schema) fillObject(value json.RawMessage) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) != nil || object == nil {
		return value, nil
	}
	changed := false
	for name, p := range s.Properties {
		if _, given := object[name]; !given && p.Default != nil {
			object[name], changed = p.Default, true
		}
	}
	for name, given := range object {
		p := s.Properties[name]
		if p == nil {
			p = s.Values
		}
		if !p.fills() {
			continue
		}
		full, err := p.fill(given)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(full, given) {
			object[name], changed = full, true
		}
	}
	if !changed {
		return value, nil
	}
	return marshal(object)
}
