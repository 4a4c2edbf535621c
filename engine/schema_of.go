package engine

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

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
// a string, to JSON anything. A time.Duration is a number of nanoseconds, and may be
// given as text such as "1h30m", also in tags. Functions and channels are an error.
func SchemaOf[T any]() (*Schema, error) { return schemaOf(reflect.TypeFor[T](), nil) }

var (
	describedType = reflect.TypeFor[Described]()
	timeType      = reflect.TypeFor[time.Time]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	durationType  = reflect.TypeFor[time.Duration]()
	jsonType      = reflect.TypeFor[json.Marshaler]()
	textType      = reflect.TypeFor[encoding.TextMarshaler]()
	fromJSONType  = reflect.TypeFor[json.Unmarshaler]()
	fromTextType  = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// schemaOf describes t, which stands within the types in within.
func schemaOf(t reflect.Type, within []reflect.Type) (*Schema, error) {
	switch {
	case t.Implements(describedType) && t.Kind() != reflect.Pointer:
		own := *reflect.Zero(t).Interface().(Described).JSONSchema()
		own.decoded = t
		return &own, nil
	case t == timeType:
		return &Schema{Type: "string", Format: "date-time"}, nil
	case t == durationType:
		return &Schema{Type: "integer", Format: "duration", decoded: t}, nil
	case t.Kind() == reflect.Pointer:
		s, err := schemaOf(t.Elem(), within)
		if err == nil {
			nullable := *s
			nullable.Nullable, s = true, &nullable
		}
		return s, err
	case t == rawType:
		return &Schema{}, nil
	case t.Implements(jsonType), reflect.PointerTo(t).Implements(fromJSONType):
		return &Schema{decoded: t}, nil
	case t.Implements(textType), reflect.PointerTo(t).Implements(fromTextType):
		return &Schema{Type: "string", decoded: t}, nil
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
	case reflect.Int8, reflect.Int16, reflect.Int32:
		most := float64(int64(1)<<(t.Bits()-1) - 1)
		least := -most - 1
		return &Schema{Type: "integer", Minimum: &least, Maximum: &most}, nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		most := float64(uint64(1)<<t.Bits() - 1)
		return &Schema{Type: "integer", Minimum: new(float64), Maximum: &most}, nil
	case reflect.Int, reflect.Int64:
		return &Schema{Type: "integer", decoded: t}, nil
	case reflect.Uint, reflect.Uint64:
		return &Schema{Type: "integer", Minimum: new(float64), decoded: t}, nil
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number", decoded: t}, nil
	case reflect.String:
		return &Schema{Type: "string"}, nil
	case reflect.Interface:
		return &Schema{Nullable: true}, nil
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			return &Schema{Type: "string", Format: "byte", Nullable: true, decoded: t}, nil
		}
		items, err := schemaOf(t.Elem(), within)
		s := &Schema{Type: "array", Items: items, Nullable: t.Kind() == reflect.Slice}
		if t.Kind() == reflect.Array {
			n := t.Len()
			s.MinItems, s.MaxItems = &n, &n
		}
		return s, err
	case reflect.Map:
		values, err := schemaOf(t.Elem(), within)
		s := &Schema{Type: "object", Values: values, Nullable: true}
		if t.Key().Kind() != reflect.String {
			s.decoded = t
		}
		return s, err
	case reflect.Struct:
		s := &Schema{Type: "object", Properties: map[string]*Schema{}, Closed: true}
		return s, s.addFields(t, within)
	}
	return nil, fmt.Errorf("describe a %s: it has no JSON", t)
}

func (s *Schema) addFields(t reflect.Type, within []reflect.Type) error {
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if slices.Contains(strings.Split(options, ","), "string") {
			return fmt.Errorf("%s: the option string of a json tag is not supported", field.Name)
		}
		if name == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		embedded := field.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		if field.Anonymous && name == "" && embedded.Kind() == reflect.Struct {
			if err := s.addFields(embedded, within); err != nil {
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
