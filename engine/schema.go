package engine

import (
	"encoding/json"
	"reflect"
)

// Schema describes JSON values, in the words of JSON Schema that forms and
// clients understand (draft 2020-12).
type Schema struct {
	Type        string             `json:"type,omitempty"` // "object", "array", "string", "integer", "number", "boolean"; "" for any
	Description string             `json:"description,omitempty"`
	Format      string             `json:"format,omitempty"` // "date", "date-time", "duration", "uuid", "uri", "password", "byte", or one that only forms know
	Pattern     string             `json:"pattern,omitempty"`
	Enum        []json.RawMessage  `json:"enum,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	MinLength   *int               `json:"minLength,omitempty"` // characters of a string
	Items       *Schema            `json:"items,omitempty"`
	MinItems    *int               `json:"minItems,omitempty"`
	MaxItems    *int               `json:"maxItems,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Order       []string           `json:"x-order,omitempty"` // of the properties, for forms
	Required    []string           `json:"required,omitempty"`
	// Values describes what an object holds whose keys are free; nil with
	// Properties: no other keys are allowed.
	Values   *Schema         `json:"additionalProperties,omitempty"`
	Closed   bool            `json:"-"` // additionalProperties is false
	Nullable bool            `json:"nullable,omitempty"`
	Default  json.RawMessage `json:"default,omitempty"`

	decoded reflect.Type // whose decoder has the last word; nil: the above says it all
}

// JSONSchema implements Described: a schema as a value is some object.
func (Schema) JSONSchema() *Schema { return &Schema{Type: "object"} }

// Described is a type that says itself how its JSON looks.
type Described interface{ JSONSchema() *Schema }

// MarshalJSON writes additionalProperties as JSON Schema has it: false for a
// closed object.
func (s *Schema) MarshalJSON() ([]byte, error) {
	type plain Schema
	if !s.Closed {
		return marshal((*plain)(s))
	}
	return marshal(struct {
		*plain
		Values bool `json:"additionalProperties"`
	}{plain: (*plain)(s)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Schema) UnmarshalJSON(data []byte) error {
	type plain Schema
	read := struct {
		*plain
		Values json.RawMessage `json:"additionalProperties"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	switch string(read.Values) {
	case "", "true":
	case "false":
		s.Closed = true
	default:
		return json.Unmarshal(read.Values, &s.Values)
	}
	return nil
}
