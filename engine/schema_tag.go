package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// addTags adds what the tags of a field say.
func (s *Schema) addTags(tag reflect.StructTag) error {
	s.Description = cmp.Or(tag.Get("doc"), s.Description)
	s.Format = cmp.Or(tag.Get("format"), s.Format)
	s.Pattern = cmp.Or(tag.Get("pattern"), s.Pattern)
	if text, ok := tag.Lookup("enum"); ok {
		s.Enum = nil
		for value := range strings.SplitSeq(text, ",") {
			v, err := s.literal(strings.TrimSpace(value))
			if err != nil {
				return fmt.Errorf("enum: %w", err)
			}
			s.Enum = append(s.Enum, v)
		}
	}
	for key, bound := range map[string]**float64{"min": &s.Minimum, "max": &s.Maximum} {
		text, ok := tag.Lookup(key)
		if !ok {
			continue
		}
		n, err := s.bound(text)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if s.Type == "string" && key == "min" {
			length := int(n)
			s.MinLength = &length
			continue
		}
		*bound = &n
	}
	if text, ok := tag.Lookup("default"); ok {
		v, err := s.literal(text)
		if err != nil {
			return fmt.Errorf("default: %w", err)
		}
		if err := s.check("default", v); err != nil {
			return err
		}
		s.Default = v
	}
	return nil
}

// bound reads a tag's text as a number, or as a duration.
func (s *Schema) bound(text string) (float64, error) {
	if s.Format == "duration" {
		d, err := time.ParseDuration(text)
		return float64(d), err
	}
	return strconv.ParseFloat(text, 64)
}

// literal reads a tag's text as a value of s: bare text is a string.
func (s *Schema) literal(text string) (json.RawMessage, error) {
	if d, err := time.ParseDuration(text); err == nil && s.Format == "duration" {
		return marshal(d)
	}
	if s.Type == "string" && !strings.HasPrefix(text, `"`) {
		return marshal(text)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("%q is no JSON", text)
	}
	return json.RawMessage(text), nil
}
