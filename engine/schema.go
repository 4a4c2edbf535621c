package engine

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Schema describes JSON values, in the words of JSON Schema that forms and
// clients understand (draft 2020-12).
type Schema struct {
	Type        string             `json:"type,omitempty"` // "object", "array", "string", "integer", "number", "boolean"; "" for any
	Description string             `json:"description,omitempty"`
	Format      string             `json:"format,omitempty"` // "date", "date-time", "uuid", "uri", "password", or one that only forms know
	Pattern     string             `json:"pattern,omitempty"`
	Enum        []json.RawMessage  `json:"enum,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	MinLength   *int               `json:"minLength,omitempty"` // characters of a string
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Order       []string           `json:"x-order,omitempty"` // of the properties, for forms
	Required    []string           `json:"required,omitempty"`
	// Values describes what an object holds whose keys are free; nil with
	// Properties: no other keys are allowed.
	Values   *Schema         `json:"additionalProperties,omitempty"`
	Closed   bool            `json:"-"` // additionalProperties is false
	Nullable bool            `json:"nullable,omitempty"`
	Default  json.RawMessage `json:"default,omitempty"`
}

// JSONSchema implements Described: a schema as a value is some object.
func (Schema) JSONSchema() *Schema { return &Schema{Type: "object"} }

// Described is a type that says itself how its JSON looks.
type Described interface{ JSONSchema() *Schema }

// SchemaOf returns the schema of T's JSON. Of a struct's fields it reads the tags
//
//	json      the name; "-" leaves the field out
//	doc       a description
//	required  "true": it must be given; else Go's zero value, or the default, stands in
//	default   as JSON, or as text for a string
//	enum      allowed values, separated by commas
//	min, max  of a number; of a string's length, min only
//	format    of a string
//	pattern   a regular expression that a string matches
//
// A type that is Described has its own; one that only marshals itself to text is
// a string, to JSON anything. Functions and channels are an error.
func SchemaOf[T any]() (*Schema, error) { return schemaOf(reflect.TypeFor[T](), nil) }

var (
	describedType = reflect.TypeFor[Described]()
	timeType      = reflect.TypeFor[time.Time]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	jsonType      = reflect.TypeFor[json.Marshaler]()
	textType      = reflect.TypeFor[encoding.TextMarshaler]()
)

// schemaOf describes t, which stands within the types in within.
func schemaOf(t reflect.Type, within []reflect.Type) (*Schema, error) {
	switch {
	case t.Implements(describedType) && t.Kind() != reflect.Pointer:
		return reflect.Zero(t).Interface().(Described).JSONSchema(), nil
	case t == timeType:
		return &Schema{Type: "string", Format: "date-time"}, nil
	case t.Kind() == reflect.Pointer:
		s, err := schemaOf(t.Elem(), within)
		if err == nil {
			nullable := *s
			nullable.Nullable, s = true, &nullable
		}
		return s, err
	case t == rawType || t.Implements(jsonType):
		return &Schema{}, nil
	case t.Implements(textType):
		return &Schema{Type: "string"}, nil
	}
	for _, outer := range within {
		if outer == t {
			return &Schema{}, nil // a type within itself: anything from here on
		}
	}
	within = append(within[:len(within):len(within)], t)
	switch t.Kind() {
	case reflect.Bool:
		return &Schema{Type: "boolean"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &Schema{Type: "integer"}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: "integer", Minimum: new(float64)}, nil
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}, nil
	case reflect.String:
		return &Schema{Type: "string"}, nil
	case reflect.Interface:
		return &Schema{Nullable: true}, nil
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			return &Schema{Type: "string", Format: "byte"}, nil
		}
		items, err := schemaOf(t.Elem(), within)
		return &Schema{Type: "array", Items: items, Nullable: t.Kind() == reflect.Slice}, err
	case reflect.Map:
		values, err := schemaOf(t.Elem(), within)
		return &Schema{Type: "object", Values: values, Nullable: true}, err
	case reflect.Struct:
		s := &Schema{Type: "object", Properties: map[string]*Schema{}, Closed: true}
		return s, s.addFields(t, within)
	}
	return nil, fmt.Errorf("describe a %s: it has no JSON", t)
}

func (s *Schema) addFields(t reflect.Type, within []reflect.Type) error {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		if field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct {
			if err := s.addFields(field.Type, within); err != nil {
				return err
			}
			continue
		}
		if name == "" {
			name = field.Name
		}
		p, err := schemaOf(field.Type, within)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		own := *p // a Described type may hand out the same schema each time
		if err := own.addTags(field.Tag); err != nil {
			return fmt.Errorf("describe %s of %s: %w", field.Name, t, err)
		}
		if field.Tag.Get("required") == "true" {
			s.Required = append(s.Required, name)
		}
		s.Properties[name] = &own
		s.Order = append(s.Order, name)
	}
	return nil
}

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
		n, err := strconv.ParseFloat(text, 64)
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

// literal reads a tag's text as a value of s: bare text is a string.
func (s *Schema) literal(text string) (json.RawMessage, error) {
	if s.Type == "string" && !strings.HasPrefix(text, `"`) {
		return marshal(text)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("%q is no JSON", text)
	}
	return json.RawMessage(text), nil
}

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
