package graphql

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// variables returns the values of an operation's variables, checked.
func (s *Schema) variables(o *operation, given map[string]any) (map[string]any, error) {
	values := map[string]any{}
	for _, v := range o.variables {
		of := s.types[v.of.name]
		if of == nil || of.kind == "type" {
			return nil, fmt.Errorf("Unknown type '%s'.", v.of.name)
		}
		got, there := given[v.name]
		switch {
		case there && got != nil:
			value, err := s.coerce(got, v.of, nil)
			if err != nil {
				return nil, fmt.Errorf("Variable '$%s' got invalid value: %w", v.name, err)
			}
			values[v.name] = value
		case v.of.required && v.standard == nil:
			return nil, fmt.Errorf("Variable '$%s' of required type '%s' was not provided.", v.name, v.of)
		case v.standard != nil && !there:
			value, err := s.coerce(v.standard, v.of, nil)
			if err != nil {
				return nil, fmt.Errorf("Variable '$%s' has an invalid default: %w", v.name, err)
			}
			values[v.name] = value
		}
	}
	return values, nil
}

// arguments returns the values of a field's arguments, checked. What is null or
// not given is not there.
func (s *Schema) arguments(f *field, given []argument, variables map[string]any) (map[string]any, error) {
	values := map[string]any{}
	for _, a := range given {
		of, known := f.arguments[a.name]
		if !known {
			return nil, fmt.Errorf("Unknown argument '%s' on field '%s'.", a.name, f.name)
		}
		value, err := s.coerce(a.value, of, variables)
		if err != nil {
			return nil, fmt.Errorf("Argument '%s' has invalid value: %w", a.name, err)
		}
		if value != nil {
			values[snake(a.name)] = value
		}
	}
	for name, of := range f.arguments {
		if of.required && values[snake(name)] == nil {
			return nil, fmt.Errorf("Field '%s' argument '%s' of type '%s' is required, but it was not provided.", f.name, name, of)
		}
	}
	return values, nil
}

// coerce turns a literal, or a JSON value where variables is nil, into what a
// resolver gets: string, bool, json.Number, []any, map[string]any; nil for null.
func (s *Schema) coerce(v value, of typeRef, variables map[string]any) (any, error) {
	switch ref := v.(type) {
	case variableRef:
		return variables[string(ref)], nil // checked against its own type; the endpoints check again
	case nil, nullValue:
		return nil, nil
	}
	if !of.list {
		return s.coerceOne(v, of, variables)
	}
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	list := make([]any, len(items))
	for i, item := range items {
		value, err := s.coerce(item, typeRef{name: of.name}, variables)
		if err != nil {
			return nil, err
		}
		list[i] = value
	}
	return list, nil
}

func (s *Schema) coerceOne(v value, of typeRef, variables map[string]any) (any, error) {
	d := s.types[of.name]
	switch d.kind {
	case "enum":
		word, isText := v.(string)
		if e, ok := v.(enumValue); ok {
			word, isText = string(e), true
		}
		if isText && d.values[word] {
			return word, nil
		}
		return nil, fmt.Errorf("Value %s does not exist in '%s' enum.", show(v), d.name)
	case "input":
		object, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("Expected type '%s' to be an object.", d.name)
		}
		values := map[string]any{}
		for name, inner := range object {
			f := d.fields[name]
			if f == nil {
				return nil, fmt.Errorf("Field '%s' is not defined by type '%s'.", name, d.name)
			}
			value, err := s.coerce(inner, f.of, variables)
			if err != nil {
				return nil, err
			}
			if value != nil {
				values[snake(name)] = value
			}
		}
		return values, nil
	}
	if value := coerceScalar(v, d.name); value != nil {
		return value, nil
	}
	return nil, fmt.Errorf("%s cannot represent value: %s", d.name, show(v))
}

// coerceScalar returns nil where v is nothing of a scalar type.
func coerceScalar(v value, of string) any {
	var number json.Number
	switch v := v.(type) {
	case bool:
		if of == "Boolean" {
			return v
		}
		return nil
	case string:
		if of == "String" || of == "ID" {
			return v
		}
		if of != LongString {
			return nil
		}
		number = json.Number(v)
	case json.Number:
		number = v
	case int64:
		number = json.Number(strconv.FormatInt(v, 10))
	case float64:
		number = json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	default:
		return nil
	}
	_, notInteger := number.Int64()
	switch {
	case of == "Float", notInteger == nil && (of == "Int" || of == LongString):
		return number
	case notInteger == nil && of == "ID":
		return number.String()
	}
	return nil
}

func show(v value) string {
	text, err := json.Marshal(v)
	if err != nil || len(text) > 100 {
		return "…"
	}
	return string(text)
}
