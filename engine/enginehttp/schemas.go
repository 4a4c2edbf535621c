package enginehttp

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// schemaOf describes T as it is sent, or as it is answered: then what is never
// left out is required. It is nil for none.
func schemaOf[T any](answered bool) *engine.Schema {
	t := reflect.TypeFor[T]()
	if t == reflect.TypeFor[none]() {
		return nil
	}
	s, err := engine.SchemaOf[T]()
	if err != nil {
		panic(fmt.Sprintf("describe %v: %v", t, err)) // of a type that is written here
	}
	if answered {
		always(t, s)
	}
	return s
}

// always marks the fields of t that are always written.
func always(t reflect.Type, s *engine.Schema) {
	if s == nil || t.Implements(reflect.TypeFor[engine.Described]()) || t == reflect.TypeFor[time.Time]() {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		always(t.Elem(), s)
	case reflect.Slice:
		always(t.Elem(), s.Items)
	case reflect.Map:
		always(t.Elem(), s.Values)
	case reflect.Struct:
		for field := range t.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Anonymous && name == "" {
				always(field.Type, s)
				continue
			}
			p := s.Properties[name]
			if p == nil {
				continue
			}
			if !strings.Contains(options, "omit") && !slices.Contains(s.Required, name) {
				s.Required = append(s.Required, name)
			}
			always(field.Type, p)
		}
	}
}
