package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

func (s *Schema) checkNumber(value json.RawMessage) bool {
	var n json.Number
	if value[0] == '"' || json.Unmarshal(value, &n) != nil {
		return false
	}
	f, err := n.Float64()
	if err != nil || s.Type == "integer" && (f != math.Trunc(f) || strings.ContainsAny(n.String(), ".eE")) {
		return false
	}
	return (s.Minimum == nil || f >= *s.Minimum) && (s.Maximum == nil || f <= *s.Maximum)
}

func (s *Schema) checkString(value json.RawMessage) bool {
	var text string
	if json.Unmarshal(value, &text) != nil || s.MinLength != nil && utf8.RuneCountInString(text) < *s.MinLength {
		return false
	}
	if s.Pattern != "" {
		if re, err := regexp.Compile(s.Pattern); err != nil || !re.MatchString(text) {
			return false
		}
	}
	var err error
	switch s.Format {
	case "date":
		_, err = time.Parse(time.DateOnly, text)
	case "date-time":
		_, err = time.Parse(time.RFC3339, text)
	case "uri":
		var u *url.URL
		if u, err = url.Parse(text); err == nil && u.Scheme == "" {
			return false
		}
	}
	return err == nil
}

// want says in words what is allowed.
func (s *Schema) want() string {
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = string(v)
		}
		return "one of " + strings.Join(values, ", ")
	}
	words := map[string]string{"": "a value", "object": "an object", "array": "a list", "integer": "an integer",
		"number": "a number", "boolean": "true or false", "string": "a string"}[s.Type]
	number := func(n float64) any { return n }
	switch s.Format {
	case "date":
		words = "a date such as 2021-03-05"
	case "duration":
		words = "a duration such as 1h30m"
		number = func(n float64) any { return time.Duration(n) }
	case "byte":
		words = "bytes in base64"
	case "date-time":
		words = "a time such as 2021-03-05T09:00:00Z"
	case "uri":
		words = "an address such as https://example.com"
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		words += fmt.Sprintf(" from %v to %v", number(*s.Minimum), number(*s.Maximum))
	case s.Minimum != nil:
		words += fmt.Sprintf(" of at least %v", number(*s.Minimum))
	case s.Maximum != nil:
		words += fmt.Sprintf(" of at most %v", number(*s.Maximum))
	case s.MinItems != nil && s.MaxItems != nil && *s.MinItems == *s.MaxItems:
		words += fmt.Sprintf(" of %d", *s.MinItems)
	case s.MinLength != nil:
		words += fmt.Sprintf(" of at least %d characters", *s.MinLength)
	case s.Pattern != "":
		words += " that matches " + s.Pattern
	}
	return words
}

// sameJSON compares values whatever their spelling.
func sameJSON(a, b json.RawMessage) bool {
	var av, bv any
	if json.Unmarshal(a, &av) != nil || json.Unmarshal(b, &bv) != nil {
		return false
	}
	return fmt.Sprintf("%T%v", av, av) == fmt.Sprintf("%T%v", bv, bv)
}

// got is a value as an error shows it.
func (s *Schema) got(value json.RawMessage) string {
	var d time.Duration
	if s.Format == "duration" && json.Unmarshal(value, &d) == nil {
		return d.String()
	}
	return shortened(value)
}

// shortened is a long value, cut.
func shortened(value json.RawMessage) string {
	const most = 80
	if len(value) > most {
		return string(value[:most]) + "…"
	}
	return string(value)
}
